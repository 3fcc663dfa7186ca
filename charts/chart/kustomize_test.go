package chart_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/hardgate-dev/hardgate/charts/chart"
)

// overlay is a directory of somebody who installs, as the README has it.
func overlay(t *testing.T, components ...string) string {
	t.Helper()
	dir := t.TempDir()
	manifests, err := filepath.Abs("../../manifests")
	if err != nil {
		t.Fatal(err)
	}
	way, err := filepath.Rel(dir, manifests)
	if err != nil {
		t.Fatal(err)
	}
	text := "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [" + way + "]\n"
	for _, c := range components {
		text += "components: [" + path.Join(way, c) + "]\n"
	}
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// built is what kustomize makes of a directory, as `kubectl apply -k` does.
func built(t *testing.T, dir string) map[string]any {
	t.Helper()
	all, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		t.Fatal(err)
	}
	text, err := all.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	return byName(t, map[string]string{"kustomize.yaml": string(text)})
}

// byName are objects by their kinds and names.
func byName(t *testing.T, files map[string]string) map[string]any {
	t.Helper()
	found := map[string]any{}
	for _, o := range plain(t, files) {
		u := &unstructured.Unstructured{}
		if err := json.Unmarshal(o.JSON, &u.Object); err != nil {
			t.Fatal(err)
		}
		id := fmt.Sprintf("%s %s/%s", u.GroupVersionKind(), u.GetNamespace(), u.GetName())
		if found[id] != nil {
			t.Errorf("%s is there twice", id)
		}
		found[id] = u.Object
	}
	return found
}

// Who installs with `kubectl apply -k` gets object by object what who installs with Helm
// gets, whoever makes the certificate.
func TestKustomizeGivesWhatTheChartGives(t *testing.T) {
	crds := map[string]string{}
	for _, crd := range load(t).CRDObjects() {
		crds["crd/"+path.Base(crd.Name)] = string(crd.File.Data)
	}
	for issuer, components := range map[string][]string{"builtin": nil, "cert-manager": {"cert-manager"}} {
		t.Run(issuer, func(t *testing.T) {
			files := render(t, chart.Options{Service: "kustomize", Values: values(t, "certificates: {issuer: "+issuer+"}")})
			policies := maps.Clone(files)
			maps.DeleteFunc(policies, func(name, _ string) bool { return !strings.HasPrefix(name, "policies/") })
			maps.DeleteFunc(files, func(name, _ string) bool { return strings.HasPrefix(name, "policies/") })
			maps.Copy(files, crds)
			if diff := cmp.Diff(byName(t, files), built(t, overlay(t, components...))); diff != "" {
				t.Errorf("it is not what the chart gives (- chart, + kustomize):\n%s", diff)
			}
			if diff := cmp.Diff(byName(t, policies), built(t, "../../manifests/policies")); diff != "" {
				t.Errorf("the policies are not what the chart gives (- chart, + kustomize):\n%s", diff)
			}
		})
	}
}

// The two differ in what they are to differ in, and nothing of the built-in issuer's is left.
func TestVariantOfCertManager(t *testing.T) {
	base, variant := built(t, overlay(t)), built(t, overlay(t, "cert-manager"))
	var differ []string
	for id := range variant {
		if base[id] == nil {
			differ = append(differ, "+ "+id)
		} else if !cmp.Equal(base[id], variant[id]) {
			differ = append(differ, "! "+id)
		}
	}
	for id := range base {
		if variant[id] == nil {
			differ = append(differ, "- "+id)
		}
	}
	slices.Sort(differ)
	want := []string{
		"! admissionregistration.k8s.io/v1, Kind=MutatingWebhookConfiguration /hardgate",
		"! admissionregistration.k8s.io/v1, Kind=ValidatingWebhookConfiguration /hardgate",
		"! apps/v1, Kind=Deployment hardgate-system/hardgate-controller",
		"! rbac.authorization.k8s.io/v1, Kind=Role hardgate-system/hardgate-controller-certificates",
		"+ cert-manager.io/v1, Kind=Certificate hardgate-system/hardgate-ca",
		"+ cert-manager.io/v1, Kind=Certificate hardgate-system/hardgate-webhook",
		"+ cert-manager.io/v1, Kind=Issuer hardgate-system/hardgate-ca",
		"+ cert-manager.io/v1, Kind=Issuer hardgate-system/hardgate-selfsigned",
		"- rbac.authorization.k8s.io/v1, Kind=ClusterRole /hardgate-controller-certificates",
		"- rbac.authorization.k8s.io/v1, Kind=ClusterRoleBinding /hardgate-controller-certificates",
	}
	if diff := cmp.Diff(want, differ); diff != "" {
		t.Errorf("(- wanted, + found):\n%s", diff)
	}
}
