package chart

import (
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
)

// later are the directories of manifests that are applied once the rest stands: the API
// server asks the webhook about them.
var later = []string{"policies"}

// kustomize manages what is rendered here.
const kustomize = "kustomize"

const heading = "# Rendered from charts/hardgate by `make generate`.\n"

// Manifests are the files of manifests/ by their paths, as the chart gives them for who
// uses no Helm: one for each template, what kustomize needs to know of them, and a
// directory for each variant. The CRDs are there already, as controller-gen writes them.
func Manifests(c *chartv2.Chart) (map[string]string, error) {
	files, err := Render(c, Options{Service: kustomize})
	if err != nil {
		return nil, err
	}
	delete(files, "NOTES.txt")
	varied := map[string]string{}
	for _, dir := range slices.Sorted(maps.Keys(variants)) {
		of, err := vary(c, files, variants[dir].about, variants[dir].values)
		if err != nil {
			return nil, fmt.Errorf("rendering %s: %w", dir, err)
		}
		for name, text := range of {
			varied[path.Join(dir, name)] = text
		}
	}
	var base []string
	byDirectory := map[string][]string{}
	for _, crd := range c.CRDObjects() {
		base = append(base, "crd/"+path.Base(crd.Name))
	}
	for name := range files {
		dir, file := path.Split(name)
		if dir = path.Clean(dir); slices.Contains(later, dir) {
			byDirectory[dir] = append(byDirectory[dir], file)
		} else {
			base = append(base, name)
		}
		files[name] = heading + files[name]
	}
	files["kustomization.yaml"] = kustomization("All of hardgate but its policies. Those go after it: see policies/.", base)
	for dir, list := range byDirectory {
		files[dir+"/kustomization.yaml"] = kustomization("Applied once the webhook is ready, which is asked about them.", list)
	}
	maps.Copy(files, varied)
	return files, nil
}

func kustomization(about string, resources []string) string {
	return heading + "# " + about + "\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n" + list("resources", "- ", resources)
}

func component(about string, resources, patches []string) string {
	return heading + "# " + about + "\napiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n" +
		list("resources", "- ", resources) + list("patches", "- path: ", patches)
}

// list is empty for no names.
func list(key, before string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	return key + ":\n" + before + strings.Join(slices.Sorted(slices.Values(names)), "\n"+before) + "\n"
}

// Write writes files below a directory. In the directories that it writes to, it removes
// the YAML files that are not among them.
func Write(dir string, files map[string]string) error {
	for name := range files {
		in := filepath.Join(dir, path.Dir(name))
		if err := os.MkdirAll(in, 0o755); err != nil { //nolint:gosec // a checkout's directory
			return fmt.Errorf("writing %s: %w", name, err)
		}
		if path.Dir(name) == "." {
			continue
		}
		there, err := filepath.Glob(filepath.Join(in, "*.yaml"))
		if err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
		for _, old := range there {
			if _, wanted := files[path.Join(path.Dir(name), filepath.Base(old))]; wanted {
				continue
			}
			if err := os.Remove(old); err != nil {
				return fmt.Errorf("removing what is rendered no more: %w", err)
			}
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil { //nolint:gosec // a checkout's file
			return fmt.Errorf("writing %s: %w", name, err)
		}
	}
	return nil
}
