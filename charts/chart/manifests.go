package chart

import (
	"fmt"
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

// Manifests are the files of manifests/ by their paths, as the chart gives them for who
// uses no Helm: one for each template, and what kustomize needs to know of them. The CRDs
// are there already, as controller-gen writes them.
func Manifests(c *chartv2.Chart) (map[string]string, error) {
	files, err := Render(c, Options{Service: "kustomize"})
	if err != nil {
		return nil, err
	}
	delete(files, "NOTES.txt")
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
		files[name] = "# Rendered from charts/hardgate by `make generate`.\n" + files[name]
	}
	files["kustomization.yaml"] = kustomization("All of hardgate but its policies. Those go after it: see policies/.", base)
	for dir, list := range byDirectory {
		files[dir+"/kustomization.yaml"] = kustomization("Applied once the webhook is ready, which is asked about them.", list)
	}
	return files, nil
}

func kustomization(about string, resources []string) string {
	slices.Sort(resources)
	var text strings.Builder
	text.WriteString("# Rendered from charts/hardgate by `make generate`.\n# " + about + "\n")
	text.WriteString("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n")
	for _, r := range resources {
		text.WriteString("- " + r + "\n")
	}
	return text.String()
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
