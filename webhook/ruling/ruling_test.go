package ruling

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/resource"
	"github.com/hardgate-dev/hardgate/webhook/policy"
)

// resource reads "name" and a spec in YAML as a user would write it.
func policyResource(t *testing.T, name, spec string) v1alpha1.WorkloadPolicy {
	t.Helper()
	r, err := decodeYAML(t, name, spec)
	if err != nil {
		t.Fatal(err)
	}
	return *r
}

func decodeYAML(t *testing.T, name, spec string) (*v1alpha1.WorkloadPolicy, error) {
	t.Helper()
	text, err := yaml.YAMLToJSON([]byte("apiVersion: hardgate.dev/v1alpha1\nkind: WorkloadPolicy\nmetadata: {name: " + name + "}\nspec: " + spec))
	if err != nil {
		t.Fatal(err)
	}
	return Decode(text)
}

func texts(errs []error) (all []string) {
	for _, err := range errs {
		all = append(all, err.Error())
	}
	return all
}

// forControl is the answer for one control in a namespace; nil where it is Off.
func forControl(b *Book, id control.ID, namespace labels.Set) []Ruling {
	for _, j := range b.For("any", namespace) {
		if j.Policy.ID == id {
			return j.Rulings
		}
	}
	return nil
}

func TestFor(t *testing.T) {
	prod := labels.Set{"env": "prod", "kubernetes.io/metadata.name": "shop"}
	ports := func(ranges ...v1alpha1.PortRange) v1alpha1.Parameters {
		return v1alpha1.Parameters{AllowedHostPorts: ranges}
	}
	tests := map[string]struct {
		specs     map[string]string
		namespace labels.Set
		want      []Ruling // of host-ports
	}{
		"no policy":              {nil, prod, []Ruling{{Mode: control.Warn}}},
		"of another control":     {map[string]string{"a": `{controls: [{id: privileged, mode: Enforce}]}`}, prod, []Ruling{{Mode: control.Warn}}},
		"empty spec":             {map[string]string{"a": `{}`}, prod, []Ruling{{Mode: control.Warn}}},
		"mode for all":           {map[string]string{"a": `{mode: Enforce}`}, prod, []Ruling{{Mode: control.Enforce, Source: "a"}}},
		"mode of the control":    {map[string]string{"a": `{mode: Enforce, controls: [{id: host-ports, mode: Audit}]}`}, prod, []Ruling{{Mode: control.Audit, Source: "a"}}},
		"listed without a mode":  {map[string]string{"a": `{mode: Enforce, controls: [{id: host-ports}]}`}, prod, []Ruling{{Mode: control.Enforce, Source: "a"}}},
		"listed, no mode at all": {map[string]string{"a": `{controls: [{id: host-ports}]}`}, prod, []Ruling{{Mode: control.Warn, Source: "a"}}},
		"parameters without a mode": {
			map[string]string{"a": `{controls: [{id: host-ports, parameters: {allowedHostPorts: [{min: 80, max: 81}]}}]}`},
			prod,
			[]Ruling{{Mode: control.Warn, Source: "a", Parameters: ports(v1alpha1.PortRange{Min: 80, Max: 81})}},
		},
		"off":                   {map[string]string{"a": `{controls: [{id: host-ports, mode: "Off"}]}`}, prod, nil},
		"off for all":           {map[string]string{"a": `{mode: "Off"}`}, prod, nil},
		"off, another says not": {map[string]string{"a": `{mode: "Off"}`, "b": `{mode: Audit}`}, prod, []Ruling{{Mode: control.Audit, Source: "b"}}},
		"off, another is silent": {
			map[string]string{"a": `{mode: "Off"}`, "b": `{controls: [{id: privileged, mode: Enforce}]}`}, prod, nil,
		},
		"the strictest first, each with its parameters": {
			map[string]string{
				"a": `{controls: [{id: host-ports, mode: Audit, parameters: {allowedHostPorts: [{min: 1, max: 1}]}}]}`,
				"b": `{controls: [{id: host-ports, mode: Enforce, parameters: {allowedHostPorts: [{min: 2, max: 2}]}}]}`,
				"c": `{mode: Warn}`,
				"d": `{mode: "Off"}`,
				"e": `{controls: [{id: host-ports, mode: Enforce}]}`,
			},
			prod,
			[]Ruling{
				{Mode: control.Enforce, Source: "b", Parameters: ports(v1alpha1.PortRange{Min: 2, Max: 2})},
				{Mode: control.Enforce, Source: "e"}, // "c" says no more and is milder
				{Mode: control.Audit, Source: "a", Parameters: ports(v1alpha1.PortRange{Min: 1, Max: 1})},
			},
		},
		"selected":           {map[string]string{"a": `{mode: Enforce, namespaceSelector: {matchLabels: {env: prod}}}`}, prod, []Ruling{{Mode: control.Enforce, Source: "a"}}},
		"not selected":       {map[string]string{"a": `{mode: Enforce, namespaceSelector: {matchLabels: {env: dev}}}`}, prod, []Ruling{{Mode: control.Warn}}},
		"empty selector":     {map[string]string{"a": `{mode: Enforce, namespaceSelector: {}}`}, nil, []Ruling{{Mode: control.Enforce, Source: "a"}}},
		"null selector":      {map[string]string{"a": `{mode: Enforce, namespaceSelector: null}`}, nil, []Ruling{{Mode: control.Enforce, Source: "a"}}},
		"labels not known":   {map[string]string{"a": `{mode: Enforce, namespaceSelector: {matchLabels: {env: prod}}}`}, nil, []Ruling{{Mode: control.Warn}}},
		"not in, unlabelled": {map[string]string{"a": `{mode: Enforce, namespaceSelector: {matchExpressions: [{key: env, operator: NotIn, values: [dev]}]}}`}, nil, []Ruling{{Mode: control.Enforce, Source: "a"}}},
		"by name":            {map[string]string{"a": `{mode: Enforce, namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: In, values: [shop, cart]}]}}`}, prod, []Ruling{{Mode: control.Enforce, Source: "a"}}},
		"selected by one of two": {
			map[string]string{"a": `{mode: Enforce, namespaceSelector: {matchLabels: {env: dev}}}`, "b": `{mode: Audit, namespaceSelector: {matchLabels: {env: prod}}}`},
			prod,
			[]Ruling{{Mode: control.Audit, Source: "b"}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var resources []v1alpha1.WorkloadPolicy
			for source, spec := range tt.specs {
				resources = append(resources, policyResource(t, source, spec))
			}
			book, errs := Compile(resources)
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			for range 2 { // the second answer is remembered
				if diff := cmp.Diff(tt.want, forControl(book, "host-ports", tt.namespace)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
			slices.Reverse(resources)
			if book, _ = Compile(resources); !cmp.Equal(tt.want, forControl(book, "host-ports", tt.namespace)) {
				t.Errorf("in another order: %v", forControl(book, "host-ports", tt.namespace))
			}
		})
	}
}

// Without a policy every control is judged that is about objects there, in the
// benchmark's order.
func TestZeroBook(t *testing.T) {
	book := new(Book)
	for _, namespace := range []string{"", "shop", ""} {
		var got, want []control.ID
		for _, j := range book.For(namespace, nil) {
			got = append(got, j.Policy.ID)
			if !cmp.Equal(j.Rulings, []Ruling{{Mode: DefaultMode}}) {
				t.Errorf("%s: %v", j.Policy.ID, j.Rulings)
			}
		}
		for _, p := range policy.All() {
			if c, _ := control.Get(p.ID); c.Scope.Reaches(namespace) {
				want = append(want, p.ID)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || len(got) < 10 || len(got) == len(policy.All()) {
			t.Errorf("in %q (-all +judged):\n%s", namespace, diff)
		}
	}
	if DefaultMode != control.Warn {
		t.Errorf("the default mode is %s", DefaultMode)
	}
}

// Namespaces that other policies select have other answers, whoever asks first, and
// all at once.
func TestAnswersAreNotMixedUp(t *testing.T) {
	const n = 12
	var resources []v1alpha1.WorkloadPolicy
	for i := range n {
		resources = append(resources, policyResource(t, fmt.Sprintf("p%02d", i), fmt.Sprintf(
			`{namespaceSelector: {matchLabels: {l%d: "y"}}, controls: [{id: host-ports, mode: Enforce, parameters: {allowedHostPorts: [{min: %d, max: %d}]}}]}`, i, i+1, i+1)))
	}
	book, errs := Compile(resources)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for bits := range 1 << n {
				if bits%5 == worker {
					continue
				}
				namespace, want := labels.Set{}, []string(nil)
				for i := range n {
					if bits>>i&1 == 1 {
						namespace[fmt.Sprintf("l%d", i)] = "y"
						want = append(want, fmt.Sprintf("p%02d", i))
					}
				}
				var got []string
				for _, r := range forControl(book, "host-ports", namespace) {
					if r.Source != "" {
						got = append(got, r.Source)
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("%v: %v, want %v", namespace, got, want)
					return
				}
			}
		})
	}
	wg.Wait()
}

// What is wrong in one policy leaves the others, and the rest of its own, in force.
func TestCompileGoesOn(t *testing.T) {
	bad := policyResource(t, "bad", `{mode: Enforce, controls: [{id: host-prots, mode: "Off"}, {id: host-pid, mode: Audit}]}`)
	broken := policyResource(t, "broken", `{mode: Enforce}`)
	broken.Spec.NamespaceSelector = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Is"}}}
	unknown := policyResource(t, "unknown", `{}`)
	unknown.Spec.Mode = "enforce"
	good := policyResource(t, "good", `{controls: [{id: privileged, mode: Enforce}]}`)
	book, errs := Compile([]v1alpha1.WorkloadPolicy{good, bad, broken, unknown})
	want := []string{
		`WorkloadPolicy bad: spec.controls[0].id: unknown control "host-prots", did you mean "host-ports"?`,
		`WorkloadPolicy broken: spec.namespaceSelector: "Is" is not a valid label selector operator`,
		`WorkloadPolicy unknown: spec.mode: unknown mode "enforce", did you mean "Enforce"?`,
	}
	if diff := cmp.Diff(want, texts(errs)); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	for id, want := range map[control.ID][]Ruling{
		"host-ports": {{Mode: control.Enforce, Source: "bad"}},
		"host-pid":   {{Mode: control.Audit, Source: "bad"}},
		"privileged": {{Mode: control.Enforce, Source: "bad"}}, // "good" says the same
	} {
		if diff := cmp.Diff(want, forControl(book, id, nil)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
	}
}

func TestValidate(t *testing.T) {
	tests := map[string]struct {
		spec string
		want []string
	}{
		"nothing": {`{}`, nil},
		"everything": {`{mode: Warn, namespaceSelector: {matchLabels: {a: b}}, controls: [
			{id: host-path, mode: Enforce, parameters: {allowedHostPaths: [{pathPrefix: /var/log, readOnly: true}]}},
			{id: host-ports, parameters: {allowedHostPorts: [{min: 1, max: 65535}]}},
			{id: added-capabilities, parameters: {allowedCapabilities: [CHOWN]}},
			{id: assigned-capabilities, parameters: {allowedCapabilities: [CHOWN]}},
			{id: image-provenance, parameters: {allowedRegistries: ["registry.example.com:5000/team/", "*.example.com", "localhost", "[::1]:5000"], requireDigest: false}},
			{id: service-account-token, parameters: {allowedTokenAudiences: [vault]}},
			{id: tainted-node-toleration, parameters: {systemNamespaces: [kube-system]}}]}`, nil},
		"unknown control": {`{controls: [{id: privilegd}]}`, []string{`spec.controls[0].id: unknown control "privilegd", did you mean "privileged"?`}},
		"benchmark row":   {`{controls: [{id: hostPID}]}`, []string{`spec.controls[0].id: unknown control "hostPID", did you mean "host-pid"?`}},
		"node control":    {`{controls: [{id: mod-cramfs}]}`, []string{`spec.controls[0].id: unknown control "mod-cramfs"` + control.Hint("mod-cramfs", ids())}},
		"control twice":   {`{controls: [{id: host-pid}, {id: host-ipc}, {id: host-pid, mode: Audit}]}`, []string{`spec.controls[2].id: control "host-pid" is set twice`}},
		"unknown modes": {`{mode: enforce, controls: [{id: host-pid, mode: Deny}]}`, []string{
			`spec.mode: unknown mode "enforce", did you mean "Enforce"?`, `spec.controls[0].mode: unknown mode "Deny": use one of Off, Audit, Warn, Enforce`,
		}},
		"selector": {`{namespaceSelector: {matchExpressions: [{key: a, operator: In}]}}`, []string{
			"spec.namespaceSelector: values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty",
		}},
		"parameter of another control": {`{controls: [{id: host-ports, parameters: {allowedHostPaths: [{pathPrefix: /}], requireDigest: false}}]}`, []string{
			`spec.controls[0].parameters.allowedHostPaths: control "host-ports" reads allowedHostPorts`,
			`spec.controls[0].parameters.requireDigest: control "host-ports" reads allowedHostPorts`,
		}},
		"parameter of none": {`{controls: [{id: privileged, parameters: {allowedCapabilities: [ALL]}}]}`, []string{
			`spec.controls[0].parameters.allowedCapabilities: control "privileged" takes no parameters`,
		}},
		"parameters of an unknown control": {`{controls: [{id: host-pth, parameters: {allowedHostPaths: [{pathPrefix: var}]}}]}`, []string{
			`spec.controls[0].id: unknown control "host-pth", did you mean "host-path"?`,
			`spec.controls[0].parameters.allowedHostPaths[0].pathPrefix: "var" is not absolute`,
		}},
		"paths": {`{controls: [{id: host-path, parameters: {allowedHostPaths: [{pathPrefix: /a}, {pathPrefix: ""}, {pathPrefix: ./a}]}}]}`, []string{
			`spec.controls[0].parameters.allowedHostPaths[1].pathPrefix: "" is not absolute`, `spec.controls[0].parameters.allowedHostPaths[2].pathPrefix: "./a" is not absolute`,
		}},
		"ports": {`{controls: [{id: host-ports, parameters: {allowedHostPorts: [{min: 0, max: 1}, {min: 2, max: 1}, {min: 1, max: 65536}, {}]}}]}`, []string{
			"spec.controls[0].parameters.allowedHostPorts[0]: 0 to 1 is not a range of ports", "spec.controls[0].parameters.allowedHostPorts[1]: 2 to 1 is not a range of ports",
			"spec.controls[0].parameters.allowedHostPorts[2]: 1 to 65536 is not a range of ports", "spec.controls[0].parameters.allowedHostPorts[3]: 0 to 0 is not a range of ports",
		}},
		"registries": {`{controls: [{id: image-provenance, parameters: {allowedRegistries: ["https://a.io", "", "a.io/Team", "*", "a.io/*", "a_b", "a.io:x", "/team", "*.", "a.io//b"]}}]}`, []string{
			`spec.controls[0].parameters.allowedRegistries[0]: "https://a.io" has a scheme: write the host alone`,
			`spec.controls[0].parameters.allowedRegistries[1]: "" does not start with a registry host`,
			`spec.controls[0].parameters.allowedRegistries[2]: "Team" is not a repository path`,
			`spec.controls[0].parameters.allowedRegistries[3]: "*" does not start with a registry host`,
			`spec.controls[0].parameters.allowedRegistries[4]: "*" is not a repository path`,
			`spec.controls[0].parameters.allowedRegistries[5]: "a_b" does not start with a registry host`,
			`spec.controls[0].parameters.allowedRegistries[6]: "a.io:x" does not start with a registry host`,
			`spec.controls[0].parameters.allowedRegistries[7]: "/team" does not start with a registry host`,
			`spec.controls[0].parameters.allowedRegistries[8]: "*." does not start with a registry host`,
			`spec.controls[0].parameters.allowedRegistries[9]: "/b" is not a repository path`,
		}},
		"capabilities": {`{controls: [{id: added-capabilities, parameters: {allowedCapabilities: [A, ""]}}]}`, []string{
			"spec.controls[0].parameters.allowedCapabilities[1]: empty",
		}},
		"system namespaces": {`{controls: [{id: tainted-node-toleration, parameters: {systemNamespaces: [kube-system, "", "kube-*", Storage]}}]}`, []string{
			`spec.controls[0].parameters.systemNamespaces[1]: "" is no name of a namespace`, `spec.controls[0].parameters.systemNamespaces[2]: "kube-*" is no name of a namespace`,
			`spec.controls[0].parameters.systemNamespaces[3]: "Storage" is no name of a namespace`,
		}},
		"no system namespaces, for another control": {`{controls: [{id: host-pid, parameters: {systemNamespaces: []}}]}`, []string{
			`spec.controls[0].parameters.systemNamespaces: control "host-pid" takes no parameters`,
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := policyResource(t, "a", tt.spec)
			if diff := cmp.Diff(tt.want, texts(Validate(&r))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Every parameter is read by some control, and every one that a policy says it
// reads exists.
func TestParametersAreRead(t *testing.T) {
	fields := map[string]bool{}
	for name := range resource.Fields(reflect.TypeFor[v1alpha1.Parameters]()) {
		fields[name] = false
	}
	for _, p := range policy.All() {
		for _, name := range p.Parameters {
			if _, known := fields[name]; !known {
				t.Errorf("%s reads %q, which is no parameter", p.ID, name)
			}
			fields[name] = true
		}
	}
	for name, read := range fields {
		if !read {
			t.Errorf("no control reads %s", name)
		}
	}
}

// An empty list of system namespaces means none and an absent one the usual, when it
// has been stored, too.
func TestEmptyIsNotAbsent(t *testing.T) {
	tests := map[string]bool{`{systemNamespaces: []}`: true, `{systemNamespaces: null}`: false, `{}`: false}
	for parameters, empty := range tests {
		r := policyResource(t, "a", `{controls: [{id: tainted-node-toleration, parameters: `+parameters+`}]}`)
		stored, err := json.Marshal(r.DeepCopy())
		if err != nil {
			t.Fatal(err)
		}
		again := policyResource(t, "a", string(stored[bytes.Index(stored, []byte(`"spec":`))+len(`"spec":`):len(stored)-1]))
		for _, r := range []v1alpha1.WorkloadPolicy{r, again} {
			if names := r.Spec.Controls[0].Parameters.SystemNamespaces; names != nil != empty || len(names) > 0 {
				t.Errorf("%s is read as %#v", parameters, names)
			}
		}
	}
	none := policyResource(t, "a", `{controls: [{id: tainted-node-toleration, mode: Warn, parameters: {systemNamespaces: []}}]}`)
	usual := policyResource(t, "b", `{controls: [{id: tainted-node-toleration, mode: Enforce}]}`)
	book, errs := Compile([]v1alpha1.WorkloadPolicy{none, usual})
	if rulings := forControl(book, "tainted-node-toleration", nil); len(rulings) != 2 || errs != nil {
		t.Errorf("%v, %v: one says more than the other", rulings, errs)
	}
}

func TestWarnings(t *testing.T) {
	const want = "spec.controls[0]: image-provenance judges nothing without parameters: set allowedRegistries or requireDigest"
	tests := map[string]struct {
		spec string
		warn bool
	}{
		"enforced":                   {`{controls: [{id: image-provenance, mode: Enforce}]}`, true},
		"mode of the policy":         {`{mode: Enforce, controls: [{id: image-provenance}]}`, true},
		"no mode":                    {`{controls: [{id: image-provenance}]}`, true},
		"digest not required":        {`{controls: [{id: image-provenance, mode: Audit, parameters: {requireDigest: false}}]}`, true},
		"on in a policy that is off": {`{mode: "Off", controls: [{id: image-provenance, mode: Warn}]}`, true},
		"off":                        {`{controls: [{id: image-provenance, mode: "Off"}]}`, false},
		"off in the policy":          {`{mode: "Off", controls: [{id: image-provenance}]}`, false},
		"off in a policy that is on": {`{mode: Enforce, controls: [{id: image-provenance, mode: "Off"}]}`, false},
		"digest":                     {`{controls: [{id: image-provenance, mode: Enforce, parameters: {requireDigest: true}}]}`, false},
		"registries":                 {`{controls: [{id: image-provenance, parameters: {allowedRegistries: [a.io]}}]}`, false},
		"another control":            {`{controls: [{id: host-path, mode: Enforce}]}`, false},
		"not listed":                 {`{mode: Enforce}`, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := policyResource(t, "a", tt.spec)
			got := Warnings(&r)
			if tt.warn != (len(got) == 1 && got[0] == want) || !tt.warn && len(got) > 0 {
				t.Errorf("warnings %q", got)
			}
		})
	}
}

func TestDecode(t *testing.T) {
	tests := map[string]struct {
		spec string
		want []string
	}{
		"in the spec":          {`{moed: Warn}`, []string{`spec.moed: unknown field, did you mean "mode"?`}},
		"another case":         {`{Mode: Warn}`, []string{`spec.Mode: unknown field, did you mean "mode"?`}},
		"selector":             {`{namespaceSelector: {matchLabel: {a: b}}}`, []string{`spec.namespaceSelector.matchLabel: unknown field, did you mean "matchLabels"?`}},
		"selector expressions": {`{namespaceSelector: {matchExpressions: [{key: a, op: In}]}}`, []string{`spec.namespaceSelector.matchExpressions[0].op: unknown field: use one of key, operator, values`}},
		"control":              {`{controls: [{id: host-pid}, {id: host-ipc, modes: Warn}]}`, []string{`spec.controls[1].modes: unknown field, did you mean "mode"?`}},
		"parameters":           {`{controls: [{id: host-ports, parameters: {allowedHostPort: []}}]}`, []string{`spec.controls[0].parameters.allowedHostPort: unknown field, did you mean "allowedHostPorts"?`}},
		"path":                 {`{controls: [{parameters: {allowedHostPaths: [{pathPrefix: /a, readonly: true}]}}]}`, []string{`spec.controls[0].parameters.allowedHostPaths[0].readonly: unknown field, did you mean "readOnly"?`}},
		"port":                 {`{controls: [{parameters: {allowedHostPorts: [{mn: 1}]}}]}`, []string{`spec.controls[0].parameters.allowedHostPorts[0].mn: unknown field, did you mean "min"?`}},
		"several":              {`{zzzzzz: 1, controls: [{mdoe: Warn}]}`, []string{`spec.controls[0].mdoe: unknown field, did you mean "mode"?`, `spec.zzzzzz: unknown field: use one of controls, mode, namespaceSelector, rollout`}},
		"bare Off":             {`{mode: Off}`, []string{`spec.mode: a bool cannot stand here: YAML takes a bare Off for false, write "Off" in quotes`}},
		"bare off of a control": {`{controls: [{id: host-pid, mode: off}]}`, []string{
			`spec.controls.mode: a bool cannot stand here: YAML takes a bare Off for false, write "Off" in quotes`,
		}},
		"mode a number":  {`{mode: 3}`, []string{"spec.mode: a number cannot stand here"}},
		"controls a map": {`{controls: {host-pid: Warn}}`, []string{"spec.controls: an object cannot stand here"}},
		"port a text":    {`{controls: [{parameters: {allowedHostPorts: [{min: "80"}]}}]}`, []string{"spec.controls.parameters.allowedHostPorts.min: a string cannot stand here"}},
		"wrong and unknown": {`{mode: Off, contrlos: []}`, []string{
			`spec.contrlos: unknown field, did you mean "controls"?`, `spec.mode: a bool cannot stand here: YAML takes a bare Off for false, write "Off" in quotes`,
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r, err := decodeYAML(t, "a", tt.spec)
			if err == nil || r != nil {
				t.Fatalf("taken: %+v", r)
			}
			if diff := cmp.Diff(tt.want, strings.Split(err.Error(), "\n")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeDocument(t *testing.T) {
	const head = `"apiVersion":"hardgate.dev/v1alpha1","kind":"WorkloadPolicy"`
	tests := map[string]struct{ text, err string }{
		"labels are free":     {`{` + head + `,"metadata":{"name":"a","labels":{"moed":"x"},"managedFields":[{"fieldsV1":{"f:moed":{}}}]},"spec":{"namespaceSelector":{"matchLabels":{"moed":"x"}}}}`, ""},
		"nulls":               {`{` + head + `,"metadata":null,"spec":{"mode":null,"controls":[{"id":"host-pid","parameters":null}],"namespaceSelector":null}}`, ""},
		"unknown at the top":  {`{` + head + `,"sepc":{}}`, `sepc: unknown field, did you mean "spec"?`},
		"another kind":        {`{"apiVersion":"hardgate.dev/v1alpha1","kind":"NodePolicy"}`, "hardgate.dev/v1alpha1 NodePolicy where hardgate.dev/v1alpha1 WorkloadPolicy should be"},
		"another version":     {`{"apiVersion":"hardgate.dev/v1","kind":"WorkloadPolicy"}`, "hardgate.dev/v1 WorkloadPolicy where hardgate.dev/v1alpha1 WorkloadPolicy should be"},
		"name given twice":    {`{` + head + `,"spec":{"mode":"Enforce","mode":"Off"}}`, `offset 93: the name "mode" is given twice`},
		"name twice, escaped": {`{` + head + `,"spec":{"mode":"Enforce","m\u006fde":"Off"}}`, `offset 98: the name "mode" is given twice`},
		"not JSON":            {`mode: Off`, "offset 0: 'm' where a value should be"},
		"more behind":         {`{` + head + `} {}`, "offset 63: '{' where the end should be"},
		"empty":               {``, "offset 0: the document ends where a value should be"},
		"null":                {`null`, "  where hardgate.dev/v1alpha1 WorkloadPolicy should be"},
		"a list":              {`[]`, "the document: an array cannot stand here"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r, err := Decode([]byte(tt.text))
			if tt.err == "" {
				if err != nil || r == nil {
					t.Errorf("%v", err)
				}
				return
			}
			if err == nil || err.Error() != tt.err || r != nil {
				t.Errorf("error %q, want %q", err, tt.err)
			}
		})
	}
}
