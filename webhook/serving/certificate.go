package serving

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

// certificateInterval is how often the files are looked at. They are two small ones, and a
// certificate that replicas serve late is one that an authority has to be trusted for longer.
const certificateInterval = 2 * time.Second

// waitInterval is how often the files are looked for before there are any.
const waitInterval = time.Second

// certificate is a serving certificate that follows its files. It reads them whole
// each time: a Secret's files are links that change together, not files that are
// written to.
type certificate struct {
	directory string
	current   atomic.Pointer[tls.Certificate]
}

func (c *certificate) load() error {
	pair, err := tls.LoadX509KeyPair(filepath.Join(c.directory, "tls.crt"), filepath.Join(c.directory, "tls.key"))
	if err != nil {
		return fmt.Errorf("reading the serving certificate: %w", err)
	}
	c.current.Store(&pair)
	return nil
}

// await reads the files as soon as they are there. A Secret that is not made yet is nothing
// that a new process would find sooner. It returns false when ctx ends before.
func (c *certificate) await(ctx context.Context) bool {
	log := logf.FromContext(ctx).WithName("certificate")
	for told := ""; ; {
		err := c.load()
		if err == nil {
			return true
		}
		if told != err.Error() {
			told = err.Error()
			log.Info("not serving before there is a certificate", "directory", c.directory, "cause", told)
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(waitInterval):
		}
	}
}

// follow reads the files again until ctx ends. A pair that does not fit is left for
// the next time: one file may have been written and the other not yet.
func (c *certificate) follow(ctx context.Context) {
	log := logf.FromContext(ctx).WithName("certificate")
	ticker := time.NewTicker(certificateInterval)
	defer ticker.Stop()
	for told := ""; ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		before := c.current.Load()
		if err := c.load(); err != nil {
			if told != err.Error() {
				told = err.Error()
				log.Error(err, "keeping the certificate that was read before")
			}
			continue
		}
		told = ""
		if after := c.current.Load(); !bytes.Equal(before.Certificate[0], after.Certificate[0]) {
			log.Info("serving certificate replaced", "notAfter", after.Leaf.NotAfter)
		}
	}
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return c.current.Load(), nil
}
