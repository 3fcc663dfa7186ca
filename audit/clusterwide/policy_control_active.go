package clusterwide

import (
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/registration"
)

const policyControl control.ID = "policy-control-active"

// Takeover are the controls by which hardgate counts as the policy control of a namespace,
// if it refuses the faults of all of them: the rows of level 1 in section 5.2 that Pod
// Security refuses at baseline, too. The others of that level, privilege-escalation and
// net-raw, are not asked for: of Pod Security they are not either.
func Takeover() []control.ID { return slices.Clone(takeover) }

var takeover = []control.ID{
	"privileged", "host-pid", "host-ipc", "host-network", "added-capabilities", "windows-host-process", "host-path", "host-ports",
}

// Labels of Pod Security. In which version of a level it is judged makes no difference
// here, and one that is misspelt means the latest.
const (
	enforceLabel = "pod-security.kubernetes.io/enforce"
	warnLabel    = "pod-security.kubernetes.io/warn"
	auditLabel   = "pod-security.kubernetes.io/audit"
)

// level is what Pod Security refuses in a namespace.
type level int

const (
	unlabelled level = iota
	watching         // warns or audits, and refuses nothing
	open             // "privileged" allows everything
	// misspelt is a value that is no level. The API server goes by "restricted" then, as
	// ParseLevel of k8s.io/pod-security-admission returns it; but it also refuses such a label
	// on the namespace, so that one which is there may mean that Pod Security is off.
	misspelt
	refusing
)

func levelOf(has map[string]string) level {
	switch value, ok := has[enforceLabel]; {
	case value == "baseline", value == "restricted":
		return refusing
	case value == "privileged":
		return open
	case ok:
		return misspelt
	}
	for _, l := range []string{warnLabel, auditLabel} {
		if _, ok := has[l]; ok {
			return watching
		}
	}
	return unlabelled
}

// policyControlActive: CIS 1.8 5.2.1. In every namespace something refuses what takes
// over a node: Pod Security at baseline at least, or hardgate, if it enforces all that
// Takeover lists and the API server asks it there and fails closed.
func (f *Facts) policyControlActive() Verdict {
	var by struct{ labels, rulings, unsure, unclear, exempt, bare, lax, mute, partial, unasked []string }
	exemptions, others := map[string]bool{}, map[string]bool{}
	names := f.judged()
	for _, name := range names {
		ns := f.Namespaces[name]
		has := labels.Set(ns.Labels)
		ruled := ns.Refused >= len(takeover)
		pod := levelOf(ns.Labels)
		switch {
		case pod == refusing:
			by.labels = append(by.labels, name)
			continue
		case ruled && f.gates.asked(has):
			by.rulings = append(by.rulings, name)
			continue
		}
		if e := f.exempt(policyControl, name); e != "" {
			by.exempt, exemptions[e] = append(by.exempt, name), true
			continue
		}
		if foreign := f.gates.others(has); len(foreign) > 0 {
			by.unsure = append(by.unsure, name)
			for _, o := range foreign {
				others[o] = true
			}
			continue
		}
		if pod == misspelt {
			by.unclear = append(by.unclear, name+"="+strconv.Quote(ns.Labels[enforceLabel]))
			continue
		}
		by.bare = append(by.bare, name)
		switch {
		case ruled:
			by.unasked = append(by.unasked, name)
		case ns.Refused > 0:
			by.partial = append(by.partial, name+" ("+strconv.Itoa(ns.Refused)+" of "+strconv.Itoa(len(takeover))+")")
		}
		switch pod {
		case open:
			by.lax = append(by.lax, name)
		case watching:
			by.mute = append(by.mute, name)
		case unlabelled, misspelt, refusing: // nothing more to say
		}
	}

	var e evidence
	covering := f.missing(webhookConfigurations, admissionPolicies, admissionBindings)
	unread := append(f.missing("namespaces"), covering...)
	status := control.Pass
	switch {
	case len(by.bare) > 0 && len(covering) == 0:
		status = control.Fail
	case len(unread) > 0 || len(names) == 0:
		status = control.Unknown
	case len(by.unsure)+len(by.unclear) > 0:
		status = control.ByHand
	case len(by.exempt) > 0:
		status = control.Exempt
	}
	if status == control.Unknown {
		e.all(unread)
		if len(names) == 0 {
			e.add("no namespace was read")
		}
	}
	e.names(by.bare, "%d of %s without an active policy control", len(by.bare), plural(len(names), "namespace"))
	e.names(by.unsure, "%s covered by %s, of which hardgate cannot tell what it refuses", plural(len(by.unsure), "namespace"), some(keys(others)))
	e.names(by.unclear, "Pod Security has a level that does not exist; the API server takes it for restricted, unless Pod Security is off")
	e.names(by.lax, "Pod Security allows everything at the level privileged")
	e.names(by.mute, "Pod Security warns or audits only")
	e.names(by.partial, "hardgate does not enforce all of %s", join(takeover))
	if len(by.unasked) > 0 {
		why := "the ValidatingWebhookConfiguration " + registration.Name + " does not ask there and fail closed"
		if !f.gates.registered {
			why = "there is no ValidatingWebhookConfiguration " + registration.Name
		}
		e.names(by.unasked, "hardgate enforces, but %s", why)
	}
	e.names(by.exempt, "exempt by %s", some(keys(exemptions)))
	e.names(by.labels, "%s covered by Pod Security", plural(len(by.labels), "namespace"))
	e.names(by.rulings, "%s covered by hardgate", plural(len(by.rulings), "namespace"))
	if status == control.Fail {
		e.all(unread)
	}
	return Verdict{policyControl, status, e}
}

func join(ids []control.ID) string {
	names := make([]string, 0, len(ids))
	for _, id := range ids {
		names = append(names, string(id))
	}
	return some(names)
}

func keys(set map[string]bool) []string {
	list := make([]string, 0, len(set))
	for k := range set {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}
