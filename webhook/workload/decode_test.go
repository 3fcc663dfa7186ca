package workload

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/webhook/scan"
)

// fullPod has every field that the decoder reads, with a value that counts.
const fullPod = `{
	"apiVersion": "v1",
	"kind": "Pod",
	"metadata": {"name": "a", "namespace": "b", "generateName": "c", "annotations": {"kubernetes.io/config.mirror": "x"},
		"ownerReferences": [{"apiVersion": "apps/v1", "kind": "DaemonSet", "controller": true}]},
	"spec": {
		"hostPID": true, "hostIPC": true, "hostNetwork": true,
		"os": {"name": "linux"}, "nodeName": "n", "serviceAccountName": "s", "serviceAccount": "t", "automountServiceAccountToken": true,
		"securityContext": {
			"runAsNonRoot": true, "runAsUser": 7,
			"seccompProfile": {"type": "Localhost", "localhostProfile": "p"}, "windowsOptions": {"hostProcess": true}
		},
		"tolerations": [{"key": "k", "operator": "Equal", "value": "v", "effect": "NoSchedule"}],
		"volumes": [
			{"name": "v", "hostPath": {"path": "/p"}, "image": {"reference": "i"}, "projected": {"sources": [{"serviceAccountToken": {"audience": "a", "path": "p"}}]}}
		],
		"initContainers": [{"name": "i"}],
		"containers": [{
			"name": "c", "image": "i",
			"securityContext": {
				"privileged": true, "allowPrivilegeEscalation": true, "runAsNonRoot": true, "runAsUser": 7,
				"capabilities": {"add": ["A"], "drop": ["B"]},
				"seccompProfile": {"type": "Localhost", "localhostProfile": "p"}, "windowsOptions": {"hostProcess": true}
			},
			"ports": [{"hostPort": 1, "containerPort": 2, "hostIP": "127.0.0.1", "protocol": "UDP"}],
			"env": [{"name": "e", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
			"envFrom": [{"secretRef": {"name": "s"}}],
			"volumeMounts": [{"name": "v", "readOnly": true}]
		}],
		"ephemeralContainers": [{"name": "e"}]
	}
}`

const fullAccount = `{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a"}, "automountServiceAccountToken": true}`

const (
	fullRole = `{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "a"},
		"rules": [{"verbs": ["get"], "apiGroups": ["apps"], "resources": ["pods"], "resourceNames": ["n"], "nonResourceURLs": ["/u"]}],
		"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"l": "v"}, "matchExpressions": [{"key": "k", "operator": "In", "values": ["w"]}]}]}}`
	fullBinding = `{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "a", "namespace": "b"},
		"roleRef": {"kind": "Role", "name": "r"}, "subjects": [{"kind": "User", "namespace": "n", "name": "u"}]}`
)

func full(tb testing.TB) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(fullPod)); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// The full pod names every field that the decoder's source names, so that the
// tests that walk it cover them all.
func TestFullPodIsFull(t *testing.T) {
	files, err := parser.ParseDir(token.NewFileSet(), ".", nil, 0) //nolint:staticcheck // no build tags here
	if err != nil {
		t.Fatal(err)
	}
	read := map[string]bool{}
	note := func(e ast.Expr) {
		if literal, ok := e.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			if name, err := strconv.Unquote(literal.Value); err == nil {
				read[name] = true
			}
		}
	}
	for name, file := range files["workload"].Files {
		if !strings.HasPrefix(name, "decode") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CaseClause: // case "hostPID":
				for _, e := range n.List {
					note(e)
				}
			case *ast.BinaryExpr: // string(name) != "secretRef"
				if n.Op == token.NEQ || n.Op == token.EQL {
					note(n.Y)
				}
			case *ast.CallExpr: // d.one("name", ...)
				if f, ok := n.Fun.(*ast.SelectorExpr); ok && strings.HasPrefix(f.Sel.Name, "one") {
					note(n.Args[0])
				}
			}
			return true
		})
	}
	whole := fullPod + fullAccount + fullRole + fullBinding
	if len(read) < 40 {
		t.Errorf("only %d names found in the source", len(read))
	}
	for _, name := range slices.Sorted(maps.Keys(read)) {
		if !slices.Contains([]string{"", "ServiceAccount", "ClusterRole", "managedFields"}, name) && !strings.Contains(whole, strconv.Quote(name)+":") {
			t.Errorf("the decoder reads %q, which the full pod has not", name)
		}
	}
}

