package exemption

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWarnings(t *testing.T) {
	const (
		long   = "spec.expires: 2030-01-31T12:00:00Z is more than a year away: choose an earlier time, by which somebody looks at it again"
		reach  = "spec.objects: no namespace is named, so that such objects are exempt in all, whoever makes them: name them in spec.objects.namespaces"
		whole  = `spec.controls[0]: "namespace-network-policy" is about namespaces, of which none is exempt: name them by namespaces or names alone, and Namespace among the kinds if there are any`
		nodes  = "{controls: [su-restricted], nodes: {selector: {}}"
		before = -30 * 24 * time.Hour
	)
	objects := func(objects string) string { return "{controls: [privileged], objects: {" + objects + "}" }
	tests := map[string]struct {
		spec string
		at   time.Duration // after its end
		want []string
	}{
		"one that is to come":                  {nodes, -8 * 24 * time.Hour, nil},
		"within a week":                        {nodes, -time.Second, []string{"spec.expires: 2030-01-31T12:00:00Z is within a week"}},
		"ended":                                {nodes, 0, []string{"spec.expires: 2030-01-31T12:00:00Z has passed: nothing is exempt"}},
		"ended, and more":                      {objects("kinds: [Deploment]"), 0, []string{"spec.expires: 2030-01-31T12:00:00Z has passed: nothing is exempt"}},
		"a year":                               {nodes, -365 * 24 * time.Hour, nil},
		"a year and a second":                  {nodes, -365*24*time.Hour - time.Second, []string{long}},
		"all that it needs":                    {objects("namespaces: [shop], kinds: [Deployment, ReplicaSet, Pod], names: [web, 'web-*'], fieldPaths: ['spec.template.spec.volumes[*]', 'spec.volumes[*]']"), before, nil},
		"a kind that is none":                  {objects("namespaces: [shop], kinds: [Deploment]"), before, []string{`spec.objects.kinds[0]: no control is about "Deploment", did you mean "Deployment"?`}},
		"a kind of another group":              {objects("namespaces: [shop], kinds: [Pod, Job.bach]"), before, []string{`spec.objects.kinds[1]: no control is about "Job.bach", did you mean "Job.batch"?`}},
		"a core kind with a group":             {objects("namespaces: [shop], kinds: [Pod.v1]"), before, []string{`spec.objects.kinds[0]: no control is about "Pod.v1", did you mean "Pod"?`}},
		"nodes are elsewhere":                  {objects("kinds: [Node], namespaces: [shop]"), before, []string{"spec.objects.kinds[0]: nodes are exempt by spec.nodes"}},
		"any kind may stand in default":        {"{controls: [default-namespace], objects: {namespaces: [default], kinds: [Widget.example.com]}", before, nil},
		"no namespace":                         {objects("kinds: [Pod]"), before, []string{reach}},
		"an image anywhere":                    {objects("images: [registry.example.com/mesh/proxy]"), before, []string{reach}},
		"an account anywhere":                  {objects("serviceAccounts: [shop/web, web]"), before, []string{reach}},
		"accounts of namespaces":               {objects("serviceAccounts: [shop/web, mesh/proxy]"), before, nil},
		"what is in no namespace":              {objects("kinds: [ClusterRole, ClusterRoleBinding.rbac.authorization.k8s.io], names: ['team-*']"), before, nil},
		"a Namespace by its name":              {objects("kinds: [ClusterRole, Namespace], names: [shop]"), before, nil},
		"every ClusterRole":                    {objects("kinds: [ClusterRole, Namespace]"), before, []string{"spec.objects: every object of these kinds is exempt: name them in spec.objects.names"}},
		"every ClusterRole, by a pattern":      {objects("kinds: [ClusterRole], names: [shop, '*']"), before, []string{"spec.objects: every object of these kinds is exempt: name them in spec.objects.names"}},
		"what a person decides":                {"{controls: [privileged, cni-network-policy], objects: {namespaces: [shop]}", before, []string{`spec.controls[1]: a person decides on "cni-network-policy": nothing fails it, and nothing is exempt from it`}},
		"a namespace without network policies": {"{controls: [namespace-network-policy, privileged], objects: {namespaces: [shop], kinds: [Pod, Namespace]}", before, nil},
		"pods without network policies":        {"{controls: [namespace-network-policy], objects: {namespaces: [shop], kinds: [Pod]}", before, []string{whole}},
		"images without network policies":      {"{controls: [namespace-network-policy], objects: {namespaces: [shop], images: [registry.example.com/web]}", before, []string{whole}},
		"roles, and those of the cluster":      {objects("kinds: [ClusterRole, Role]"), before, []string{reach}},
		"namespaces of what is in none":        {objects("namespaces: [shop], kinds: [Role, ClusterRole]"), before, []string{"spec.objects.kinds[1]: a ClusterRole is in no namespace, and none is exempt while spec.objects.namespaces is given"}},
		"a Namespace is in itself":             {objects("namespaces: [shop], kinds: [Namespace]"), before, nil},
		"a Deployment alone":                   {objects("namespaces: [shop], kinds: [Deployment]"), before, []string{"spec.objects.kinds[0]: what a Deployment makes is judged by itself and not exempt: add ReplicaSet and Pod"}},
		"a Deployment without what is between": {objects("namespaces: [shop], kinds: [Pod, Deployment.apps]"), before, []string{"spec.objects.kinds[1]: what a Deployment makes is judged by itself and not exempt: add ReplicaSet"}},
		"a CronJob alone":                      {objects("namespaces: [shop], kinds: [CronJob.batch]"), before, []string{"spec.objects.kinds[0]: what a CronJob makes is judged by itself and not exempt: add Job and Pod"}},
		"exact names":                          {objects("namespaces: [shop], kinds: [StatefulSet, Pod], names: [db, cache, 'cache-*']"), before, []string{`spec.objects.names[0]: what a StatefulSet makes has a longer name and is not exempt: add "db-*"`}},
		"exact names of pods":                  {objects("namespaces: [shop], kinds: [Pod], names: [db-0]"), before, nil},
		"fields of pods":                       {objects("namespaces: [shop], kinds: [DaemonSet, Pod], fieldPaths: ['spec.volumes[*]']"), before, []string{"spec.objects.kinds[0]: none of spec.objects.fieldPaths is a field of a DaemonSet, whose pod is at spec.template.spec"}},
		"fields of templates":                  {objects("namespaces: [shop], kinds: [DaemonSet, Pod], fieldPaths: ['spec.template.spec.volumes[*]']"), before, []string{"spec.objects.kinds[1]: none of spec.objects.fieldPaths is a field of a Pod, whose pod is at spec"}},
		"fields of both":                       {objects("namespaces: [shop], kinds: [DaemonSet, Pod], fieldPaths: [spec]"), before, nil},
		"fields of the object":                 {"{controls: [default-namespace], objects: {namespaces: [default], kinds: [Pod], fieldPaths: [metadata.namespace]}", before, nil},
		"more than one":                        {objects("kinds: [Deploment]"), before, []string{`spec.objects.kinds[0]: no control is about "Deploment", did you mean "Deployment"?`, reach}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e := read(t, tt.spec+because)
			if diff := cmp.Diff(tt.want, Warnings(e, expiry.Add(tt.at))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
