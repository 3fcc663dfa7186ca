// Command floor is the least that an admission webhook can be: it terminates TLS,
// reads the whole request and answers a constant. What hardgate costs beyond it is
// hardgate's own.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
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
	// io.Discard reads into buffers of a pool: no allocation, no copy that is kept.
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	// A client that has gone is no concern of the floor's.
	_, _ = io.WriteString(w, answer)
}
