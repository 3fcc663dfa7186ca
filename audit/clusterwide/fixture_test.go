package clusterwide

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/registration"
	"github.com/hardgate-dev/hardgate/webhook/scan"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// cluster is a cluster in a few words: what is changed of facts that have everything read.
type cluster []func(*testing.T, *Facts)

func (c cluster) facts(t *testing.T) *Facts {
	t.Helper()
	f := New([]string{"hardgate-system", "hardgate-leader"})
	for _, ns := range []string{"kube-system", "kube-public", "kube-node-lease", "hardgate-system", "hardgate-leader"} {
		f.Namespace(ns, nil, false)
	}
	for _, change := range c {
		change(t, f)
	}
	return f
}

// ns is a namespace with labels, "key=value".
func ns(name string, has ...string) func(*testing.T, *Facts) {
	return func(_ *testing.T, f *Facts) {
		set := map[string]string{"kubernetes.io/metadata.name": name}
		for _, l := range has {
			key, value, _ := strings.Cut(l, "=")
			set[key] = value
		}
		f.Namespace(name, set, false)
	}
}

func leaving(name string) func(*testing.T, *Facts) {
	return func(_ *testing.T, f *Facts) { f.Namespace(name, nil, true) }
}

func refused(name string, n int) func(*testing.T, *Facts) {
	return func(_ *testing.T, f *Facts) { f.Namespaces[name].Refused = n }
}

func unread(resource string) func(*testing.T, *Facts) {
	return func(_ *testing.T, f *Facts) { f.Unread(resource, errors.New("forbidden")) }
}

func exempting(id control.ID, namespace, by string) func(*testing.T, *Facts) {
	return func(_ *testing.T, f *Facts) {
		f.Exempt = func(i control.ID, n string) string {
			if i == id && n == namespace {
				return by
			}
			return ""
		}
	}
}

// item is one of a source, as its list has it.
func item(resource, format string, args ...any) func(*testing.T, *Facts) {
	return func(t *testing.T, f *Facts) {
		t.Helper()
		f.Serves(resource)
		text := []byte(fmt.Sprintf(format, args...))
		for _, s := range Sources() {
			if s.Resource == resource {
				if err := s.Read(f, text); err != nil {
					t.Fatal(err)
				}
				return
			}
		}
		if err := f.NetworkPolicy(text); err != nil || resource != "networkpolicies" {
			t.Fatalf("%s: %v", resource, err)
		}
	}
}

func serves(resource string) func(*testing.T, *Facts) {
	return func(_ *testing.T, f *Facts) { f.Serves(resource) }
}

// registered is hardgate's own registration, changed.
func registered(o registration.Options, change func(config string) string) func(*testing.T, *Facts) {
	return func(t *testing.T, f *Facts) {
		t.Helper()
		o.URL = "https://localhost:1"
		text, err := json.Marshal(registration.Build(o))
		if err != nil {
			t.Fatal(err)
		}
		config := string(text)
		if change != nil {
			if config = change(config); config == string(text) {
				t.Fatal("nothing was changed")
			}
		}
		item(webhookConfigurations, "%s", config)(t, f)
	}
}

func replaced(old, by string) func(string) string {
	return func(s string) string { return strings.ReplaceAll(s, old, by) }
}

// runs is a workload; a DaemonSet is to run on three nodes.
func works(kind, namespace, name, spec string) func(*testing.T, *Facts) {
	return onNodes("3", kind, namespace, name, "", spec)
}

func owned(kind, namespace, name, owner, ownerName string) func(*testing.T, *Facts) {
	by := fmt.Sprintf(`,"ownerReferences":[{"apiVersion":"x/v1","kind":%q,"name":%q,"uid":"u","controller":true}]`, owner, ownerName)
	return onNodes("", kind, namespace, name, by, `"containers":[{"name":"a"}]`)
}

func onNodes(nodes, kind, namespace, name, metadata, spec string) func(*testing.T, *Facts) {
	return func(t *testing.T, f *Facts) {
		t.Helper()
		k := workload.Kind{Group: "apps", Version: "v1", Kind: kind}
		text := fmt.Sprintf(`{"metadata":{"namespace":%q,"name":%q%s},"spec":{"template":{"spec":{%s}}}}`, namespace, name, metadata, spec)
		if kind == "Pod" {
			k.Group = ""
			text = fmt.Sprintf(`{"metadata":{"namespace":%q,"name":%q%s},"spec":{%s}}`, namespace, name, metadata, spec)
		}
		o, err := workload.DecodeAs(scan.New([]byte(text)), k)
		if err != nil {
			t.Fatal(err)
		}
		f.Workload(&o, nodes)
	}
}

// verdict is the one on a control, as "Status: line | line".
func verdict(t *testing.T, f *Facts, id control.ID) string {
	t.Helper()
	for _, v := range f.Judge() {
		if v.Control == id {
			return string(v.Status) + ": " + strings.Join(v.Evidence, " | ")
		}
	}
	t.Fatalf("there is no verdict on %s", id)
	return ""
}

func judge(t *testing.T, id control.ID, tests map[string]struct {
	cluster cluster
	want    string
},
) {
	t.Helper()
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := verdict(t, test.cluster.facts(t), id); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}
