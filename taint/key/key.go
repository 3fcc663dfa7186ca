// Package key knows the keys of hardgate's taints. They are configurable, since the
// cluster-autoscaler tells its kinds of taints by their prefixes, and yet each can be
// recognised by itself: admission policies, the webhook and the controller need not
// be told the same configuration to agree on whose a taint is.
package key

import (
	"fmt"
	"regexp"
	"strings"
)

// The keys unless others are configured.
const (
	// Drifted is on nodes that fail what is enforced or warned of.
	Drifted = domain + drifted
	// Unverified is on nodes that have not been checked yet.
	Unverified = domain + unverified
)

const (
	domain = "hardgate.dev/"
	// foreign begins the name of a key in any other domain.
	foreign    = "hardgate-"
	drifted    = "drifted"
	unverified = "unverified"
)

// Pattern matches the keys that are hardgate's, whatever is configured, as RE2, which
// CEL has too.
const Pattern = `^(hardgate[.]dev/|[^/]+/hardgate-)(drifted|unverified)$`

// IsDrifted is whether a key is one of drifted nodes.
func IsDrifted(key string) bool { return is(key, drifted) }

// IsUnverified is whether a key is one of nodes that have not been checked.
func IsUnverified(key string) bool { return is(key, unverified) }

// Ours is whether a key is hardgate's.
func Ours(key string) bool { return IsDrifted(key) || IsUnverified(key) }

func is(key, name string) bool {
	prefix, found := strings.CutSuffix(key, name)
	if !found {
		return false
	}
	if prefix == domain {
		return true
	}
	before, found := strings.CutSuffix(prefix, "/"+foreign)
	return found && before != "" && !strings.Contains(before, "/")
}

// CheckDrifted is an error unless key can be configured for drifted nodes.
func CheckDrifted(key string) error { return check(key, drifted) }

// CheckUnverified is an error unless key can be configured for nodes that have not
// been checked.
func CheckUnverified(key string) error { return check(key, unverified) }

// domainName is what the API server takes before the slash.
var domainName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)

const longestDomain = 253

func check(key, name string) error {
	if is(key, name) {
		// With a key that the API server refuses, no node could register any more.
		before, _, _ := strings.Cut(key, "/")
		if len(before) > longestDomain || !domainName.MatchString(before) {
			return fmt.Errorf("%q begins with %q, which is no domain", key, before)
		}
		return nil
	}
	return fmt.Errorf("%q cannot be told from other taints: use %s%s, or a domain of your own and %s%s, such as status-taint.cluster-autoscaler.kubernetes.io/%s%s",
		key, domain, name, foreign, name, foreign, name)
}
