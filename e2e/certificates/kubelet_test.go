package certificates

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/e2e/controller"
)

// servingSecret is what the webhook's pods mount, authoritySecret has by what it is signed.
const (
	servingSecret   = "hardgate-webhook-tls"
	authoritySecret = "hardgate-ca"
)

// slowest is how late this kubelet brings a Secret; a real one may take two minutes.
const slowest = 3 * time.Second

// kubelet keeps the files of a mounted Secret in dir until the test ends, as a kubelet
// does: a directory for each version, behind a link that changes at once.
func kubelet(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	t.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		mounted := ""
		for ctx.Err() == nil {
			time.Sleep(200 * time.Millisecond)
			s, err := lab.admin.CoreV1().Secrets(controller.Namespace).Get(ctx, servingSecret, metav1.GetOptions{})
			if err != nil || string(s.Data["tls.crt"]) == mounted {
				continue
			}
			if mounted != "" {
				time.Sleep(rand.N(slowest))
			}
			if err := mount(dir, s.Data); err != nil {
				t.Error(err)
				return
			}
			mounted = string(s.Data["tls.crt"])
		}
	}()
}

func mount(dir string, files map[string][]byte) error {
	version := fmt.Sprintf("..%d", time.Now().UnixNano())
	if err := os.Mkdir(filepath.Join(dir, version), 0o700); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, version, name), text, 0o600); err != nil {
			return err
		}
		link := filepath.Join(dir, name)
		if _, err := os.Lstat(link); err != nil {
			if err := os.Symlink(filepath.Join("..data", name), link); err != nil {
				return err
			}
		}
	}
	next := filepath.Join(dir, "..data_tmp")
	if err := os.Symlink(version, next); err != nil {
		return err
	}
	return os.Rename(next, filepath.Join(dir, "..data"))
}
