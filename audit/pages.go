package audit

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/hardgate-dev/hardgate/webhook/scan"
)

// metadataOnly asks for objects without all but their metadata.
const metadataOnly = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

// maxExpired is how often a list may grow too old while it is read.
const maxExpired = 100

// lister reads lists in pages, as the API server writes them.
type lister struct {
	api  rest.Interface
	page int64
}

// each calls do for every item of a list, in the list's order, and reads the next page
// meanwhile. The bytes are do's own.
func (l *lister) each(ctx context.Context, path, accept string, do func(item []byte) error) error {
	type answer struct {
		body []byte
		err  error
	}
	fetch := func(token string) <-chan answer {
		c := make(chan answer, 1)
		go func() {
			body, err := l.get(ctx, path, accept, token)
			c <- answer{body, err}
		}()
		return c
	}
	coming, expired := fetch(""), 0
	for {
		a := <-coming
		if token := goOn(a.body, a.err); token != "" && expired < maxExpired {
			expired++
			// The list has grown too old to be gone on with as it was. What follows is of a
			// later time, and each object still comes once.
			coming = fetch(token)
			continue
		}
		if a.err != nil {
			return a.err
		}
		items, token, err := split(a.body)
		if err != nil {
			return fmt.Errorf("reading a page of %s: %w", path, err)
		}
		if token != "" {
			coming = fetch(token)
		}
		for _, item := range items {
			if err := do(item); err != nil {
				if token != "" {
					<-coming
				}
				return err
			}
		}
		if token == "" {
			return nil
		}
	}
}

func (l *lister) get(ctx context.Context, path, accept, token string) ([]byte, error) {
	r := l.api.Get().AbsPath(path).SetHeader("Accept", accept).Param("limit", strconv.FormatInt(l.page, 10))
	if token != "" {
		r = r.Param("continue", token)
	}
	return ask(ctx, r)
}

// ask returns the body of an answer, also of a refusal. Its error is in the API server's
// words: that of the body alone says no more than "unknown".
func ask(ctx context.Context, r *rest.Request) ([]byte, error) {
	result := r.Do(ctx)
	body, err := result.Raw()
	if err != nil {
		err = cmp.Or(result.Error(), err)
	}
	return body, err
}

// goOn is the token by which a list that has expired can be gone on with; empty for any
// other answer.
func goOn(body []byte, err error) string {
	var s apierrors.APIStatus
	if !errors.As(err, &s) || s.Status().Code != http.StatusGone {
		return ""
	}
	var sent metav1.Status
	if json.Unmarshal(body, &sent) != nil {
		return ""
	}
	return sent.Continue
}

// split takes a list apart.
func split(body []byte) (items [][]byte, token string, err error) {
	s := scan.New(body)
	_, err = s.Object(func(name []byte) error {
		switch string(name) {
		case "metadata":
			_, err := s.Object(func(name []byte) (err error) {
				if string(name) != "continue" {
					return s.Skip()
				}
				token, err = s.String()
				return err
			})
			return err
		case "items":
			return s.List(func(int) error {
				item, err := s.Raw()
				items = append(items, item)
				return err
			})
		}
		return s.Skip()
	})
	if err == nil {
		err = s.End()
	}
	return items, token, err
}

// meta is what is read of an object that is not judged as a whole.
type meta struct {
	Metadata struct {
		Name     string            `json:"name"`
		Labels   map[string]string `json:"labels"`
		Deletion string            `json:"deletionTimestamp"`
	} `json:"metadata"`
}

func readMeta(item []byte) (m meta, err error) {
	err = json.Unmarshal(item, &m)
	return m, err
}
