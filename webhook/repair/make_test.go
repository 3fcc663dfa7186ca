package repair

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// all are the controls that repair.
const all = "net-raw privilege-escalation seccomp default-service-account"

// ruled are rulings that ask for repairs by these controls.
func ruled(t *testing.T, ids string) []ruling.Judged {
	t.Helper()
	var judged []ruling.Judged
	for id := range strings.FieldsSeq(ids) {
		p, ok := policy.Get(control.ID(id))
		if !ok {
			t.Fatalf("no control %s", id)
		}
		judged = append(judged, ruling.Judged{Policy: p, Rulings: []ruling.Ruling{{Mode: control.Audit, Repair: true}}})
	}
	return judged
}

// subjectOf decodes an object as the API server sends it.
func subjectOf(t *testing.T, raw string) *policy.Subject {
	t.Helper()
	o, err := workload.Decode([]byte(raw))
	if err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return &policy.Subject{Object: &o, Admitted: true}
}

// said are the changes in words, each with its control.
func said(r Repair) []string {
	var all []string
	for _, c := range r.Changes {
		all = append(all, string(c.ID)+": "+c.String())
	}
	return all
}

func podOf(metadata, spec string) string {
	return `{"apiVersion":"v1","kind":"Pod","metadata":` + metadata + `,"spec":` + spec + `}`
}

// annotated is the operation on the annotation of a pod that has none.
func annotated(ids string) string {
	return `{"op":"add","path":"/metadata/annotations","value":{"hardgate.dev/repaired":"` + ids + `"}}`
}

