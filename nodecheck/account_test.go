package nodecheck

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/nodecheck/configz"
	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/kubelet"
)

// A kubelet that refuses is told of once, at a level that operators read, with what to do;
// one that is away for a moment is not.
func TestKubeletThatRefuses(t *testing.T) {
	var said []string
	log := funcr.New(func(_, line string) { said = append(said, line) }, funcr.Options{})
	ctx := logf.IntoContext(t.Context(), log)
	k := &answering{}
	a := &account{kubelet: k, again: time.Nanosecond, patience: time.Minute}
	refuses := func(status int) error { return fmt.Errorf("wrapped: %w", &configz.Refused{Status: status}) }
	for i, step := range []struct {
		what    string
		err     error
		silence kubelet.Silence
		says    []string // of what is said, each in one line
	}{
		{"of an older version", refuses(http.StatusForbidden), "it answers 403, as kubelets before 1.33 do", []string{"403 Forbidden", "nodes/proxy", "do not grant it", "nodes/configz"}},
		{"and again", refuses(http.StatusForbidden), "it answers 403, as kubelets before 1.33 do", nil},
		{"it ends", errors.New("connection refused"), "it answers 403, as kubelets before 1.33 do", nil},
		{"and is back", refuses(http.StatusForbidden), "it answers 403, as kubelets before 1.33 do", nil},
		{"with another setting", refuses(http.StatusNotFound), "it answers 404: it does not serve it", []string{"404 Not Found", "enableDebuggingHandlers"}},
		{"and one more", refuses(http.StatusUnauthorized), "it answers 401: it takes no tokens", []string{"401", "authentication.webhook.enabled"}},
		{"upgraded", nil, "", []string{"the kubelet tells its configuration"}},
		{"and again", nil, "", nil},
		{"away", errors.New("connection refused"), "", nil},
		{"broken", refuses(http.StatusInternalServerError), "it answers 500", []string{"500 Internal Server Error", "kubelet's log"}},
	} {
		said = nil
		k.err = step.err
		a.due = time.Time{}
		a.refresh(ctx, nil, time.Hour)
		h := host.New(tree(t, "-- etc/x --\n"))
		a.provide(h)
		if got, _ := host.Provided[kubelet.Silence](h); got != step.silence {
			t.Errorf("%d %s: a scan is handed %q, want %q", i, step.what, got, step.silence)
		}
		if step.says == nil {
			if len(said) != 0 {
				t.Errorf("%d %s: said %q", i, step.what, said)
			}
			continue
		}
		if len(said) != 1 || slices.ContainsFunc(step.says, func(s string) bool { return !strings.Contains(said[0], s) }) {
			t.Errorf("%d %s: said %q, want one line with %q", i, step.what, said, step.says)
		}
	}
}
