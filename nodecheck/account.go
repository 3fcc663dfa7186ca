package nodecheck

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/nodecheck/configz"
	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/kubelet"
)

// Kubelet is asked for the configuration in force; certificates are further files
// that may hold its certificate.
type Kubelet interface {
	Get(ctx context.Context, certificates ...string) ([]byte, error)
}

// account is what the kubelet says of itself. It is asked at full passes and when
// something of the kubelet's has changed, and what it said holds until then.
type account struct {
	kubelet Kubelet // nil: it is never asked
	// again is how soon it is asked again if it did not answer though it used to.
	again time.Duration

	// patience is how long an answer may take: its files may hang.
	patience time.Duration

	told     string    // why it does not tell, as the log says; empty if it does
	answered bool      // ever
	due      time.Time // zero: with the next scan
	// hanging is closed once a question that was given up has come to its end.
	hanging <-chan struct{}

	mu           sync.Mutex
	body         []byte
	silence      kubelet.Silence // where it is the kubelet that refuses
	absent       bool
	certificates []string
}

// refresh asks the kubelet if it is time to. changed are the paths that a scan is
// made for.
func (a *account) refresh(ctx context.Context, changed []string, interval time.Duration) {
	if a.kubelet == nil {
		return
	}
	for _, path := range changed {
		switch {
		case strings.HasPrefix(path, "/proc/") && strings.HasSuffix(path, "/cmdline"):
			a.set(nil) // it ended: what it said no longer holds
			a.due = time.Time{}
		case strings.Contains(path, "kube"), path == "/":
			a.due = time.Time{}
		}
	}
	if time.Now().Before(a.due) {
		return
	}
	a.mu.Lock()
	absent, certificates := a.absent, a.certificates
	a.mu.Unlock()
	a.due = time.Now().Add(interval)
	if absent {
		a.set(nil)
		return
	}
	body, err := a.ask(ctx, certificates)
	a.set(body)
	a.tell(ctx, err)
	if err == nil {
		a.answered = true
		return
	}
	if a.answered {
		a.due = time.Now().Add(a.again)
	}
}

// tell notes whether the kubelet refuses to tell, and says so in the log: once, and not
// with every question. Whatever else goes wrong is of the moment as a rule.
func (a *account) tell(ctx context.Context, err error) {
	log := logf.FromContext(ctx)
	var refused *configz.Refused
	if err != nil && !errors.As(err, &refused) {
		log.V(1).Info("the kubelet cannot be asked for its configuration; its files are judged", "cause", err.Error())
		return
	}
	var cause string
	var silence kubelet.Silence
	if refused != nil {
		cause, silence = refused.Error(), kubelet.Silence(refused.Means())
	}
	a.mu.Lock()
	a.silence = silence
	a.mu.Unlock()
	switch cause {
	case a.told:
	case "":
		log.Info("the kubelet tells its configuration")
	default:
		log.Info("the kubelet does not tell its configuration; its files and command line are judged",
			"cause", cause, "remedy", refused.Remedy())
	}
	a.told = cause
}

var errHangs = errors.New("reading the kubelet's certificate does not come to an end")

// ask asks the kubelet. A question that hangs is given up, and there is no other as
// long as it does: what it brings in the end is not of now.
func (a *account) ask(ctx context.Context, certificates []string) (body []byte, err error) {
	if a.hanging != nil {
		select {
		case <-a.hanging:
			a.hanging = nil
		default:
			return nil, errHangs
		}
	}
	done := make(chan struct{})
	var got []byte
	var failed error
	go func() {
		defer close(done)
		got, failed = a.kubelet.Get(ctx, certificates...)
	}()
	limit := time.NewTimer(a.patience)
	defer limit.Stop()
	select {
	case <-done:
		return got, failed
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-limit.C:
		a.hanging = done
		return nil, errHangs
	}
}

func (a *account) set(body []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.body = body
}

// known is whether there is an answer.
func (a *account) known() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.body != nil
}

// provide hands the answer to a scan.
func (a *account) provide(h *host.Host) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.body != nil:
		host.Provide(h, kubelet.ConfigzBody(a.body))
	case a.silence != "":
		host.Provide(h, a.silence)
	}
}

// learn notes from a scan whether there is a kubelet, and where its certificate is.
func (a *account) learn(h *host.Host) {
	if a.kubelet == nil {
		return
	}
	k, err := kubelet.Read(h)
	if err != nil {
		return
	}
	var certificates []string
	for _, r := range k.Field(kubelet.TLSCertFile) {
		if name := r.Text(); r.Err == nil && strings.HasPrefix(name, "/") {
			certificates = append(certificates, name)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.absent, a.certificates = k.Absent != "", certificates
}
