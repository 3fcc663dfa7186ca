package controller

import (
	"context"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
)

// absent are the kinds of ours that are watched and that the API server does not serve,
// since their CRD is not installed or somebody has deleted it. Informers that are told so
// ask again less and less often, at last once a minute. Here they are not told: what they
// ask is asked again until there is an answer, and so it is where nobody listens at the
// API server's address. It is safe for concurrent use.
type absent struct {
	mu    sync.Mutex
	kinds map[string]bool // by their CRD
}

func newAbsent() *absent { return &absent{kinds: map[string]bool{}} }

// again is how soon it is asked again, and by how much longer it takes at most.
const again = time.Second

// wrap asks again for as long as who asks has not given up.
func (a *absent) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		crd := crdOf(r.URL.Path)
		for {
			resp, err := next.RoundTrip(r)
			// What is asked is for lists: it is the kind that is not found.
			missing := err == nil && resp.StatusCode == http.StatusNotFound && crd != ""
			if err == nil {
				a.note(crd, missing)
			}
			if r.Method != http.MethodGet || !missing && !utilnet.IsConnectionRefused(err) {
				return resp, err
			}
			if missing {
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
			select {
			case <-r.Context().Done():
				return nil, r.Context().Err()
			case <-time.After(again + rand.N(again)): //nolint:gosec // spreads load, protects nothing
			}
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// crdOf is the CRD of what a path asks for; empty for what is not of ours.
func crdOf(path string) string {
	_, rest, ours := strings.Cut(path, "/apis/"+v1alpha1.GroupVersion.String()+"/")
	plural, _, _ := strings.Cut(rest, "/")
	if !ours || plural == "" {
		return ""
	}
	return plural + "." + v1alpha1.GroupVersion.Group
}

func (a *absent) note(crd string, missing bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if missing {
		a.kinds[crd] = true
	} else {
		delete(a.kinds, crd)
	}
}

// all are the CRDs that are missing, in order.
func (a *absent) all() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Sorted(maps.Keys(a.kinds))
}

// tell logs which CRDs are missing, when that changes, until ctx ends. One that is missed
// comes seldom alone: what is told has been so for a second.
func (a *absent) tell(ctx context.Context) {
	log := logf.FromContext(ctx)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	seen, told := "", ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := strings.Join(a.all(), ", ")
		if settled := now == seen; !settled || now == told {
			seen = now
			continue
		}
		told = now
		if now == "" {
			log.Info("the CRDs of nodes are there again")
			continue
		}
		log.Error(errors.New("install manifests/crd again"), "CRDs are missing: what they hold counts as deleted, and where a controller has started without them, no taint is set or removed; "+
			"certificates are kept all the same", "crds", now)
	}
}

// patient is a cache that a manager waits for only as long as what it waits for is served:
// the leader has more to do than what CRDs are needed for, and an expired certificate of the
// webhook's would refuse workloads. Who needs all that is in the cache waits for more.
type patient struct {
	cache.Cache
	absent *absent
	// pending are the kinds of which not all there is has been read.
	pending func() []string
	// opened is closed when the manager goes on.
	opened chan struct{}
	once   sync.Once
}

// patientCache makes the cache of a manager.
func patientCache(p *patient) cache.NewCacheFunc {
	return func(config *rest.Config, o cache.Options) (cache.Cache, error) {
		config = rest.CopyConfig(config)
		config.Wrap(p.absent.wrap)
		o.HTTPClient = nil // one that asks again
		c, err := cache.New(config, o)
		p.Cache = c
		return p, err
	}
}

// WaitForCacheSync implements cache.Informers.
func (p *patient) WaitForCacheSync(ctx context.Context) bool {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		missing := p.absent.all()
		if !slices.ContainsFunc(p.pending(), func(kind string) bool { return !slices.Contains(missing, kind) }) {
			p.once.Do(func() { close(p.opened) })
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}
