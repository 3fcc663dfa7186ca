package ruling

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
)

const because = ", reason: r, owner: o, expires: '2030-01-31T12:00:00Z'}"

var expiry = time.Date(2030, 1, 31, 12, 0, 0, 0, time.UTC)

func exemption(t *testing.T, spec string) *v1alpha1.Exemption {
	t.Helper()
	e, err := ReadExemption(text(t, "Exemption", "e", spec))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestExemptionApplies(t *testing.T) {
	const id control.ID = "su-restricted"
	before := expiry.Add(-time.Second)
	tests := map[string]struct {
		spec string
		id   control.ID
		node string
		has  labels.Set
		at   time.Time
		want bool
	}{
		"by name":           {"{controls: [su-restricted], nodes: {names: [n1, n2]}" + because, id, "n2", nil, before, true},
		"another name":      {"{controls: [su-restricted], nodes: {names: [n1]}" + because, id, "n11", nil, before, false},
		"another control":   {"{controls: [su-restricted], nodes: {names: [n1]}" + because, "umask-default", "n1", nil, before, false},
		"by selector":       {"{controls: [umask-default, su-restricted], nodes: {selector: {matchLabels: {pool: old}}}" + because, id, "n1", labels.Set{"pool": "old"}, before, true},
		"not selected":      {"{controls: [su-restricted], nodes: {selector: {matchLabels: {pool: old}}}" + because, id, "n1", labels.Set{"pool": "new"}, before, false},
		"by either":         {"{controls: [su-restricted], nodes: {names: [n1], selector: {matchLabels: {pool: old}}}" + because, id, "n1", nil, before, true},
		"every node":        {"{controls: [su-restricted], nodes: {selector: {}}" + because, id, "n1", nil, before, true},
		"names and no more": {"{controls: [su-restricted], nodes: {names: [n1]}" + because, id, "n2", labels.Set{"pool": "old"}, before, false},
		"the last moment":   {"{controls: [su-restricted], nodes: {selector: {}}" + because, id, "n1", nil, expiry.Add(-time.Nanosecond), true},
		"the second itself": {"{controls: [su-restricted], nodes: {selector: {}}" + because, id, "n1", nil, expiry, false},
		"afterwards":        {"{controls: [su-restricted], nodes: {selector: {}}" + because, id, "n1", nil, expiry.Add(time.Hour), false},
		"another time zone": {
			"{controls: [su-restricted], nodes: {selector: {}}, reason: r, owner: o, expires: '2030-01-31T12:00:00+02:00'}", id, "n1", nil, expiry.Add(-2 * time.Hour), false,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			list, errs := CompileExemptions([]v1alpha1.Exemption{*exemption(t, tt.spec)})
			if len(errs) > 0 || len(list) != 1 {
				t.Fatalf("%v, %v", list, errs)
			}
			if got := list[0].Applies(tt.id, tt.node, tt.has, tt.at); got != tt.want {
				t.Errorf("%t, want %t", got, tt.want)
			}
		})
	}
}

// An exemption that is not understood exempts nothing; the others do.
func TestCompileExemptionsGoesOn(t *testing.T) {
	good := exemption(t, "{controls: [su-restricted], nodes: {selector: {}}"+because)
	bad := good.DeepCopy()
	bad.Name = "bad"
	bad.Spec.Controls = []string{"su-restricted", "su-restrictd"}
	list, errs := CompileExemptions([]v1alpha1.Exemption{*bad, *good})
	if len(list) != 1 || list[0].Name != "e" {
		t.Errorf("%+v", list)
	}
	const want = `Exemption bad: spec.controls[1]: no control "su-restrictd" is judged on nodes, did you mean "su-restricted"?`
	if len(errs) != 1 || errs[0].Error() != want {
		t.Errorf("%v, want %s", errs, want)
	}
}

func TestReadExemptionRefuses(t *testing.T) {
	tests := map[string]struct {
		spec string
		want []string
	}{
		"nothing said": {`{}`, []string{
			"spec.controls: no control is named", "spec.reason: say why", "spec.owner: say who answers for it",
			"spec.expires: say when it ends, as 2030-01-31T00:00:00Z", "spec.nodes: say which nodes, by names or by selector",
		}},
		"unknown control":  {"{controls: [nothing-like-it], nodes: {selector: {}}" + because, []string{`spec.controls[0]: no control "nothing-like-it" is judged on nodes` + hint("nothing-like-it")}},
		"workload control": {"{controls: [privileged], nodes: {selector: {}}" + because, []string{`spec.controls[0]: control "privileged" judges workloads: see WorkloadPolicy`}},
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
			e, err := ReadExemption(text(t, "Exemption", "e", tt.spec))
			if err == nil || e != nil {
				t.Fatalf("taken: %+v", e)
			}
			if diff := cmp.Diff(tt.want, strings.Split(err.Error(), "\n")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestExemptionWarnings(t *testing.T) {
	e := exemption(t, "{controls: [su-restricted], nodes: {selector: {}}"+because)
	if got := ExemptionWarnings(e, expiry.Add(-time.Second)); len(got) > 0 {
		t.Errorf("one that is to come is warned of: %q", got)
	}
	want := []string{"spec.expires: 2030-01-31T12:00:00Z has passed: nothing is exempt"}
	if diff := cmp.Diff(want, ExemptionWarnings(e, expiry)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
