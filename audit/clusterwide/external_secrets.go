package clusterwide

import (
	"encoding/json"

	"github.com/hardgate-dev/hardgate/control"
)

const secretsStore = "secrets-store.csi.k8s.io"

// spread is how many objects there are, and in how many namespaces.
type spread struct {
	objects    int
	namespaces map[string]bool
}

func (f *Facts) readDriver(item []byte) error {
	var d named
	if err := json.Unmarshal(item, &d); err != nil {
		return err
	}
	if d.Metadata.Name == secretsStore {
		f.drivers[d.Metadata.Name] = true
	}
	return nil
}

// stored counts the objects by which values come from a store. They name values and hold
// none, and no more than their metadata is read.
func stored(resource string) func(*Facts, []byte) error {
	return func(f *Facts, item []byte) error {
		var o named
		if err := json.Unmarshal(item, &o); err != nil {
			return err
		}
		s := f.stores[resource]
		if s == nil {
			s = &spread{namespaces: map[string]bool{}}
			f.stores[resource] = s
		}
		s.objects++
		s.namespaces[o.Metadata.Namespace] = true
		return nil
	}
}

// externalSecrets: CIS 1.8 5.4.2. Which stores are connected can be seen. What is kept in
// Secrets is not read, so that whether it belongs there is not known either.
func (f *Facts) externalSecrets() Verdict {
	var e evidence
	any := f.drivers[secretsStore]
	if any {
		e.add("the CSIDriver %s is installed", secretsStore)
	}
	for _, r := range []string{secretProviders, externalSecrets} {
		switch s := f.stores[r]; {
		case s != nil:
			e.add("%s: %s in %s", r, plural(s.objects, "object"), plural(len(s.namespaces), "namespace"))
		case f.served[r]:
			e.add("%s: served, and none is there", r)
		default:
			continue
		}
		any = true
	}
	unread := f.missing(csiDrivers, secretProviders, externalSecrets)
	if !any && len(unread) == 0 {
		e.add("no external store is connected in a way that hardgate knows: no CSIDriver %s, no ExternalSecrets", secretsStore)
	}
	e.all(unread)
	return Verdict{"external-secrets", control.ByHand, e}
}
