package ruling

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
)

const everything = `{nodeSelector: {matchLabels: {a: b}, matchExpressions: [{key: c, operator: In, values: [d]}]},
	benchmark: ubuntu, level: L1, mode: Enforce, controls: [{id: mod-unnecessary, mode: Warn, parameters: {unnecessaryModules: [tipc, x-y_z]}}, {id: su-restricted}],
	effect: NoExecute, gracePeriod: 0s, clearAfter: 1m, minimumDwell: 1h30m, staleAfter: 15m, stale: Warn,
	budget: {cluster: 0, pool: "100%", correlation: 7}, controlPlane: true, untrustedUntilChecked: true}`

func TestReadPolicy(t *testing.T) {
	tests := map[string]struct {
		spec string
		want []string
	}{
		"nothing":           {`{}`, nil},
		"everything":        {everything, nil},
		"nulls":             {`{nodeSelector: null, gracePeriod: null, budget: {cluster: null}, controls: null}`, nil},
		"empty parameters":  {`{controls: [{id: su-restricted, parameters: {}}]}`, nil},
		"unknown control":   {`{controls: [{id: su-restrict}]}`, []string{`spec.controls[0].id: no control "su-restrict" is judged on nodes, did you mean "su-restricted"?`}},
		"workload control":  {`{controls: [{id: host-ports}]}`, []string{`spec.controls[0].id: control "host-ports" judges workloads: see WorkloadPolicy`}},
		"control twice":     {`{controls: [{id: su-restricted}, {id: umask-default}, {id: su-restricted}]}`, []string{`spec.controls[2].id: control "su-restricted" is set twice`}},
		"benchmark":         {`{benchmark: cis-kubernetes-1.8}`, []string{`spec.benchmark: unknown benchmark "cis-kubernetes-1.8", did you mean "cis-kubernetes-1.8.0"?`}},
		"level":             {`{level: L3}`, []string{`spec.level: unknown value "L3", did you mean "L1"?`}},
		"modes":             {`{mode: enforce, controls: [{id: su-restricted, mode: Reject}]}`, []string{`spec.mode: unknown mode "enforce", did you mean "Enforce"?`, `spec.controls[0].mode: unknown mode "Reject": use one of Off, Audit, Warn, Enforce`}},
		"effect":            {`{effect: PreferNoSchedule}`, []string{`spec.effect: unknown value "PreferNoSchedule", did you mean "NoSchedule"?`}},
		"stale":             {`{stale: keep}`, []string{`spec.stale: unknown value "keep", did you mean "Keep"?`}},
		"durations":         {`{gracePeriod: -1s, clearAfter: -1m, minimumDwell: -1h, staleAfter: 14m}`, []string{"spec.gracePeriod: -1s is less than 0s", "spec.clearAfter: -1m0s is less than 0s", "spec.minimumDwell: -1h0m0s is less than 0s", "spec.staleAfter: 14m0s is less than 15m0s"}},
		"no durations":      {`{gracePeriod: 5 minutes, clearAfter: 300, mode: Wran}`, []string{"spec.clearAfter: a number cannot stand here", `spec.gracePeriod: "5 minutes" is no duration such as 90s, 5m or 1h30m`, `spec.mode: unknown mode "Wran", did you mean "Warn"?`}},
		"budget":            {`{budget: {correlation: ten, pool: 101%, cluster: -1}}`, []string{"spec.budget.cluster: -1 is less than none", `spec.budget.pool: "101%" is neither a number of nodes nor a percentage such as 10%`, `spec.budget.correlation: "ten" is neither a number of nodes nor a percentage such as 10%`}},
		"budget, a float":   {`{budget: {cluster: 1.5}}`, []string{"spec.budget.cluster: a number 1.5 cannot stand here"}},
		"budget, a list":    {`{budget: {pool: [1]}}`, []string{"spec.budget.pool: an array cannot stand here"}},
		"selector":          {`{nodeSelector: {matchExpressions: [{key: a, operator: In}]}}`, []string{"spec.nodeSelector: values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty"}},
		"parameter of none": {`{controls: [{id: su-restricted, parameters: {unnecessaryModules: [tipc]}}]}`, []string{`spec.controls[0].parameters.unnecessaryModules: control "su-restricted" takes no parameters, mod-unnecessary reads this one`}},
		"modules":           {`{controls: [{id: mod-unnecessary, parameters: {unnecessaryModules: ["install tipc /bin/true", tipc, ""]}}]}`, []string{`spec.controls[0].parameters.unnecessaryModules[0]: "install tipc /bin/true" is no name of a kernel module`, `spec.controls[0].parameters.unnecessaryModules[2]: "" is no name of a kernel module`}},
		"unknown fields": {`{nodeSelecter: {}, mod: Warn, gracePriod: 1m, budget: {clusters: 1}, controls: [{id: su-restricted, modes: Warn}]}`, []string{
			`spec.budget.clusters: unknown field, did you mean "cluster"?`, `spec.controls[0].modes: unknown field, did you mean "mode"?`,
			`spec.gracePriod: unknown field, did you mean "gracePeriod"?`, `spec.mod: unknown field, did you mean "mode"?`, `spec.nodeSelecter: unknown field, did you mean "nodeSelector"?`,
		}},
		"bare Off": {`{mode: Off}`, []string{`spec.mode: a bool cannot stand here: YAML takes a bare Off for false, write "Off" in quotes`}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, err := ReadPolicy(text(t, "NodePolicy", "a", tt.spec))
			if len(tt.want) == 0 {
				if err != nil || p == nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if err == nil || p != nil {
				t.Fatalf("taken: %+v", p)
			}
			if diff := cmp.Diff(tt.want, strings.Split(err.Error(), "\n")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadPolicyDocument(t *testing.T) {
	for name, tt := range map[string]struct{ text, err string }{
		"another kind":     {`{"apiVersion":"hardgate.dev/v1alpha1","kind":"WorkloadPolicy","spec":{}}`, "hardgate.dev/v1alpha1 WorkloadPolicy where hardgate.dev/v1alpha1 NodePolicy should be"},
		"name given twice": {`{"apiVersion":"hardgate.dev/v1alpha1","kind":"NodePolicy","spec":{"mode":"Off","mode":"Enforce"}}`, `offset 85: the name "mode" is given twice`},
		"not JSON":         {`mode: Off`, "offset 0: 'm' where a value should be"},
	} {
		t.Run(name, func(t *testing.T) {
			if p, err := ReadPolicy([]byte(tt.text)); err == nil || err.Error() != tt.err || p != nil {
				t.Errorf("error %v, want %s", err, tt.err)
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	const (
		evicts   = "spec.effect: NoExecute evicts what runs on a node as soon as it is tainted; NoSchedule keeps only new pods away"
		noGrace  = "spec.gracePeriod: without one, the first nodes are tainted before it is seen that many fail at once"
		noLevel  = "spec.level: it says which controls spec.mode is for, and there is no spec.mode"
		noBudget = "spec.budget.cluster: with 0 no node is ever tainted, whatever is enforced"
		noPool   = "spec.budget.pool: with 0% no node is ever tainted, whatever is enforced"
	)
	tests := map[string]struct {
		spec string
		want []string
	}{
		"nothing":               {`{}`, nil},
		"enforced":              {`{mode: Enforce}`, nil},
		"evicts":                {`{mode: Enforce, effect: NoExecute}`, []string{evicts}},
		"evicts, one control":   {`{controls: [{id: su-restricted, mode: Enforce}], effect: NoExecute}`, []string{evicts}},
		"evicts, silent agents": {`{stale: Enforce, effect: NoExecute}`, []string{evicts}},
		"would evict":           {`{mode: Warn, effect: NoExecute}`, nil},
		"no budget":             {`{mode: Enforce, budget: {cluster: 0, pool: 0%}}`, []string{noBudget, noPool}},
		"a small budget":        {`{mode: Enforce, budget: {cluster: 1, pool: 1%, correlation: 0}}`, nil},
		"no budget, no need":    {`{mode: Warn, budget: {cluster: 0}}`, nil},
		"no grace":              {`{mode: Enforce, gracePeriod: 0s}`, []string{noGrace}},
		"no grace, no need":     {`{mode: Audit, gracePeriod: 0s}`, nil},
		"level alone":           {`{level: L1, benchmark: ubuntu, controls: [{id: su-restricted, mode: Enforce}]}`, []string{noLevel}},
		"level":                 {`{level: L1, mode: Audit}`, nil},
		"all of it":             {everything, []string{evicts, noGrace, noBudget}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, err := ReadPolicy(text(t, "NodePolicy", "a", tt.spec))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, Warnings(p)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever is taken can be compiled and asked; whatever is not is an error.
func FuzzReadPolicy(f *testing.F) {
	for _, spec := range []string{
		`{}`, `{"mode":"Enforce","level":"L1","benchmark":"1.8"}`, `{"budget":{"cluster":"10%","pool":3},"gracePeriod":"5m","stale":"Warn"}`,
		`{"nodeSelector":{"matchExpressions":[{"key":"a","operator":"In","values":["b"]}]},"controls":[{"id":"mod-unnecessary","mode":"Off","parameters":{"unnecessaryModules":["a"]}}]}`,
	} {
		f.Add([]byte(`{"apiVersion":"hardgate.dev/v1alpha1","kind":"NodePolicy","metadata":{"name":"a"},"spec":` + spec + `}`))
	}
	f.Add([]byte(`{"apiVersion":"hardgate.dev/v1alpha1","kind":"Exemption","spec":{"controls":["su-restricted"],"expires":"x"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ReadPolicy(data)
		if (p == nil) == (err == nil) {
			t.Fatalf("%+v, %v", p, err)
		}
		if err != nil {
			return
		}
		if !json.Valid(data) {
			t.Error("taken, and no JSON")
		}
		book, errs := Compile([]v1alpha1.NodePolicy{*p})
		if len(errs) > 0 {
			t.Errorf("taken, and not compiled: %v", errs)
		}
		rules := book.For(labels.Set{"a": "b"})
		if rules.Grace < 0 || rules.Stale < control.Audit || rules.Effect == "" {
			t.Errorf("%+v", rules)
		}
		for _, l := range append(rules.Budget.Cluster, rules.Budget.Pool...) {
			if n := l.Of(10); n < 0 || n > 10 {
				t.Errorf("%+v of 10 is %d", l, n)
			}
		}
		_ = Warnings(p)
	})
}
