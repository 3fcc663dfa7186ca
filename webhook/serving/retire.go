package serving

import (
	"net/http"
	"sync/atomic"
	"time"
)

// retiring ends connections by their clients' hands. An API server speaks HTTP/1.1 to
// webhooks and keeps its connections. One that is closed under it loses the request
// which it is just writing there: it sends none again of which a byte has gone. Told in
// an answer that it was the last, it makes a new connection, to whoever serves then.
type retiring struct {
	handler http.Handler
	last    atomic.Bool
}

func (r *retiring) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if r.last.Load() {
		w.Header().Set("Connection", "close") // over HTTP/2 it is a GOAWAY
	}
	r.handler.ServeHTTP(w, request)
}

// drain returns after that long. In the first half the cluster notices that the replica
// is going and makes no new connections, in the second every connection that is used is
// used for the last time.
func (r *retiring) drain(long time.Duration) {
	time.Sleep(long / 2)
	r.last.Store(true)
	time.Sleep(long - long/2)
}
