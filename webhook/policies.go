package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/exemption"
	noderuling "github.com/hardgate-dev/hardgate/taint/ruling"
	"github.com/hardgate-dev/hardgate/webhook/review"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

// readers read hardgate's own kinds that somebody writes by hand: what is wrong with one
// is the error, what is allowed and may not be meant are the warnings.
var readers = map[string]func(raw []byte, now time.Time) (warnings []string, err error){
	"WorkloadPolicy": func(raw []byte, _ time.Time) ([]string, error) {
		r, err := ruling.Read(raw)
		if err != nil {
			return nil, err
		}
		return ruling.Warnings(r), nil
	},
	"NodePolicy": func(raw []byte, _ time.Time) ([]string, error) {
		p, err := noderuling.ReadPolicy(raw)
		if err != nil {
			return nil, err
		}
		return noderuling.Warnings(p), nil
	},
	"Exemption": func(raw []byte, now time.Time) ([]string, error) {
		e, err := exemption.Read(raw)
		if err != nil {
			return nil, err
		}
		return exemption.Warnings(e, now), nil
	},
}

// policies judges policies and exemptions.
func (g *Gate) policies(ctx context.Context, r *review.Request) (response, error) {
	read, ours := readers[r.Kind.Kind]
	if !ours || r.Kind.Group != v1alpha1.GroupVersion.Group || r.Object == nil {
		return response{}, badRequest{fmt.Errorf("kind %s is not judged here, or the request has no object", r.Kind)}
	}
	warnings, err := read(r.Object, g.clock.Now())
	switch {
	case err != nil && r.Old != nil && sameSpec(r.Object, r.Old):
		// Stored while the gate was away. Labels and finalizers can still be changed,
		// or it could not even be deleted.
		warnings = strings.Split(err.Error(), "\n")
	case err != nil:
		return invalid(r.UID, r.Kind.Kind, err), nil
	}
	if err == nil && r.Kind.Kind == "WorkloadPolicy" {
		if p, err := ruling.Read(r.Object); err == nil {
			warnings = append(warnings, g.enforcing(ctx, p)...)
		}
	}
	return response{UID: r.UID, Allowed: true, Warnings: fit(warnings)}, nil
}

// sameSpec is whether two objects say the same apart from their metadata.
func sameSpec(a, b []byte) bool {
	var specs [2]map[string]any
	for i, raw := range [][]byte{a, b} {
		if json.Unmarshal(raw, &specs[i]) != nil {
			return false
		}
		delete(specs[i], "metadata")
	}
	return reflect.DeepEqual(specs[0], specs[1])
}

// invalid answers with errors that are joined, one a line.
func invalid(uid, kind string, err error) response {
	message := "hardgate refuses this " + kind + ":\n- " + strings.ReplaceAll(err.Error(), "\n", "\n- ")
	return response{UID: uid, Status: &status{Code: http.StatusUnprocessableEntity, Reason: "Invalid", Message: message}}
}
