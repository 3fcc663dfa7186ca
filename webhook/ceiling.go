package webhook

import (
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/review"
)

const (
	nodesGroup     = "system:nodes"
	nodePrefix     = "system:node:"
	accountMaker   = "system:serviceaccount:kube-system:service-account-controller"
	controllerName = "system:kube-controller-manager"
)

// ceiling is the strictest mode for a request. There are two that a denial would
// harm and not help:
//
//   - the mirror of a static pod, made by the node that runs the pod: the pod runs
//     whatever the answer, a denial would only hide it. The API server ties a node's
//     mirrors to the node itself. Anybody else's "mirror" is a pod like any other;
//   - the account "default" of a new namespace, made by the controller manager:
//     without it no pod could start there. It is repaired, not refused.
func ceiling(r *review.Request) control.Mode {
	switch o := r.Workload; {
	case o.Pod != nil && o.Mirror && !o.Pod.Template && madeByNode(r):
		return control.Warn
	case o.ServiceAccount != nil && r.Operation == review.Create && madeByAccountController(r.User):
		return control.Warn
	}
	return control.Enforce
}

func madeByNode(r *review.Request) bool {
	name, isNode := strings.CutPrefix(r.User.Name, nodePrefix)
	return isNode && slices.Contains(r.User.Groups, nodesGroup) && name != "" && r.Workload.Pod.NodeName == name
}

// madeByAccountController knows the controller by its own account, or by the
// manager's where it does not use one for each controller.
func madeByAccountController(u review.User) bool {
	return u.Name == accountMaker || u.Name == controllerName
}