// place is one value of a tree: a name of a map or an index of a list.
type place struct {
	path  string // as in errors
	owner any    // map[string]any or []any
	name  string
	index int
	value any
}

func (p place) set(v any) {
	if m, ok := p.owner.(map[string]any); ok {
		m[p.name] = v
	} else {
		p.owner.([]any)[p.index] = v
	}
}

func places(path string, tree any) (all []place) {
	add := func(p place) {
		all = append(all, p)
		all = append(all, places(p.path, p.value)...)
	}
	switch tree := tree.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(tree)) {
			add(place{strings.TrimPrefix(path+"."+name, "."), tree, name, 0, tree[name]})
		}
	case []any:
		for i, v := range tree {
			add(place{path + "[" + strconv.Itoa(i) + "]", tree, "", i, v})
		}
	}
	return all
}

// eachPlace calls test for every value of the full objects, with the tree to
// change; the tree is whole again for the next.
func eachPlace(t *testing.T, test func(t *testing.T, tree any, p place)) {
	t.Helper()
	for _, document := range []string{fullPod, fullAccount, fullRole, fullBinding} {
		var tree any
		if err := json.Unmarshal([]byte(document), &tree); err != nil {
			t.Fatal(err)
		}
		for _, p := range places("", tree) {
			if strings.Contains(p.path, "annotations.") || document != fullPod && strings.HasPrefix(p.path, "metadata.name") || strings.HasPrefix(p.path, "aggregationRule.clusterRoleSelectors[0].matchLabels.") {
				continue // an annotation's presence is all that is read; a label may have any name
			}
			t.Run(p.path, func(t *testing.T) { test(t, tree, p) })
			p.set(p.value)
		}
	}
}

func decodeTree(t *testing.T, tree any) (Object, error) {
	t.Helper()
	text, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	return Decode(text)
}

// A value of the wrong type is an error that names its field.
func TestWrongTypes(t *testing.T) {
	wrong := []any{"text", true, 1.5, 3, []any{}, []any{1.0}, map[string]any{}, map[string]any{"a": 1}}
	eachPlace(t, func(t *testing.T, tree any, p place) {
		t.Helper()
		refused := 0
		for _, w := range wrong {
			if kindOf(w) == kindOf(p.value) {
				continue
			}
			p.set(w)
			o, err := decodeTree(t, tree)
			if err == nil {
				t.Errorf("%v is taken: %+v", w, o)
				continue
			}
			if !strings.HasPrefix(err.Error(), p.path+": offset ") {
				t.Errorf("%v: %v", w, err)
			}
			if _, ok := errors.AsType[*scan.SyntaxError](err); !ok {
				t.Errorf("%v: the error is a %T", w, err)
			}
			refused++
		}
		if refused < 4 {
			t.Errorf("only %d values were wrong", refused)
		}
	})
}

// kindOf tells JSON's types apart; whole numbers are one of their own.
func kindOf(v any) string {
	switch v := v.(type) {
	case string:
		return "string"
	case bool:
		return "bool"
	case int:
		return "whole"
	case float64:
		if v == float64(int64(v)) {
			return "whole"
		}
		return "fraction"
	case []any:
		return "list"
	case map[string]any:
		return "object"
	}
	return "null"
}

// null is the same as absent.
func TestNullIsAbsent(t *testing.T) {
	eachPlace(t, func(t *testing.T, tree any, p place) {
		t.Helper()
		p.set(nil)
		null, nullErr := decodeTree(t, tree)
		if m, ok := p.owner.(map[string]any); ok {
			delete(m, p.name)
		} else {
			p.set(map[string]any{}) // an index cannot be absent
			if _, isText := p.value.(string); isText {
				p.set("")
			}
		}
		absent, absentErr := decodeTree(t, tree)
		if (nullErr == nil) != (absentErr == nil) || nullErr != nil && nullErr.Error() != absentErr.Error() {
			t.Errorf("null: error %v; absent: %v", nullErr, absentErr)
		}
		if diff := cmp.Diff(absent, null, withPods, nilIsEmpty); diff != "" {
			t.Errorf("(-absent +null):\n%s", diff)
		}
	})
}

