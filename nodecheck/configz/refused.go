package configz

import (
	"fmt"
	"net/http"
)

// Refused is the error where it was the kubelet that answered, and it does not tell. That
// lasts: it is not a kubelet that is starting.
type Refused struct {
	Status int // of HTTP
}

func (e *Refused) Error() string {
	return fmt.Sprintf("asking the kubelet: it answers %d %s", e.Status, http.StatusText(e.Status))
}

// Means is the answer in short, as findings have it.
func (e *Refused) Means() string {
	switch e.Status {
	case http.StatusForbidden:
		return "it answers 403, as kubelets before 1.33 do"
	case http.StatusUnauthorized:
		return "it answers 401: it takes no tokens"
	case http.StatusNotFound:
		return "it answers 404: it does not serve it"
	}
	return fmt.Sprintf("it answers %d", e.Status)
}

// Remedy is what a person can do about it.
func (e *Refused) Remedy() string {
	switch e.Status {
	case http.StatusForbidden:
		return "a kubelet before 1.33 wants the right nodes/proxy for this, which would let the agent run commands in every pod: " +
			"do not grant it, its files are judged until the node is upgraded. A newer one wants nodes/configz, which hardgate's role grants"
	case http.StatusUnauthorized:
		return "turn authentication.webhook.enabled of the kubelet on, or its files are judged"
	case http.StatusNotFound:
		return "turn enableDebuggingHandlers of the kubelet on, or its files are judged"
	}
	return "look at the kubelet's log; until it tells, its files are judged"
}
