package exemption

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
)

const because = ", reason: r, owner: o, expires: '2030-01-31T12:00:00Z'}"

var expiry = time.Date(2030, 1, 31, 12, 0, 0, 0, time.UTC)

func text(t *testing.T, spec string) []byte {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte("apiVersion: hardgate.dev/v1alpha1\nkind: Exemption\nmetadata: {name: e}\nspec: " + spec))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func read(t *testing.T, spec string) *v1alpha1.Exemption {
	t.Helper()
	e, err := Read(text(t, spec))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// exemptables are the ids of what can be exempt.
func exemptables() (ids []string) {
	for _, c := range control.All() {
		if _, err := exemptable(string(c.ID)); err == nil {
			ids = append(ids, string(c.ID))
		}
	}
	return ids
}

func TestReadRefuses(t *testing.T) {
	tests := map[string]struct {
		spec string
		want []string
	}{
		"nothing said": {`{}`, []string{
			"spec.controls: no control is named", "spec.reason: say why", "spec.owner: say who answers for it",
			"spec.expires: say when it ends, as 2030-01-31T00:00:00Z", "spec.nodes: say which nodes, by names or by selector",
		}},
		"unknown control": {"{controls: [nothing-like-it], nodes: {selector: {}}" + because, []string{`spec.controls[0]: no control "nothing-like-it" is judged on nodes or objects` + control.Hint("nothing-like-it", exemptables())}},
		"workload control": {"{controls: [privileged], nodes: {selector: {}}" + because, []string{
			`spec.controls[0]: control "privileged" judges workloads: say which objects in spec.objects`, "spec.nodes: none of the controls judges nodes",
		}},
		"node control of objects": {"{controls: [su-restricted], objects: {kinds: [Pod]}" + because, []string{
			`spec.controls[0]: control "su-restricted" judges nodes: say which in spec.nodes`, "spec.objects: none of the controls judges objects",
		}},
		"no object":    {"{controls: [privileged], objects: {}" + because, []string{"spec.objects: say which objects, by namespaces, kinds, names, serviceAccounts or images"}},
		"fields alone": {"{controls: [privileged], objects: {fieldPaths: [spec]}" + because, []string{"spec.objects: say which objects, by namespaces, kinds, names, serviceAccounts or images"}},
		"a pattern of namespaces": {"{controls: [privileged], objects: {namespaces: ['team-*']}" + because, []string{
			`spec.objects.namespaces[0]: "team-*" is no name of a namespace; patterns are not taken, since tenants may choose names`,
		}},
		"any registry": {"{controls: [privileged], objects: {images: ['*/web', 'web*', registry.example.com/web, 'registry.example.com/*']}" + because, []string{
			`spec.objects.images[0]: "*/web" has a "*" that is not "/*" at its end: it could mean what others may name`,
			`spec.objects.images[1]: "web*" has a "*" that is not "/*" at its end: it could mean what others may name`,
		}},
		"no images": {"{controls: [privileged], objects: {images: ['https://registry.example.com/web', registry.example.com/team/, \"web\\n\", registry.example.com/web]}" + because, []string{
			`spec.objects.images[0]: "https://registry.example.com/web" has a scheme: write the image as containers do`,
			`spec.objects.images[1]: "registry.example.com/team/" is no image: write "registry.example.com/team/*" for all below it`,
			`spec.objects.images[2]: "web\n" is no image`,
		}},
		"other slips": {"{controls: [privileged], objects: {kinds: [pods], names: [''], serviceAccounts: [a/b/c], fieldPaths: ['spec.containers[web]']}" + because, []string{
			`spec.objects.kinds[0]: "pods" is no kind: write "Pod"`,
			`spec.objects.names[0]: "" is no name of an object`,
			`spec.objects.serviceAccounts[0]: "a/b/c" is no account: write its name, or "namespace/name"`,
			`spec.objects.fieldPaths[0]: "spec.containers[web]" is no field: write it as messages do, "[*]" for any index`,
		}},
		"kinds in other spellings": {"{controls: [privileged], objects: {kinds: [deployment, deployments, Deployments, CronJOB, cronjobs.batch, Deployment.Apps, clusterroles, widgets, Pods.example.com, Deployment]}" + because, []string{
			`spec.objects.kinds[0]: "deployment" is no kind: write "Deployment"`,
			`spec.objects.kinds[1]: "deployments" is no kind: write "Deployment"`,
			`spec.objects.kinds[2]: "Deployments" is no kind: write "Deployment"`,
			`spec.objects.kinds[3]: "CronJOB" is no kind: write "CronJob"`,
			`spec.objects.kinds[4]: "cronjobs.batch" is no kind: write "CronJob.batch"`,
			`spec.objects.kinds[5]: "Deployment.Apps" is no kind: write "Deployment.apps"`,
			`spec.objects.kinds[6]: "clusterroles" is no kind: write "ClusterRole"`,
			`spec.objects.kinds[7]: "widgets" is no kind: write "Deployment" or "Deployment.apps"`,
		}},
		"a space for why":  {"{controls: [su-restricted], nodes: {selector: {}}, reason: ' ', owner: o, expires: '2030-01-31T12:00:00Z'}", []string{"spec.reason: say why"}},
		"no node":          {"{controls: [su-restricted], nodes: {}" + because, []string{"spec.nodes: say which nodes, by names or by selector"}},
		"no name of any":   {"{controls: [su-restricted], nodes: {names: []}" + because, []string{"spec.nodes: say which nodes, by names or by selector"}},
		"names of no node": {"{controls: [su-restricted], nodes: {names: [n1, N2, '', 'n*']}" + because, []string{`spec.nodes.names[1]: "N2" is no name of a node`, `spec.nodes.names[2]: "" is no name of a node`, `spec.nodes.names[3]: "n*" is no name of a node`}},
		"selector":         {"{controls: [su-restricted], nodes: {selector: {matchExpressions: [{key: a, operator: Is}]}}" + because, []string{`spec.nodes.selector: "Is" is not a valid label selector operator`}},
		"unknown fields": {"{control: [x], controls: [su-restricted], nodes: {name: a, selector: {}}" + because, []string{
			`spec.control: unknown field, did you mean "controls"?`, `spec.nodes.name: unknown field, did you mean "names"?`,
		}},
		"a day": {"{controls: [su-restricted], nodes: {selector: {}}, reason: r, owner: o, expires: '2030-01-31'}", []string{
			`spec.expires: "2030-01-31" is no time such as 2030-01-31T00:00:00Z`, "spec.expires: say when it ends, as 2030-01-31T00:00:00Z",
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e, err := Read(text(t, tt.spec))
			if err == nil || e != nil {
				t.Fatalf("taken: %+v", e)
			}
			if diff := cmp.Diff(tt.want, strings.Split(err.Error(), "\n")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
