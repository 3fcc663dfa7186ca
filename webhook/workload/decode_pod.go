package workload

import (
	"reflect"
	"slices"
	"strconv"
)

// podSpec reads a pod spec; found is false when it is null.
func (d decoder) podSpec(p *Pod) (found bool, err error) {
	var deprecatedAccount string
	found, err = d.Object(func(name []byte) (err error) {
		switch string(name) {
		case "hostPID":
			err = d.flag(&p.HostPID)
		case "hostIPC":
			err = d.flag(&p.HostIPC)
		case "hostNetwork":
			err = d.flag(&p.HostNetwork)
		case "os":
			err = d.one("name", &p.OS)
		case "nodeName":
			p.NodeName, err = d.String()
		case "serviceAccountName":
			p.ServiceAccount, err = d.String()
		case "serviceAccount":
			deprecatedAccount, err = d.String()
		case "automountServiceAccountToken":
			err = d.bool(&p.Automount)
		case "securityContext":
			err = d.security(&p.Security, containersOnly)
		case "tolerations":
			err = d.tolerations(p)
		case "volumes":
			p.Volumes, err = list(d, d.volume)
		case "initContainers":
			p.init, err = list(d, d.containerOf("initContainers"))
		case "containers":
			p.main, err = list(d, d.containerOf("containers"))
		case "ephemeralContainers":
			p.ephemeral, err = list(d, d.containerOf("ephemeralContainers"))
		default:
			return d.Skip()
		}
		return in(name, err)
	})
	if p.ServiceAccount == "" {
		p.ServiceAccount = deprecatedAccount
	}
	return found, err
}

// list reads a list whose elements all matter.
func list[T any](d decoder, read func(*T, int) error) ([]T, error) {
	var all []T
	err := d.List(func(i int) error {
		if all == nil {
			all = make([]T, 0, usual[T]())
		}
		all = append(all, *new(T))
		return atIndex(i, read(&all[i], i))
	})
	return all, err
}

// usual is how many elements a list is given room for at first: growing one by one
// copies them again and again.
func usual[T any]() int {
	const room = 1024
	return int(min(max(room/max(reflect.TypeFor[T]().Size(), 1), 2), 8))
}

// some reads a list and keeps the elements that keep says are of interest.
func some[T any](d decoder, read func(*T, int) (keep bool, err error)) ([]T, error) {
	var kept []T
	err := d.List(func(i int) error {
		kept = append(kept, *new(T))
		last := len(kept) - 1
		keep, err := read(&kept[last], i)
		if !keep {
			kept = kept[:last]
		}
		return atIndex(i, err)
	})
	return kept, err
}

func atIndex(i int, err error) error {
	if err == nil {
		return nil
	}
	return in("["+strconv.Itoa(i)+"]", err)
}

// flag reads a bool whose absence means false.
func (d decoder) flag(to *bool) (err error) {
	*to, _, err = d.Bool()
	return err
}

func (d decoder) bool(to *Optional[bool]) (err error) {
	to.Value, to.Set, err = d.Bool()
	return err
}

func (d decoder) int(to *Optional[int64]) (err error) {
	to.Value, to.Set, err = d.Int()
	return err
}

// one reads an object of which only one string matters.
func (d decoder) one(field string, to *string) error {
	_, err := d.Object(func(name []byte) (err error) {
		if string(name) != field {
			return d.Skip()
		}
		*to, err = d.String()
		return in(field, err)
	})
	return err
}

// oneOf is one for an object whose presence matters too.
func (d decoder) oneOf(field string, to *Optional[string]) error {
	present, err := d.Object(func(name []byte) (err error) {
		if string(name) != field {
			return d.Skip()
		}
		to.Value, err = d.String()
		return in(field, err)
	})
	to.Set = present
	return err
}

// Fields of one of the two security contexts that the other does not have. The API
// server drops them there; a manifest may have them, and they say nothing.
var (
	containersOnly = []string{"allowPrivilegeEscalation", "capabilities", "privileged", "procMount", "readOnlyRootFilesystem"}
	podsOnly       = []string{
		"fsGroup", "fsGroupChangePolicy", "seLinuxChangePolicy", "supplementalGroups", "supplementalGroupsPolicy", "sysctls",
	}
)