// A name of another case is another name, and every name that is read counts.
func TestNamesAreExact(t *testing.T) {
	eachPlace(t, func(t *testing.T, tree any, p place) {
		t.Helper()
		m, ok := p.owner.(map[string]any)
		if !ok {
			return
		}
		whole, err := decodeTree(t, tree)
		if err != nil {
			t.Fatal(err)
		}
		delete(m, p.name)
		absent, absentErr := decodeTree(t, tree)
		for _, name := range []string{strings.ToUpper(p.name[:1]) + p.name[1:], strings.ToUpper(p.name), p.name + " ", p.name[:len(p.name)-1]} {
			m[name] = p.value
			other, otherErr := decodeTree(t, tree)
			if (otherErr == nil) != (absentErr == nil) {
				t.Errorf("%q: error %v, without it %v", name, otherErr, absentErr)
			}
			if diff := cmp.Diff(absent, other, withPods, anyFields); diff != "" {
				t.Errorf("%q (-absent):\n%s", name, diff)
			}
			delete(m, name)
		}
		m[p.name] = p.value
		// The deprecated account counts only where the other is empty.
		if absentErr == nil && cmp.Equal(whole, absent, withPods) && p.path != "spec.serviceAccount" {
			t.Error("without it the object is the same")
		}
	})
}

