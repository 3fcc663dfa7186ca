package workload

import (
	"fmt"
	"slices"
)

// location is where a kind keeps its pod spec.
type location struct {
	path     []string // names on the way from the object to the spec
	at       string   // the same, joined
	versions []string // API versions that have had this layout
}

var (
	inPod      = []string{"spec"}
	inTemplate = []string{"template", "spec"}
	inSpec     = []string{"spec", "template", "spec"}
	inJob      = []string{"spec", "jobTemplate", "spec", "template", "spec"}
)

// locations has every kind of the API server that carries a pod, by group and
// kind. Versions that servers no longer serve are judged too: manifests keep them.
var locations = map[Kind]location{
	{Group: "", Kind: "Pod"}:                   {inPod, "spec", []string{"v1"}},
	{Group: "", Kind: "PodTemplate"}:           {inTemplate, "template.spec", []string{"v1"}},
	{Group: "", Kind: "ReplicationController"}: {inSpec, "spec.template.spec", []string{"v1"}},
	{Group: "apps", Kind: "Deployment"}:        {inSpec, "spec.template.spec", []string{"v1", "v1beta2", "v1beta1"}},
	{Group: "apps", Kind: "ReplicaSet"}:        {inSpec, "spec.template.spec", []string{"v1", "v1beta2"}},
	{Group: "apps", Kind: "StatefulSet"}:       {inSpec, "spec.template.spec", []string{"v1", "v1beta2", "v1beta1"}},
	{Group: "apps", Kind: "DaemonSet"}:         {inSpec, "spec.template.spec", []string{"v1", "v1beta2"}},
	{Group: "extensions", Kind: "Deployment"}:  {inSpec, "spec.template.spec", []string{"v1beta1"}},
	{Group: "extensions", Kind: "ReplicaSet"}:  {inSpec, "spec.template.spec", []string{"v1beta1"}},
	{Group: "extensions", Kind: "DaemonSet"}:   {inSpec, "spec.template.spec", []string{"v1beta1"}},
	{Group: "batch", Kind: "Job"}:              {inSpec, "spec.template.spec", []string{"v1"}},
	{Group: "batch", Kind: "CronJob"}:          {inJob, "spec.jobTemplate.spec.template.spec", []string{"v1", "v1beta1", "v2alpha1"}},
}

// locate returns where the kind keeps its pod spec; ok is false for kinds that
// have none. A version that the kind never had is an error: its layout is not known.
func locate(k Kind) (where location, ok bool, err error) {
	where, ok = locations[Kind{Group: k.Group, Kind: k.Kind}]
	if !ok {
		return location{}, false, nil
	}
	if slices.Contains(where.versions, k.Version) {
		return where, true, nil
	}
	return location{}, false, fmt.Errorf("unknown version %q of %s", k.APIVersion(), k.Kind)
}

// IsWorkload is whether objects of the kind carry a pod.
func IsWorkload(k Kind) bool {
	_, ok := locations[Kind{Group: k.Group, Kind: k.Kind}]
	return ok
}