func TestMake(t *testing.T) {
	const (
		containerContext = `{"op":"add","path":"/spec/containers/0/securityContext","value":`
		dropNetRaw       = containerContext + `{"capabilities":{"drop":["NET_RAW"]}}}`
		podSeccompWhole  = `{"op":"add","path":"/spec/securityContext","value":{"seccompProfile":{"type":"RuntimeDefault"}}}`
		podSeccompField  = `{"op":"add","path":"/spec/securityContext/seccompProfile","value":{"type":"RuntimeDefault"}}`
	)
	tests := map[string]struct {
		controls string
		raw      string
		exempt   Exempt
		patch    []string // the operations
		changes  []string
	}{
		"nothing asked": {controls: "", raw: podOf(`{}`, `{"containers":[{"name":"a"}]}`)},
		"a control that has no repair": {
			controls: "privileged host-ports", raw: podOf(`{}`, `{"containers":[{"name":"a","securityContext":{"privileged":true}}]}`),
		},
		"two controls, one parent that is missing": {
			controls: "net-raw privilege-escalation", raw: podOf(`{}`, `{"containers":[{"name":"a"}]}`),
			patch:   []string{containerContext + `{"allowPrivilegeEscalation":false,"capabilities":{"drop":["NET_RAW"]}}}`, annotated("net-raw,privilege-escalation")},
			changes: []string{`net-raw: NET_RAW added to securityContext.capabilities.drop in the container "a"`, `privilege-escalation: securityContext.allowPrivilegeEscalation set to false in the container "a"`},
		},
		"null is no value": {
			controls: "net-raw privilege-escalation seccomp",
			raw:      podOf(`{"annotations":null}`, `{"securityContext":null,"containers":[{"name":"a","securityContext":null}]}`),
			patch: []string{
				containerContext + `{"allowPrivilegeEscalation":false,"capabilities":{"drop":["NET_RAW"]}}}`, podSeccompWhole,
				annotated("net-raw,privilege-escalation,seccomp"),
			},
			changes: []string{
				`net-raw: NET_RAW added to securityContext.capabilities.drop in the container "a"`,
				`privilege-escalation: securityContext.allowPrivilegeEscalation set to false in the container "a"`,
				`seccomp: spec.securityContext.seccompProfile set to {type: RuntimeDefault}`,
			},
		},
		"null in every place": {
			controls: "net-raw privilege-escalation",
			raw:      podOf(`{}`, `{"containers":[{"name":"a","securityContext":{"allowPrivilegeEscalation":null,"capabilities":{"add":null,"drop":null}}}]}`),
			patch: []string{
				`{"op":"add","path":"/spec/containers/0/securityContext/capabilities/drop","value":["NET_RAW"]}`,
				`{"op":"add","path":"/spec/containers/0/securityContext/allowPrivilegeEscalation","value":false}`,
				annotated("net-raw,privilege-escalation"),
			},
			changes: []string{
				`net-raw: NET_RAW added to securityContext.capabilities.drop in the container "a"`,
				`privilege-escalation: securityContext.allowPrivilegeEscalation set to false in the container "a"`,
			},
		},
		"capabilities without drop": {
			controls: "net-raw", raw: podOf(`{}`, `{"containers":[{"name":"a","securityContext":{"capabilities":{"add":["CHOWN"]}}}]}`),
			patch:   []string{`{"op":"add","path":"/spec/containers/0/securityContext/capabilities/drop","value":["NET_RAW"]}`, annotated("net-raw")},
			changes: []string{`net-raw: NET_RAW added to securityContext.capabilities.drop in the container "a"`},
		},
		"behind what is dropped": {
			controls: "net-raw", raw: podOf(`{}`, `{"containers":[{"name":"a","securityContext":{"capabilities":{"drop":["MKNOD"]}}}]}`),
			patch:   []string{`{"op":"add","path":"/spec/containers/0/securityContext/capabilities/drop/-","value":"NET_RAW"}`, annotated("net-raw")},
			changes: []string{`net-raw: NET_RAW added to securityContext.capabilities.drop in the container "a"`},
		},
		"an empty list of drops": {
			controls: "net-raw", raw: podOf(`{}`, `{"containers":[{"name":"a","securityContext":{"capabilities":{"drop":[]}}}]}`),
			patch:   []string{`{"op":"add","path":"/spec/containers/0/securityContext/capabilities/drop/-","value":"NET_RAW"}`, annotated("net-raw")},
			changes: []string{`net-raw: NET_RAW added to securityContext.capabilities.drop in the container "a"`},
		},
		"drops ALL":               {controls: "net-raw", raw: podOf(`{}`, `{"containers":[{"name":"a","securityContext":{"capabilities":{"drop":["ALL"]}}}]}`)},
		"adds what would be lost": {controls: "net-raw", raw: podOf(`{}`, `{"containers":[{"name":"a","securityContext":{"capabilities":{"add":["cap_net_raw"]}}}]}`)},
		"explicit values": {
			controls: all,
			raw: podOf(`{}`, `{"securityContext":{"seccompProfile":{"type":"Unconfined"}},"containers":[
				{"name":"a","securityContext":{"allowPrivilegeEscalation":true,"privileged":true,"seccompProfile":{"type":"Unconfined"}}}]}`),
		},
		"a profile without a type is one": {controls: "seccomp", raw: podOf(`{}`, `{"securityContext":{"seccompProfile":{}},"containers":[{"name":"a"}]}`)},
		"privileged cannot be kept from escalating": {
			controls: "privilege-escalation net-raw",
			raw: podOf(`{}`, `{"containers":[{"name":"a","securityContext":{"privileged":true}},
				{"name":"b","securityContext":{"capabilities":{"add":["CAP_SYS_ADMIN"],"drop":["ALL"]}}},{"name":"c","securityContext":{"capabilities":{"drop":["ALL"]}}}]}`),
			patch:   []string{`{"op":"add","path":"/spec/containers/2/securityContext/allowPrivilegeEscalation","value":false}`, annotated("privilege-escalation")},
			changes: []string{`privilege-escalation: securityContext.allowPrivilegeEscalation set to false in the container "c"`},
		},
		"every sort of container": {
			controls: "net-raw",
			raw:      podOf(`{}`, `{"containers":[{"name":"a"}],"initContainers":[{"name":"i","securityContext":{"capabilities":{"drop":["MKNOD"]}}},{"name":"s","restartPolicy":"Always"}]}`),
			patch: []string{
				`{"op":"add","path":"/spec/initContainers/0/securityContext/capabilities/drop/-","value":"NET_RAW"}`,
				`{"op":"add","path":"/spec/initContainers/1/securityContext","value":{"capabilities":{"drop":["NET_RAW"]}}}`,
				dropNetRaw, annotated("net-raw"),
			},
			changes: []string{`net-raw: NET_RAW added to securityContext.capabilities.drop in the containers "i", "s", "a"`},
		},
		"names are no paths": {
			controls: "net-raw", raw: podOf(`{}`, `{"containers":[{"name":"a/b~c\"d"}]}`),
			patch:   []string{dropNetRaw, annotated("net-raw")},
			changes: []string{`net-raw: NET_RAW added to securityContext.capabilities.drop in the container "a/b~c\"d"`},
		},
		"the pod's profile stays out of containers that have one": {
			controls: "seccomp", raw: podOf(`{}`, `{"securityContext":{"runAsUser":1},"containers":[{"name":"a"},{"name":"b","securityContext":{"seccompProfile":{"type":"Unconfined"}}}]}`),
			patch:   []string{podSeccompField, annotated("seccomp")},
			changes: []string{`seccomp: spec.securityContext.seccompProfile set to {type: RuntimeDefault}`},
		},
		"fields that nobody knows": {
			controls: "net-raw seccomp",
			raw: podOf(`{"annotations":{"a":"b"},"new":1}`, `{"new":{"containers":[{}]},"securityContext":{"new":[null,1e400]},
				"containers":[{"name":"a","new":9007199254740993,"securityContext":{"capabilities":{"new":"x"}}}]}`),
			patch: []string{
				`{"op":"add","path":"/spec/containers/0/securityContext/capabilities/drop","value":["NET_RAW"]}`,
				podSeccompField,
				`{"op":"add","path":"/metadata/annotations/hardgate.dev~1repaired","value":"net-raw,seccomp"}`,
			},
			changes: []string{`net-raw: NET_RAW added to securityContext.capabilities.drop in the container "a"`, `seccomp: spec.securityContext.seccompProfile set to {type: RuntimeDefault}`},
		},
		"no metadata": {
			controls: "net-raw", raw: `{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"name":"a"}]}}`,
			patch:   []string{dropNetRaw, `{"op":"add","path":"/metadata","value":{"annotations":{"hardgate.dev/repaired":"net-raw"}}}`},
			changes: []string{`net-raw: NET_RAW added to securityContext.capabilities.drop in the container "a"`},
		},
		"reinvoked for a sidecar that came later": {
			controls: "seccomp net-raw",
			raw: podOf(`{"annotations":{"hardgate.dev/repaired":"net-raw,seccomp"}}`, `{"securityContext":{"seccompProfile":{"type":"RuntimeDefault"}},
				"containers":[{"name":"a","securityContext":{"capabilities":{"drop":["NET_RAW"]}}},{"name":"side"}]}`),
			patch: []string{
				`{"op":"add","path":"/spec/containers/1/securityContext","value":{"capabilities":{"drop":["NET_RAW"]}}}`,
				`{"op":"add","path":"/metadata/annotations/hardgate.dev~1repaired","value":"net-raw,seccomp"}`,
			},
			changes: []string{`net-raw: NET_RAW added to securityContext.capabilities.drop in the container "side"`},
		},
		"a user's note is no evidence": {
			controls: "net-raw", raw: podOf(`{"annotations":{"hardgate.dev/repaired":"net-raw,seccomp,<b>,"}}`, `{"containers":[{"name":"a"}]}`),
			patch:   []string{dropNetRaw, `{"op":"add","path":"/metadata/annotations/hardgate.dev~1repaired","value":"net-raw"}`},
			changes: []string{`net-raw: NET_RAW added to securityContext.capabilities.drop in the container "a"`},
		},
		"a user's note stays where nothing is repaired": {
			controls: "net-raw", raw: podOf(`{"annotations":{"hardgate.dev/repaired":"x"}}`, `{"containers":[{"name":"a","securityContext":{"capabilities":{"drop":["ALL"]}}}]}`),
		},
		"an old annotation says another profile, and both would be refused": {
			controls: "seccomp net-raw", raw: podOf(`{"annotations":{"seccomp.security.alpha.kubernetes.io/pod":"unconfined"}}`, `{"containers":[{"name":"a"}]}`),
			patch:   []string{dropNetRaw, `{"op":"add","path":"/metadata/annotations/hardgate.dev~1repaired","value":"net-raw"}`},
			changes: []string{`net-raw: NET_RAW added to securityContext.capabilities.drop in the container "a"`},
		},
		"an old annotation says the same profile": {
			controls: "seccomp", raw: podOf(`{"annotations":{"seccomp.security.alpha.kubernetes.io/pod":"docker/default"}}`, `{"containers":[{"name":"a"}]}`),
			patch:   []string{podSeccompWhole, `{"op":"add","path":"/metadata/annotations/hardgate.dev~1repaired","value":"seccomp"}`},
			changes: []string{`seccomp: spec.securityContext.seccompProfile set to {type: RuntimeDefault}`},
		},
		"an old annotation of a container is about no pod": {
			controls: "seccomp", raw: podOf(`{"annotations":{"container.seccomp.security.alpha.kubernetes.io/a":"unconfined"}}`, `{"containers":[{"name":"a"}]}`),
			patch:   []string{podSeccompWhole, `{"op":"add","path":"/metadata/annotations/hardgate.dev~1repaired","value":"seccomp"}`},
			changes: []string{`seccomp: spec.securityContext.seccompProfile set to {type: RuntimeDefault}`},
		},
		"an exempt container keeps what it has": {
			controls: "net-raw", exempt: exempting("net-raw", "a"), raw: podOf(`{}`, `{"containers":[{"name":"a"},{"name":"b"}]}`),
			patch:   []string{`{"op":"add","path":"/spec/containers/1/securityContext","value":{"capabilities":{"drop":["NET_RAW"]}}}`, annotated("net-raw")},
			changes: []string{`net-raw: NET_RAW added to securityContext.capabilities.drop in the container "b"`},
		},
		"an exempt container inherits nothing": {
			controls: "seccomp", exempt: exempting("seccomp", "a"),
			raw: podOf(`{}`, `{"containers":[{"name":"a"},{"name":"b"},{"name":"c","securityContext":{"seccompProfile":{"type":"Unconfined"}}}]}`),
			patch: []string{
				`{"op":"add","path":"/spec/containers/1/securityContext","value":{"seccompProfile":{"type":"RuntimeDefault"}}}`,
				annotated("seccomp"),
			},
			changes: []string{`seccomp: securityContext.seccompProfile set to {type: RuntimeDefault} in the container "b"`},
		},
		"an exempt container inherits nothing, and the other says something in an annotation": {
			controls: "seccomp", exempt: exempting("seccomp", "a"),
			raw: podOf(`{"annotations":{"container.seccomp.security.alpha.kubernetes.io/b":"unconfined"}}`, `{"containers":[{"name":"a"},{"name":"b"}]}`),
		},
		"an exemption from another control": {
			controls: "net-raw", exempt: exempting("seccomp", "a"), raw: podOf(`{}`, `{"containers":[{"name":"a"}]}`),
			patch:   []string{dropNetRaw, annotated("net-raw")},
			changes: []string{`net-raw: NET_RAW added to securityContext.capabilities.drop in the container "a"`},
		},
		"all exempt":  {controls: "seccomp net-raw", exempt: func(control.ID, *policy.Finding) string { return "x" }, raw: podOf(`{}`, `{"containers":[{"name":"a"}]}`)},
		"for Windows": {controls: all, raw: podOf(`{}`, `{"os":{"name":"windows"},"containers":[{"name":"a"}]}`)},
		"a host process": {
			controls: all, raw: podOf(`{}`, `{"hostNetwork":true,"containers":[{"name":"a"},{"name":"b","securityContext":{"windowsOptions":{"hostProcess":true}}}]}`),
		},
		"a pod of host processes": {controls: all, raw: podOf(`{}`, `{"securityContext":{"windowsOptions":{"hostProcess":true}},"containers":[{"name":"a"}]}`)},
		"a mirror":                {controls: all, raw: podOf(`{"annotations":{"kubernetes.io/config.mirror":"x"}}`, `{"containers":[{"name":"a"}]}`)},
		"a template":              {controls: all, raw: `{"apiVersion":"apps/v1","kind":"Deployment","spec":{"template":{"spec":{"containers":[{"name":"a"}]}}}}`},
		"of no kind":              {controls: all, raw: `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"default"}}`},
		"an account":              {controls: all, raw: `{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"web"}}`},
		"a pod's name":            {controls: "default-service-account", raw: podOf(`{"name":"default"}`, `{"serviceAccountName":"default","containers":[{"name":"a"}]}`)},
		"the account default": {
			controls: all, raw: `{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"default"},"secrets":[]}`,
			patch:   []string{`{"op":"add","path":"/automountServiceAccountToken","value":false}`, annotated("default-service-account")},
			changes: []string{`default-service-account: automountServiceAccountToken set to false`},
		},
		"the account default that says true": {controls: all, raw: `{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"default"},"automountServiceAccountToken":true}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r, err := Make([]byte(tt.raw), subjectOf(t, tt.raw), ruled(t, tt.controls), tt.exempt)
			if err != nil {
				t.Fatal(err)
			}
			want := ""
			if len(tt.patch) > 0 {
				want = "[" + strings.Join(tt.patch, ",") + "]"
			}
			if diff := cmp.Diff(want, string(r.Patch)); diff != "" {
				t.Errorf("patch (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.changes, said(r)); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}
