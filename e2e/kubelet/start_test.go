package kubelet

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/e2e/enclosure"
	"github.com/hardgate-dev/hardgate/e2e/node"
	"github.com/hardgate-dev/hardgate/e2e/process"
)

// clientUser is who this test is to a kubelet that knows users by certificates.
const clientUser = "hardgate-lab-client"

// needed are the flags without which no kubelet starts in an enclosure. They
// come first, so that a case can add to them.
func needed() []string { return node.Flags() }

// write puts files on the node and takes them away after the test. A content that
// begins with "-> " makes a symbolic link.
func write(t *testing.T, files map[string]string) {
	t.Helper()
	for path, content := range files {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		err := os.WriteFile(path, []byte(content), 0o600)
		if target, link := bytes.CutPrefix([]byte(content), []byte("-> ")); link {
			err = errors.Join(os.Remove(path), os.Symlink(string(target), path))
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Error(err)
			}
		})
	}
}

// launch starts a kubelet, which ends with the test, and does not wait for it.
func launch(t *testing.T, args ...string) *process.Running {
	t.Helper()
	return run(t, process.Program{Name: "kubelet", Path: lab.kubelet(), Args: append(needed(), args...)})
}

// unit is a service that would start the kubelet just so.
func unit(args ...string) map[string]string {
	line := "ExecStart=" + lab.kubelet()
	for _, arg := range append(needed(), args...) {
		line += ` "` + arg + `"`
	}
	return map[string]string{unitFile: "[Service]\nWorkingDirectory=" + filepath.Dir(configFile) + "\n" + line + "\n"}
}

// run starts a program, which ends with the test.
func run(t *testing.T, p process.Program) *process.Running {
	t.Helper()
	p.Dir = enclosure.Dir()
	r, err := p.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Stop(context.WithoutCancel(t.Context()), 10*time.Second); err != nil {
			t.Error(err)
		}
	})
	return r
}

// start starts a kubelet and returns the configuration that it says it runs with.
func start(t *testing.T, args ...string) (k *process.Running, configz map[string]any) {
	t.Helper()
	client := kubeletClient(t)
	k = launch(t, args...)
	err := k.Await(t.Context(), 30*time.Second, func(ctx context.Context) (err error) {
		configz, err = readConfigz(ctx, client)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return k, configz
}

// ask returns the configuration of a kubelet that may not start, or may let nobody
// ask: then there is an error.
func ask(t *testing.T, k *process.Running) (configz map[string]any, err error) {
	t.Helper()
	client := kubeletClient(t)
	ctx, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	refusals := 0
	err = k.Await(ctx, 10*time.Second, func(ctx context.Context) (err error) {
		if configz, err = readConfigz(ctx, client); errors.Is(err, errRefused) {
			// It may not have come up yet.
			if refusals++; refusals == 3 {
				giveUp()
			}
		}
		return err
	})
	return configz, err
}

// kubeletClient presents the administrator's token, and a certificate to kubelets
// that ask the API server about nobody.
func kubeletClient(t *testing.T) *http.Client {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(pkiDir, "tls.crt"), filepath.Join(pkiDir, "tls.key"))
	if err != nil {
		t.Fatal(err)
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: clientUser},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: clientUser}},
	}
	if _, err := lab.admin.RbacV1().ClusterRoleBindings().Create(t.Context(), binding, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	transport := &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{
			Certificates:       []tls.Certificate{pair},
			InsecureSkipVerify: true, // a kubelet signs its own certificate, and nobody else is in the enclosure
		},
	}
	return &http.Client{Transport: transport, Timeout: 5 * time.Second}
}

const kubeletPort = node.KubeletPort

var errRefused = errors.New("configz is refused")

func readConfigz(ctx context.Context, client *http.Client) (map[string]any, error) {
	url := "https://127.0.0.1:" + strconv.Itoa(kubeletPort) + "/configz"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	access, err := lab.cluster.RESTConfig()
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+access.BearerToken)
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: %s: %s", errRefused, resp.Status, body)
	}
	var answer struct {
		Config map[string]any `json:"kubeletconfig"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("reading configz: %w", err)
	}
	return answer.Config, nil
}
