package workload

func (d decoder) containerOf(field string) func(*Container, int) error {
	return func(c *Container, i int) error {
		c.List, c.Index = field, i
		return d.container(c)
	}
}

func (d decoder) container(c *Container) error {
	_, err := d.Object(func(name []byte) (err error) {
		switch string(name) {
		case "name":
			c.Name, err = d.String()
		case "image":
			c.Image, err = d.String()
		case "securityContext":
			err = d.security(&c.Security, podsOnly)
		case "ports":
			c.Ports, err = list(d, d.port)
		case "env":
			c.Env, err = some(d, d.envVar)
		case "envFrom":
			c.EnvFrom, err = some(d, d.envFrom)
		case "volumeMounts":
			c.Mounts, err = list(d, d.mount)
		default:
			return d.Skip()
		}
		return in(name, err)
	})
	return err
}

func (d decoder) port(p *Port, i int) error {
	p.Index = i
	_, err := d.Object(func(name []byte) (err error) {
		switch string(name) {
		case "hostPort":
			p.HostPort, _, err = d.Int()
		case "containerPort":
			p.ContainerPort, _, err = d.Int()
		case "hostIP":
			p.HostIP, err = d.String()
		case "protocol":
			p.Protocol, err = d.String()
		default:
			return d.Skip()
		}
		return in(name, err)
	})
	return err
}

// envVar keeps a variable that comes from a Secret.
func (d decoder) envVar(e *EnvVar, i int) (keep bool, err error) {
	e.Index = i
	var called []byte
	_, err = d.Object(func(name []byte) (err error) {
		switch string(name) {
		case "name":
			called, err = d.Bytes()
		case "valueFrom":
			_, err = d.Object(func(name []byte) (err error) {
				if string(name) != "secretKeyRef" {
					return d.Skip()
				}
				keep, err = d.secretKey(e)
				return in("secretKeyRef", err)
			})
		default:
			return d.Skip()
		}
		return in(name, err)
	})
	if keep {
		e.Name = string(called)
	}
	return keep, err
}

func (d decoder) secretKey(e *EnvVar) (present bool, err error) {
	return d.Object(func(name []byte) (err error) {
		switch string(name) {
		case "name":
			e.Secret, err = d.String()
		case "key":
			e.Key, err = d.String()
		default:
			return d.Skip()
		}
		return in(name, err)
	})
}

// envFrom keeps a source that is a Secret.
func (d decoder) envFrom(e *EnvFrom, i int) (keep bool, err error) {
	e.Index = i
	_, err = d.Object(func(name []byte) (err error) {
		if string(name) != "secretRef" {
			return d.Skip()
		}
		var ref Optional[string]
		err = d.oneOf("name", &ref)
		e.Secret, keep = ref.Value, ref.Set
		return in("secretRef", err)
	})
	return keep, err
}

func (d decoder) mount(m *Mount, _ int) error {
	_, err := d.Object(func(name []byte) (err error) {
		switch string(name) {
		case "name":
			m.Volume, err = d.String()
		case "readOnly":
			err = d.flag(&m.ReadOnly)
		default:
			return d.Skip()
		}
		return in(name, err)
	})
	return err
}
