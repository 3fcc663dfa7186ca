package ruling

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/exemption"
)

const because = ", reason: r, owner: o, expires: '2030-01-31T12:00:00Z'}"

var expiry = time.Date(2030, 1, 31, 12, 0, 0, 0, time.UTC)

func exempt(t *testing.T, spec string) *v1alpha1.Exemption {
	t.Helper()
	e, err := exemption.Read(text(t, "Exemption", "e", spec))
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
			list, errs := CompileExemptions([]v1alpha1.Exemption{*exempt(t, tt.spec)})
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
	good := exempt(t, "{controls: [su-restricted], nodes: {selector: {}}"+because)
	bad := good.DeepCopy()
	bad.Name = "bad"
	bad.Spec.Controls = []string{"su-restricted", "su-restrictd"}
	list, errs := CompileExemptions([]v1alpha1.Exemption{*bad, *good})
	if len(list) != 1 || list[0].Name != "e" {
		t.Errorf("%+v", list)
	}
	const want = `Exemption bad: spec.controls[1]: no control "su-restrictd" is judged on nodes or objects, did you mean "su-restricted"?`
	if len(errs) != 1 || errs[0].Error() != want {
		t.Errorf("%v, want %s", errs, want)
	}
}