// security reads a security context without the fields that belong elsewhere.
func (d decoder) security(s *Security, elsewhere []string) error {
	_, err := d.Object(func(name []byte) (err error) {
		if slices.Contains(elsewhere, string(name)) {
			return d.Skip()
		}
		set := false
		switch string(name) {
		case "privileged":
			err = d.bool(&s.Privileged)
			set = s.Privileged.Set
		case "allowPrivilegeEscalation":
			err = d.bool(&s.AllowPrivilegeEscalation)
			set = s.AllowPrivilegeEscalation.Set
		case "runAsNonRoot":
			err = d.bool(&s.RunAsNonRoot)
			set = s.RunAsNonRoot.Set
		case "runAsUser":
			err = d.int(&s.RunAsUser)
			set = s.RunAsUser.Set
		case "capabilities":
			err = d.capabilities(s)
			set = len(s.Add)+len(s.Drop) > 0
		case "seccompProfile":
			err = d.seccomp(&s.Seccomp)
			set = s.Seccomp.Type != "" || s.Seccomp.LocalhostProfile != ""
		case "windowsOptions":
			set, err = d.windowsOptions(s)
		default:
			var empty bool
			empty, err = d.SkipEmpty()
			set = !empty
		}
		if set {
			s.Fields++
		}
		return in(name, err)
	})
	return err
}

func (d decoder) capabilities(s *Security) error {
	_, err := d.Object(func(name []byte) (err error) {
		switch string(name) {
		case "add":
			s.Add, err = list(d, d.text)
		case "drop":
			s.Drop, err = list(d, d.text)
		default:
			return d.Skip()
		}
		return in(name, err)
	})
	return err
}

func (d decoder) text(to *string, _ int) (err error) {
	*to, err = d.String()
	return err
}

func (d decoder) seccomp(p *Seccomp) error {
	present, err := d.Object(func(name []byte) (err error) {
		switch string(name) {
		case "type":
			p.Type, err = d.String()
		case "localhostProfile":
			p.LocalhostProfile, err = d.String()
		default:
			return d.Skip()
		}
		return in(name, err)
	})
	p.Set = present
	return err
}

// windowsOptions says whether any option is set.
func (d decoder) windowsOptions(s *Security) (set bool, err error) {
	_, err = d.Object(func(name []byte) error {
		if string(name) != "hostProcess" {
			empty, err := d.SkipEmpty()
			set = set || !empty
			return err
		}
		err := d.bool(&s.HostProcess)
		set = set || s.HostProcess.Set
		return in("hostProcess", err)
	})
	return set, err
}

func (d decoder) volume(v *Volume, i int) error {
	v.Index = i
	_, err := d.Object(func(name []byte) (err error) {
		switch string(name) {
		case "name":
			v.Name, err = d.String()
		case "hostPath":
			err = d.oneOf("path", &v.HostPath)
		case "image":
			err = d.oneOf("reference", &v.Image)
		case "projected":
			_, err = d.Object(func(name []byte) (err error) {
				if string(name) != "sources" {
					return d.Skip()
				}
				v.Tokens, err = some(d, d.tokenSource)
				return in("sources", err)
			})
		default:
			return d.Skip()
		}
		return in(name, err)
	})
	return err
}

func (d decoder) tokenSource(t *TokenSource, i int) (keep bool, err error) {
	t.Index = i
	_, err = d.Object(func(name []byte) (err error) {
		if string(name) != "serviceAccountToken" {
			return d.Skip()
		}
		keep, err = d.Object(func(name []byte) (err error) {
			switch string(name) {
			case "audience":
				t.Audience, err = d.String()
			case "path":
				t.Path, err = d.String()
			default:
				return d.Skip()
			}
			return in(name, err)
		})
		return in("serviceAccountToken", err)
	})
	return keep, err
}
