package chart

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"

	"github.com/hardgate-dev/hardgate/manifest"
)

// variants are the directories of manifests that are components of kustomize, and the
// values by which the chart gives what they make of the rest.
var variants = map[string]struct {
	about  string
	values map[string]any
}{
	"cert-manager": {
		"Named as a component by a kustomization that has the directory above as a resource: cert-manager makes the certificate.",
		map[string]any{"certificates": map[string]any{"issuer": "cert-manager"}},
	},
}

// vary is a component of kustomize: the objects that base does not have, and a patch for
// each that is another or none.
func vary(c *chartv2.Chart, base map[string]string, about string, values map[string]any) (map[string]string, error) {
	varied, err := Render(c, Options{Service: kustomize, Values: values})
	if err != nil {
		return nil, err
	}
	var resources, patches []string
	files := map[string]string{}
	add := func(list *[]string, name, text string) error {
		if _, twice := files[name]; twice {
			return fmt.Errorf("two files are %s", name)
		}
		files[name] = heading + text
		*list = append(*list, name)
		return nil
	}
	for name := range base {
		if _, there := varied[name]; !there {
			varied[name] = ""
		}
	}
	for _, name := range slices.Sorted(maps.Keys(varied)) {
		was, there := base[name]
		switch {
		case path.Ext(name) != ".yaml" || was == varied[name]:
		case slices.Contains(later, path.Dir(name)):
			return nil, fmt.Errorf("%s is another, and is not applied with the rest", name)
		case !there:
			err = add(&resources, path.Base(name), varied[name])
		default:
			var changes map[string]string
			if changes, err = patchesFor(name, was, varied[name]); err != nil {
				return nil, err
			}
			for _, file := range slices.Sorted(maps.Keys(changes)) {
				err = errors.Join(err, add(&patches, file, changes[file]))
			}
		}
		if err != nil {
			return nil, err
		}
	}
	files["kustomization.yaml"] = component(about, resources, patches)
	return files, nil
}

// patchesFor are the strategic merge patches that make the objects of one file those of
// another, which has none that is new.
func patchesFor(name, from, to string) (map[string]string, error) {
	was, err := read(name, from)
	if err != nil {
		return nil, err
	}
	is, err := read(name, to)
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for id, old := range was {
		patch := map[string]any{"$patch": "delete"}
		if now, there := is[id]; there {
			if patch, err = difference(old, now); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", name, id, err)
			}
		}
		if len(patch) == 0 {
			continue
		}
		u := &unstructured.Unstructured{Object: patch}
		u.SetGroupVersionKind(old.GroupVersionKind())
		u.SetName(old.GetName())
		if ns := old.GetNamespace(); ns != "" {
			u.SetNamespace(ns)
		}
		text, err := yaml.Marshal(u.Object)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", name, id, err)
		}
		files[strings.ToLower(old.GetKind())+"-"+old.GetName()+".yaml"] = string(text)
	}
	for id := range is {
		if was[id] == nil {
			return nil, fmt.Errorf("%s: %s is new: it needs a template of its own", name, id)
		}
	}
	return files, nil
}

// read reads the objects of a file by their kinds and names.
func read(name, text string) (map[string]*unstructured.Unstructured, error) {
	set, errs := manifest.Read(strings.NewReader(text), name)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	all := map[string]*unstructured.Unstructured{}
	for _, o := range set.Objects {
		u := &unstructured.Unstructured{}
		if err := json.Unmarshal(o.JSON, &u.Object); err != nil {
			return nil, fmt.Errorf("%s: %w", o.Source, err)
		}
		all[u.GroupVersionKind().GroupKind().String()+" "+u.GetNamespace()+"/"+u.GetName()] = u
	}
	return all, nil
}

// difference is a strategic merge patch of fields and values alone: what else there is in
// such patches, kustomize may understand otherwise than an API server.
func difference(was, is *unstructured.Unstructured) (map[string]any, error) {
	typed, err := scheme.Scheme.New(is.GroupVersionKind())
	if err != nil {
		return nil, err
	}
	from, err := json.Marshal(was)
	if err != nil {
		return nil, err
	}
	to, err := json.Marshal(is)
	if err != nil {
		return nil, err
	}
	text, err := strategicpatch.CreateTwoWayMergePatch(from, to, typed)
	if err != nil {
		return nil, err
	}
	var patch map[string]any
	if err := json.Unmarshal(text, &patch); err != nil {
		return nil, err
	}
	return patch, simplify(patch)
}

// simplify takes the order of lists out of a patch, which is that of the base.
func simplify(value any) error {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			switch {
			case strings.HasPrefix(key, "$setElementOrder/"):
				delete(value, key)
			case strings.HasPrefix(key, "$") || inner == nil:
				return fmt.Errorf("%s is taken away", key)
			default:
				if err := simplify(inner); err != nil {
					return err
				}
			}
		}
	case []any:
		for _, inner := range value {
			if err := simplify(inner); err != nil {
				return err
			}
		}
	}
	return nil
}