func TestDecode(t *testing.T) {
	tests := map[string]struct {
		text string
		want Object
		err  string
	}{
		"kind behind spec": {
			text: `{"spec":{"hostPID":true},"metadata":{"name":"a"},"kind":"Pod","apiVersion":"v1"}`,
			want: Object{Kind: Kind{"", "v1", "Pod"}, Name: "a", Pod: &Pod{At: "spec", HostPID: true}},
		},
		"spec before metadata in a template": {
			text: `{"spec":{"jobTemplate":{"spec":{"template":{"spec":{"hostIPC":true},"metadata":{"name":"inner"}}}}},"kind":"CronJob","metadata":{"generateName":"a-"},"apiVersion":"batch/v1beta1"}`,
			want: Object{Kind: Kind{"batch", "v1beta1", "CronJob"}, GenerateName: "a-", Pod: &Pod{At: "spec.jobTemplate.spec.template.spec", Template: true, HostIPC: true}},
		},
		"pod template": {
			text: `{"apiVersion":"v1","kind":"PodTemplate","spec":{"hostPID":true},"template":{"spec":{"hostIPC":true}}}`,
			want: Object{Kind: Kind{"", "v1", "PodTemplate"}, Pod: &Pod{At: "template.spec", Template: true, HostIPC: true}},
		},
		"another kind": {
			text: `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"b"},"spec":7,"automountServiceAccountToken":"x"}`,
			want: Object{Kind: Kind{"", "v1", "ConfigMap"}, Name: "a", Namespace: "b"},
		},
		"pod of another group": {
			text: `{"apiVersion":"metrics.k8s.io/v9","kind":"Pod"}`,
			want: Object{Kind: Kind{"metrics.k8s.io", "v9", "Pod"}},
		},
		"account": {
			text: `{"apiVersion":"v1","kind":"ServiceAccount","automountServiceAccountToken":false}`,
			want: Object{Kind: Kind{"", "v1", "ServiceAccount"}, ServiceAccount: &ServiceAccount{Automount: Optional[bool]{false, true}}},
		},
		"account of another group": {
			text: `{"apiVersion":"example.com/v1","kind":"ServiceAccount","automountServiceAccountToken":"x"}`,
			want: Object{Kind: Kind{"example.com", "v1", "ServiceAccount"}},
		},
		"escaped names": {
			text: `{"apiVersion":"v1","kin\u0064":"P\u006fd","sp\u0065c":{"h\u006fstPID":true}}`,
			want: Object{Kind: Kind{"", "v1", "Pod"}, Pod: &Pod{At: "spec", HostPID: true}},
		},
		"empty spec":                  {text: `{"apiVersion":"v1","kind":"Pod","spec":{}}`, want: Object{Kind: Kind{"", "v1", "Pod"}, Pod: &Pod{At: "spec"}}},
		"no spec":                     {text: `{"apiVersion":"v1","kind":"Pod"}`, err: "v1 Pod has no spec"},
		"null spec":                   {text: `{"apiVersion":"v1","kind":"Pod","spec":null}`, err: "v1 Pod has no spec"},
		"nil template":                {text: `{"apiVersion":"v1","kind":"ReplicationController","spec":{"template":null}}`, err: "v1 ReplicationController has no spec.template.spec"},
		"no template":                 {text: `{"apiVersion":"v1","kind":"ReplicationController","spec":{}}`, err: "v1 ReplicationController has no spec.template.spec"},
		"template without spec":       {text: `{"apiVersion":"apps/v1","kind":"Deployment","spec":{"template":{}}}`, err: "apps/v1 Deployment has no spec.template.spec"},
		"template is a list":          {text: `{"apiVersion":"apps/v1","kind":"Deployment","spec":{"template":[]}}`, err: "spec.template: offset 63: a list where an object should be"},
		"unknown version":             {text: `{"apiVersion":"apps/v2","kind":"Deployment","spec":{}}`, err: `unknown version "apps/v2" of Deployment`},
		"unknown version of the core": {text: `{"apiVersion":"v1beta1","kind":"Pod","spec":{}}`, err: `unknown version "v1beta1" of Pod`},
		"version of another kind":     {text: `{"apiVersion":"apps/v1beta1","kind":"DaemonSet","spec":{}}`, err: `unknown version "apps/v1beta1" of DaemonSet`},
		"no kind":                     {text: `{"apiVersion":"v1","spec":{}}`, err: ErrNoKind.Error()},
		"no version":                  {text: `{"kind":"Pod","spec":{}}`, err: ErrNoKind.Error()},
		"null kind":                   {text: `{"apiVersion":"v1","kind":null}`, err: ErrNoKind.Error()},
		"null":                        {text: `null`, err: ErrNoKind.Error()},
		"kind is a number":            {text: `{"apiVersion":"v1","kind":1}`, err: "kind: offset 26: a number where a string should be"},
		"kind given twice":            {text: `{"apiVersion":"v1","kind":"Pod","kind":"ConfigMap"}`, err: `offset 38: the name "kind" is given twice`},
		"field given twice": {
			text: `{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"securityContext":{"privileged":false,"priv\u0069leged":true}}]}}`,
			err:  `spec: offset 110: the name "privileged" is given twice`,
		},
		"field given twice where nothing is read": {
			text: `{"apiVersion":"v1","kind":"Pod","spec":{"hostAliases":[{"ip":"a","ip":"b"}]}}`,
			err:  `spec: offset 69: the name "ip" is given twice`,
		},
		"a list":        {text: `[]`, err: "offset 0: a list where an object should be"},
		"empty":         {text: ``, err: "offset 0: the document ends where an object should be"},
		"cut off":       {text: `{"apiVersion":"v1","kind":"Pod","spec":{`, err: "spec: offset 40: the document ends where a name in quotes should be"},
		"more behind":   {text: `{"apiVersion":"v1","kind":"Pod","spec":{}} {}`, err: "offset 43: '{' where the end should be"},
		"not UTF-8":     {text: "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"spec\":{\"nodeName\":\"\xff\"}}", err: "spec.nodeName: offset 54: a string that is not UTF-8"},
		"user is 1.0":   {text: `{"apiVersion":"v1","kind":"Pod","spec":{"securityContext":{"runAsUser":1.0}}}`, err: "spec.securityContext.runAsUser: offset 71: 1.0 where a whole number should be"},
		"user too big":  {text: `{"apiVersion":"v1","kind":"Pod","spec":{"securityContext":{"runAsUser":9223372036854775808}}}`, err: "spec.securityContext.runAsUser: offset 71: 9223372036854775808 is beyond 64 bits"},
		"inside a list": {text: `{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{},{"ports":[{},{"hostPort":"80"}]}]}}`, err: `spec.containers[1].ports[1].hostPort: offset 82: a string where a number should be`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := Decode([]byte(tt.text))
			message := ""
			if err != nil {
				message = err.Error()
			}
			if message != tt.err {
				t.Fatalf("error %v, want %s", err, tt.err)
			}
			if err != nil {
				return
			}
			if diff := cmp.Diff(tt.want, got, withPods); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if _, err := Decode([]byte(`{}`)); !errors.Is(err, ErrNoKind) {
		t.Errorf("error %v", err)
	}
}

func TestDecodeAs(t *testing.T) {
	pod := Kind{"", "v1", "Pod"}
	tests := map[string]struct{ text, err string }{
		"says nothing":    {`{"spec":{}}`, ""},
		"says the same":   {`{"kind":"Pod","apiVersion":"v1","spec":{}}`, ""},
		"says null":       {`{"kind":null,"apiVersion":null,"spec":{}}`, ""},
		"another kind":    {`{"apiVersion":"v1","kind":"ConfigMap","spec":{}}`, `kind: "ConfigMap" where the request says "Pod"`},
		"another case":    {`{"apiVersion":"v1","kind":"pod","spec":{}}`, `kind: "pod" where the request says "Pod"`},
		"another version": {`{"apiVersion":"v2","kind":"Pod","spec":{}}`, `apiVersion: "v2" where the request says "v1"`},
		"kind behind":     {`{"spec":{},"kind":"ConfigMap"}`, `kind: "ConfigMap" where the request says "Pod"`},
		"null":            {`null`, "the object is null"},
		"nothing":         {``, "offset 0: the document ends where an object should be"},
		"no spec":         {`{}`, "v1 Pod has no spec"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := DecodeAs(scan.New([]byte(tt.text)), pod)
			if got := errText(err); got != tt.err {
				t.Errorf("error %q, want %q", got, tt.err)
			}
		})
	}
	// What follows the object is the caller's.
	s := scan.New([]byte(`{"spec":{}} 7`))
	if _, err := DecodeAs(s, pod); err != nil {
		t.Error(err)
	}
	if n, _, err := s.Int(); n != 7 || err != nil {
		t.Errorf("behind the object stands %d, %v", n, err)
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestKinds(t *testing.T) {
	tests := map[string]struct {
		kind     Kind
		text     string
		workload bool
	}{
		"Pod":                 {ParseKind("v1", "Pod"), "v1 Pod", true},
		"Deployment":          {ParseKind("apps/v1", "Deployment"), "apps/v1 Deployment", true},
		"Deployment, version": {ParseKind("apps/v9", "Deployment"), "apps/v9 Deployment", true},
		"core Deployment":     {ParseKind("v1", "Deployment"), "v1 Deployment", false},
		"ServiceAccount":      {ParseKind("v1", "ServiceAccount"), "v1 ServiceAccount", false},
		"pod":                 {ParseKind("v1", "pod"), "v1 pod", false},
		"two slashes":         {ParseKind("a/b/c", "D"), "a/b/c D", false},
	}
	for name, tt := range tests {
		if got := tt.kind.String(); got != tt.text {
			t.Errorf("%s: %q, want %q", name, got, tt.text)
		}
		if got := tt.kind.APIVersion() + " " + tt.kind.Kind; got != tt.text {
			t.Errorf("%s: %q, want %q", name, got, tt.text)
		}
		if got := IsWorkload(tt.kind); got != tt.workload {
			t.Errorf("%s: workload %v", name, got)
		}
	}
}

func TestDisplayName(t *testing.T) {
	for want, o := range map[string]Object{"a": {Name: "a", GenerateName: "b-"}, "b-*": {GenerateName: "b-"}, "": {}} {
		if got := o.DisplayName(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Every container of every sort is yielded, and a caller may stop.
func TestContainers(t *testing.T) {
	o, err := Decode([]byte(`{"apiVersion":"v1","kind":"Pod","spec":{"ephemeralContainers":[{"name":"e"}],"containers":[{"name":"c"},{"name":"d"}],"initContainers":[{"name":"i"}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for c := range o.Pod.Containers() {
		all = append(all, c.List+"["+strconv.Itoa(c.Index)+"]"+c.Name)
	}
	if want := "initContainers[0]i containers[0]c containers[1]d ephemeralContainers[0]e"; strings.Join(all, " ") != want {
		t.Errorf("%v, want %s", all, want)
	}
	for c := range o.Pod.Containers() {
		if c.Name == "c" {
			break
		}
	}
	for os, want := range map[string]bool{"windows": true, "Windows": false, "linux": false, "": false} {
		if p := (Pod{OS: os}); p.Windows() != want {
			t.Errorf("a pod with os.name %q is for Windows: %v", os, p.Windows())
		}
	}
}

// What every pod carries by itself costs no memory.
func TestUsualTolerationsAreFree(t *testing.T) {
	const usual = `"tolerations":[{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":300},` +
		`{"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}]`
	const owners = `"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"a","uid":"u","controller":true}]`
	cost := func(metadata, spec string) float64 {
		text := []byte(`{"apiVersion":"v1","kind":"Pod","metadata":{` + metadata + `},"spec":{` + spec + `}}`)
		s := scan.New(nil) // keeps its buffers, as between requests
		return testing.AllocsPerRun(100, func() {
			s.Reset(text)
			if o, err := DecodeAs(s, Kind{"", "v1", "Pod"}); err != nil || len(o.Pod.Tolerations) > 0 {
				t.Errorf("%v, %v", o.Pod, err)
			}
		})
	}
	if with, without := cost(owners, usual), cost(owners, ""); with > without {
		t.Errorf("%v allocations, %v without", with, without)
	}
}
