// Command floor is the least that an admission webhook can be: it terminates TLS,
// reads the whole request into memory and answers a constant. What hardgate costs
// beyond it is hardgate's own.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const answer = `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"00000000-0000-0000-0000-000000000000","allowed":true}}`

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to serve on")
	certs := flag.String("cert-dir", "", "directory with tls.crt and tls.key")
	flag.Parse()
	if err := serve(*listen, *certs); err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

func serve(listen, certs string) error {
	// net/http negotiates HTTP/2, as the webhook's server does.
	server := &http.Server{Addr: listen, Handler: http.HandlerFunc(handle), ReadHeaderTimeout: 10 * time.Second}
	err := server.ListenAndServeTLS(filepath.Join(certs, "tls.crt"), filepath.Join(certs, "tls.key"))
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func handle(w http.ResponseWriter, r *http.Request) {
	if err := read(r); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	// A client that has gone is no concern of the floor's.
	_, _ = io.WriteString(w, answer)
}

var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// read reads the body into a buffer that is used again, of the right size from the
// start: io.ReadAll, which most webhooks use, costs more.
func read(r *http.Request) error {
	body := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(body)
	body.Reset()
	body.Grow(int(max(r.ContentLength, 0)) + bytes.MinRead)
	_, err := body.ReadFrom(r.Body)
	return err
}
