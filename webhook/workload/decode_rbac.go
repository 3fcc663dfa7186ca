package workload

// rbac reads the fields of a role or of a binding; done is false for any other field.
func (d decoder) rbac(o *Object, name []byte) (done bool, err error) {
	switch {
	case o.Role != nil && string(name) == "rules":
		o.Role.Rules, err = list(d, d.rule)
	case o.Role != nil && o.Kind.Kind == "ClusterRole" && string(name) == "aggregationRule":
		err = d.aggregation(o.Role)
	case o.Binding != nil && string(name) == "roleRef":
		err = d.roleRef(o.Binding)
	case o.Binding != nil && string(name) == "subjects":
		o.Binding.Subjects, err = list(d, d.subject)
	default:
		return false, nil
	}
	return true, in(name, err)
}

func (d decoder) rule(r *Rule, _ int) error {
	_, err := d.Object(func(name []byte) (err error) {
		switch string(name) {
		case "verbs":
			r.Verbs, err = list(d, d.text)
		case "apiGroups":
			r.Groups, err = list(d, d.text)
		case "resources":
			r.Resources, err = list(d, d.text)
		case "resourceNames":
			r.Names, err = list(d, d.text)
		case "nonResourceURLs":
			r.URLs, err = list(d, d.text)
		default:
			return d.Skip()
		}
		return in(name, err)
	})
	return err
}

func (d decoder) aggregation(r *Role) error {
	_, err := d.Object(func(name []byte) (err error) {
		if string(name) != "clusterRoleSelectors" {
			return d.Skip()
		}
		r.Gathers, err = list(d, d.selector)
		return in(name, err)
	})
	return err
}

func (d decoder) selector(s *Selector, _ int) error {
	_, err := d.Object(func(name []byte) (err error) {
		switch string(name) {
		case "matchLabels":
			_, err = d.Object(func(key []byte) error {
				label := string(key)
				value, err := d.String()
				if s.Labels == nil {
					s.Labels = map[string]string{}
				}
				s.Labels[label] = value
				return in(label, err)
			})
		case "matchExpressions":
			s.Expressions, err = list(d, d.requirement)
		default:
			return d.Skip()
		}
		return in(name, err)
	})
	return err
}

func (d decoder) requirement(r *Requirement, _ int) error {
	_, err := d.Object(func(name []byte) (err error) {
		switch string(name) {
		case "key":
			r.Key, err = d.String()
		case "operator":
			r.Operator, err = d.String()
		case "values":
			r.Values, err = list(d, d.text)
		default:
			return d.Skip()
		}
		return in(name, err)
	})
	return err
}

func (d decoder) roleRef(b *Binding) error {
	_, err := d.Object(func(name []byte) (err error) {
		switch string(name) {
		case "kind":
			b.RoleKind, err = d.String()
		case "name":
			b.RoleName, err = d.String()
		default:
			return d.Skip()
		}
		return in(name, err)
	})
	return err
}

func (d decoder) subject(s *RBACSubject, _ int) error {
	_, err := d.Object(func(name []byte) (err error) {
		switch string(name) {
		case "kind":
			s.Kind, err = d.String()
		case "namespace":
			s.Namespace, err = d.String()
		case "name":
			s.Name, err = d.String()
		default:
			return d.Skip()
		}
		return in(name, err)
	})
	return err
}
