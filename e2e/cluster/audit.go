package cluster

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/hardgate-dev/hardgate/e2e/pki"
)

const auditPolicyFile = "audit-policy.yaml"

// auditPolicy keeps every write, and of it who, what and the annotations that
// admission adds, but no object: Secrets never reach the log.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  verbs: [get, list, watch]
- level: None
  resources:
  - group: ""
    resources: [events]
  - group: events.k8s.io
    resources: [events]
  - group: coordination.k8s.io
    resources: [leases]
- level: Metadata
`

func (c *Cluster) writeAuditPolicy() error {
	return pki.Write(c.path("pki"), map[string][]byte{auditPolicyFile: []byte(auditPolicy)})
}

func (c *Cluster) auditLog() string { return c.path("logs", "audit.jsonl") }

// AuditEvent is the part of an audit.k8s.io/v1 Event that tests look at.
type AuditEvent struct {
	Verb string `json:"verb"`
	// RequestURI has the parameters of the request, "?dryRun=All" among them.
	RequestURI string `json:"requestURI"`
	User       struct {
		Username string `json:"username"`
		// Extra has what a token is bound to.
		Extra map[string][]string `json:"extra"`
	} `json:"user"`
	ObjectRef struct {
		Resource    string `json:"resource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
		Subresource string `json:"subresource"`
	} `json:"objectRef"`
	ResponseStatus struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
	Annotations map[string]string `json:"annotations"`
}

// AuditEvents reads the audit log: one event for each write that the API server
// has answered, in the order of the answers. The server writes an event before
// it answers, so that a client finds its own requests there.
func (c *Cluster) AuditEvents() ([]AuditEvent, error) {
	text, err := os.ReadFile(c.auditLog())
	if err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	var events []AuditEvent
	for line := range bytes.Lines(text) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break // being written, for another request
		}
		var e AuditEvent
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("reading the audit log, line %d: %w", len(events)+1, err)
		}
		events = append(events, e)
	}
	return events, nil
}
