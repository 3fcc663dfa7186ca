package exemption

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/resource"
)

// Read reads an Exemption from JSON and says all that is wrong with it.
func Read(data []byte) (*v1alpha1.Exemption, error) {
	e, errs := resource.Decode[v1alpha1.Exemption](data, "Exemption")
	if e != nil {
		errs = append(errs, Validate(e)...)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return e, nil
}

// Validate returns what is wrong with an Exemption, each error with its field path.
func Validate(e *v1alpha1.Exemption) (errs []error) {
	s := &e.Spec
	if len(s.Controls) == 0 {
		errs = append(errs, errors.New("spec.controls: no control is named"))
	}
	ofNodes, ofObjects := false, false
	for i, id := range s.Controls {
		c, err := exemptable(id)
		if err != nil {
			errs = append(errs, fmt.Errorf("spec.controls[%d]: %w", i, err))
			continue
		}
		switch {
		case c.Face == control.Node && s.Nodes == nil && s.Objects != nil:
			errs = append(errs, fmt.Errorf("spec.controls[%d]: control %q judges nodes: say which in spec.nodes", i, id))
		case c.Face != control.Node && s.Objects == nil:
			errs = append(errs, fmt.Errorf("spec.controls[%d]: control %q judges workloads: say which objects in spec.objects", i, id))
		}
		ofNodes, ofObjects = ofNodes || c.Face == control.Node, ofObjects || c.Face != control.Node
	}
	if strings.TrimSpace(s.Reason) == "" {
		errs = append(errs, errors.New("spec.reason: say why"))
	}
	if strings.TrimSpace(s.Owner) == "" {
		errs = append(errs, errors.New("spec.owner: say who answers for it"))
	}
	if s.Expires.IsZero() {
		errs = append(errs, errors.New("spec.expires: say when it ends, as 2030-01-31T00:00:00Z"))
	}
	if s.Nodes != nil || s.Objects == nil && !ofObjects {
		errs = append(errs, validateNodes(s.Nodes)...)
	}
	if s.Objects != nil {
		errs = append(errs, validateObjects(s.Objects)...)
	}
	if s.Nodes != nil && ofObjects && !ofNodes {
		errs = append(errs, errors.New("spec.nodes: none of the controls judges nodes"))
	}
	if s.Objects != nil && ofNodes && !ofObjects {
		errs = append(errs, errors.New("spec.objects: none of the controls judges objects"))
	}
	return errs
}

// exemptable returns a control that a machine judges on nodes or on objects.
func exemptable(id string) (control.Control, error) {
	var ids []string
	for _, c := range control.All() {
		if c.Face != control.ControlPlane && (c.Kind == control.Measured || c.Kind == control.Manual) {
			if string(c.ID) == id {
				return c, nil
			}
			ids = append(ids, string(c.ID))
		}
	}
	return control.Control{}, fmt.Errorf("no control %q is judged on nodes or objects%s", id, control.Hint(id, ids))
}

func validateNodes(n *v1alpha1.ExemptNodes) (errs []error) {
	if n == nil || n.Selector == nil && len(n.Names) == 0 {
		return []error{errors.New("spec.nodes: say which nodes, by names or by selector")}
	}
	for i, name := range n.Names {
		if len(validation.IsDNS1123Subdomain(name)) > 0 {
			errs = append(errs, fmt.Errorf("spec.nodes.names[%d]: %q is no name of a node", i, name))
		}
	}
	if n.Selector != nil {
		if _, err := metav1.LabelSelectorAsSelector(n.Selector); err != nil {
			errs = append(errs, fmt.Errorf("spec.nodes.selector: %w", err))
		}
	}
	return errs
}

var (
	kindName  = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*(\.[a-z0-9.-]+)?$`)
	fieldPath = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*(\[(\*|[0-9]+)\])?(\.[A-Za-z][A-Za-z0-9]*(\[(\*|[0-9]+)\])?)*$`)
)

func validateObjects(o *v1alpha1.ExemptObjects) (errs []error) {
	if len(o.Namespaces)+len(o.Kinds)+len(o.Names)+len(o.ServiceAccounts)+len(o.Images) == 0 {
		errs = append(errs, errors.New("spec.objects: say which objects, by namespaces, kinds, names, serviceAccounts or images"))
	}
	each := func(field string, list []string, wrong func(string) string) {
		for i, value := range list {
			if problem := wrong(value); problem != "" {
				errs = append(errs, fmt.Errorf("spec.objects.%s[%d]: %q %s", field, i, value, problem))
			}
		}
	}
	each("namespaces", o.Namespaces, func(v string) string {
		if len(validation.IsDNS1123Label(v)) > 0 {
			return "is no name of a namespace; patterns are not taken, since tenants may choose names"
		}
		return ""
	})
	each("kinds", o.Kinds, func(v string) string {
		if kind, found := meant(v); found {
			return fmt.Sprintf("is no kind: write %q", kind)
		}
		if !kindName.MatchString(v) {
			return `is no kind: write "Deployment" or "Deployment.apps"`
		}
		return ""
	})
	each("names", o.Names, func(v string) string {
		if v == "" || strings.ContainsAny(v, " /") {
			return "is no name of an object"
		}
		return ""
	})
	each("serviceAccounts", o.ServiceAccounts, func(v string) string {
		for part := range strings.SplitSeq(v, "/") {
			if strings.Count(v, "/") > 1 || len(validation.IsDNS1123Subdomain(part)) > 0 {
				return `is no account: write its name, or "namespace/name"`
			}
		}
		return ""
	})
	each("images", o.Images, func(v string) string {
		below, _ := strings.CutSuffix(v, "/*")
		switch {
		case below == "" || strings.ContainsFunc(v, unicode.IsSpace):
			return "is no image"
		case strings.Contains(v, "://"):
			return "has a scheme: write the image as containers do"
		case strings.HasSuffix(v, "/"):
			return fmt.Sprintf(`is no image: write %q for all below it`, v+"*")
		case strings.Contains(below, "*"):
			return `has a "*" that is not "/*" at its end: it could mean what others may name`
		}
		return ""
	})
	each("fieldPaths", o.FieldPaths, func(v string) string {
		if !fieldPath.MatchString(v) {
			return `is no field: write it as messages do, "[*]" for any index`
		}
		return ""
	})
	return errs
}
