package offline

import (
	"fmt"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/hardgate-dev/hardgate/webhook/scan"
)

// readLabels reads metadata.labels.
func readLabels(json []byte) (labels.Set, error) {
	set := labels.Set{}
	s := scan.New(json)
	err := members(s, map[string]func() error{"metadata": func() error {
		return members(s, map[string]func() error{"labels": func() error {
			_, err := s.Object(func(name []byte) error {
				key := string(name)
				value, err := s.String()
				if err != nil {
					return fmt.Errorf("metadata.labels[%q]: %w", key, err)
				}
				set[key] = value
				return nil
			})
			return err
		}})
	}})
	return set, err
}

// readDefinition reads which kind a CustomResourceDefinition defines, and its scope.
func readDefinition(json []byte) (kind groupKind, of scope, err error) {
	var scoped string
	s := scan.New(json)
	err = members(s, map[string]func() error{"spec": func() error {
		return members(s, map[string]func() error{
			"group": into(s, &kind.group, "spec.group"),
			"scope": into(s, &scoped, "spec.scope"),
			"names": func() error {
				return members(s, map[string]func() error{"kind": into(s, &kind.kind, "spec.names.kind")})
			},
		})
	}})
	switch scoped {
	case "Cluster":
		of = clusterScoped
	case "Namespaced":
		of = namespaced
	default:
		of = unknownScope
	}
	return kind, of, err
}

// members reads the members of an object that have a reader and skips the others.
func members(s *scan.Scanner, read map[string]func() error) error {
	_, err := s.Object(func(name []byte) error {
		if r, ok := read[string(name)]; ok {
			return r()
		}
		return s.Skip()
	})
	return err
}

func into(s *scan.Scanner, to *string, path string) func() error {
	return func() (err error) {
		if *to, err = s.String(); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	}
}
