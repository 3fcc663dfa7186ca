package manifest

import (
	"bytes"
	"path/filepath"
	"strings"
)

const (
	helmHint      = `; it looks like a template: render it first ("helm template CHART | hardgate check -f -")`
	kustomizeHint = `: build it first ("kubectl kustomize DIR | hardgate check -f -")`
)

// hint is the tail of an error about text that is no YAML.
func hint(name string, text []byte) string {
	if bytes.Contains(text, []byte("{{")) || isChart(name) {
		return helmHint
	}
	return ""
}

// quoteHint is the tail of an error about a scalar that is no string.
func quoteHint(msg string) string {
	switch msg {
	case "true where a string should be", "false where a string should be", "a number where a string should be":
		return ": quote it, as YAML takes a bare n, no, on or 123 for no string"
	}
	return ""
}

// chartHint is the tail of an error about an object without a kind.
func chartHint(name string) string {
	if isChart(name) {
		return helmHint
	}
	return ""
}

// isChart is whether the file is one of those beside a Helm chart's templates.
func isChart(name string) bool {
	base := strings.ToLower(filepath.Base(name))
	return base == "chart.yaml" || base == "values.yaml"
}

// isKustomizationFile is whether kustomize looks for a file of the name.
func isKustomizationFile(name string) bool {
	switch filepath.Base(name) {
	case "kustomization.yaml", "kustomization.yml", "Kustomization":
		return true
	}
	return false
}

// isKustomization is whether the object is kustomize's input, which may lack its
// kind in a file of that name. The Kustomization of Flux is an object of a cluster.
func isKustomization(h head, file string) bool {
	if h.apiVersion == "" && h.kind == "" {
		return isKustomizationFile(file)
	}
	return strings.HasPrefix(h.apiVersion, "kustomize.config.k8s.io/")
}
