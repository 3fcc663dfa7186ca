package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Request is one recorded AdmissionReview.
type Request struct {
	Name string // the file's, without extension
	Body []byte
	// uidAt is where the request's UID stands in Body.
	uidAt int
}

// uidLength is that of every UID: the API server makes them by RFC 4122.
const uidLength = 36

// sets are the names of the recorded sets.
var sets = []string{"small", "large"}

// setDir is where a set is recorded in the checkout in repo.
func setDir(repo, name string) string { return filepath.Join(repo, "e2e", "bench", "testdata", name) }

// Load reads the requests of one set, in the order of their file names.
func Load(dir string) ([]Request, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("reading recorded requests: %w", err)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("reading recorded requests: none in %s", dir)
	}
	set := make([]Request, 0, len(paths))
	for _, path := range paths {
		body, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading recorded requests: %w", err)
		}
		r, err := newRequest(strings.TrimSuffix(filepath.Base(path), ".json"), body)
		if err != nil {
			return nil, fmt.Errorf("reading recorded requests: %s: %w", path, err)
		}
		set = append(set, r)
	}
	return set, nil
}

func newRequest(name string, body []byte) (Request, error) {
	var review struct {
		Request struct {
			UID string `json:"uid"`
		} `json:"request"`
	}
	if err := json.Unmarshal(body, &review); err != nil {
		return Request{}, err
	}
	uid := review.Request.UID
	at := bytes.Index(body, []byte(`"uid":"`+uid+`"`))
	if len(uid) != uidLength || at < 0 {
		return Request{}, fmt.Errorf("no AdmissionReview with a UID: %q", uid)
	}
	return Request{Name: name, Body: body, uidAt: at + len(`"uid":"`)}, nil
}

// withUID returns the body with another UID, in buf if it is large enough. Every
// request has a UID of its own, so that no server can answer from memory.
func (r Request) withUID(buf []byte, uid string) []byte {
	buf = append(buf[:0], r.Body...)
	copy(buf[r.uidAt:r.uidAt+uidLength], uid)
	return buf
}
