package delivery

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
)

// FieldManager owns what the agent writes.
const FieldManager = "hardgate-nodecheck"

// meta is as much of an object's metadata as the agent writes and reads. The full
// type would write "creationTimestamp: null", which is a claim too.
type meta struct {
	Name            string                  `json:"name"`
	UID             types.UID               `json:"uid,omitempty"`
	Generation      int64                   `json:"generation,omitempty"`
	OwnerReferences []metav1.OwnerReference `json:"ownerReferences,omitempty"`
	ResourceVersion string                  `json:"resourceVersion,omitempty"`
}

type object struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	Metadata   meta            `json:"metadata"`
	Status     json.RawMessage `json:"status,omitempty"`
	Spec       json.RawMessage `json:"spec,omitempty"` // of a report it is read and never written
}

type leaseSpec struct {
	HolderIdentity       string `json:"holderIdentity"`
	LeaseDurationSeconds int    `json:"leaseDurationSeconds"`
	RenewTime            string `json:"renewTime"`
}

// stored is what the API server has of the report.
type stored struct {
	exists  bool
	owned   types.UID // of the node that owns it
	content [sha256.Size]byte
	version string
	// order is what the spec asks for; uid and generation tell whether it still does.
	order      Order
	uid        types.UID
	generation int64
}

// cachedQuery lets the server answer from its memory. What it says then may be
// older than what was said before.
const cachedQuery = "?resourceVersion=0"

var applyQuery = "?" + url.Values{"fieldManager": {FieldManager}, "force": {"true"}}.Encode()

func reportPath(node string) string {
	return "/apis/" + v1alpha1.GroupVersion.String() + "/nodereports/" + url.PathEscape(node)
}

func leasePath(namespace, node string) string {
	return "/apis/coordination.k8s.io/v1/namespaces/" + url.PathEscape(namespace) + "/leases/" + url.PathEscape(node)
}

// owners makes a node the owner. It does not ask to block the node's deletion, which
// would take a right on nodes.
func owners(node string, uid types.UID) []metav1.OwnerReference {
	if uid == "" {
		return nil
	}
	return []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: node, UID: uid}}
}

func newReport(node string) object {
	return object{APIVersion: v1alpha1.GroupVersion.String(), Kind: "NodeReport", Metadata: meta{Name: node}}
}

// readReport asks for the whole report.
func (c *Client) readReport(ctx context.Context, node string) (stored, error) {
	var o object
	err := c.request(ctx, http.MethodGet, reportPath(node), jsonType, nil, &o)
	if answered(err, http.StatusNotFound) {
		return stored{}, nil
	}
	if err != nil {
		return stored{}, fmt.Errorf("reading the report: %w", err)
	}
	s, err := storedOf(&o)
	if err != nil {
		return stored{}, fmt.Errorf("reading the report: %w", err)
	}
	return s, nil
}

func storedOf(o *object) (stored, error) {
	m := o.Metadata
	s := stored{exists: true, version: m.ResourceVersion, order: orderOf(m, o.Spec), uid: m.UID, generation: m.Generation}
	if i := slices.IndexFunc(m.OwnerReferences, func(r metav1.OwnerReference) bool { return r.Kind == "Node" }); i >= 0 {
		s.owned = m.OwnerReferences[i].UID
	}
	// The server orders the fields in its own way.
	var status v1alpha1.NodeReportStatus
	if len(o.Status) > 0 {
		if err := json.Unmarshal(o.Status, &status); err != nil {
			return s, nil //nolint:nilerr // not what was written: it will be written over
		}
	}
	data, err := json.Marshal(status)
	if err != nil {
		return stored{}, err
	}
	s.content = sha256.Sum256(data)
	return s, nil
}

// readMeta asks for the report's metadata, by which it is seen whether it is still
// the one that is known. query is empty or cachedQuery.
func (c *Client) readMeta(ctx context.Context, node, query string) (meta, error) {
	var o object
	if err := c.request(ctx, http.MethodGet, reportPath(node)+query, metadataOnly, nil, &o); err != nil {
		return meta{}, fmt.Errorf("looking after the report: %w", err)
	}
	return o.Metadata, nil
}

// applyReport makes the report, or changes its owner. What it returns is all that
// the server has then: somebody else may have made the report a moment before.
func (c *Client) applyReport(ctx context.Context, node string, uid types.UID) (stored, error) {
	o := newReport(node)
	o.Metadata.OwnerReferences = owners(node, uid)
	var out object
	if err := c.request(ctx, http.MethodPatch, reportPath(node)+applyQuery, jsonType, o, &out); err != nil {
		return stored{}, fmt.Errorf("making the report: %w", err)
	}
	s, err := storedOf(&out)
	if err != nil {
		return stored{}, fmt.Errorf("making the report: %w", err)
	}
	return s, nil
}

// applyStatus writes what was found into the report as it is in that version: what is
// claimed of its generation may not be true of a report that was made anew. The server
// does not compare UIDs here.
func (c *Client) applyStatus(ctx context.Context, node, known string, status []byte) (version string, err error) {
	o := newReport(node)
	o.Metadata.ResourceVersion = known
	o.Status = status
	var out object
	if err := c.request(ctx, http.MethodPatch, reportPath(node)+"/status"+applyQuery, metadataOnly, o, &out); err != nil {
		return "", fmt.Errorf("writing the report: %w", err)
	}
	return out.Metadata.ResourceVersion, nil
}

// applyLease renews the lease.
func (c *Client) applyLease(ctx context.Context, namespace, node string, uid types.UID, now time.Time, valid time.Duration) error {
	spec, err := json.Marshal(leaseSpec{
		HolderIdentity: node, LeaseDurationSeconds: int(valid.Seconds()), RenewTime: now.UTC().Format(metav1.RFC3339Micro),
	})
	if err != nil {
		return fmt.Errorf("renewing the lease: %w", err)
	}
	o := object{
		APIVersion: "coordination.k8s.io/v1", Kind: "Lease",
		Metadata: meta{Name: node, OwnerReferences: owners(node, uid)}, Spec: spec,
	}
	if err := c.request(ctx, http.MethodPatch, leasePath(namespace, node)+applyQuery, metadataOnly, o, nil); err != nil {
		return fmt.Errorf("renewing the lease: %w", err)
	}
	return nil
}
