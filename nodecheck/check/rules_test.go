package check

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNewRules: a rule is that of the edition asked for, that of the source documents
// where none has it, and the stricter one where several differ, in whatever order
// they are named.
func TestNewRules(t *testing.T) {
	const (
		aks    = "aks-host-2019"
		ubuntu = "cis-ubuntu-22.04-3.0.0"
		k8s    = "cis-kubernetes-"
	)
	source := Rules{
		PasswordMaxDays: 90, PasswordInactiveDays: 30,
		SSHMACs: macs2016, ClientCAMode: 0o600, TLSRSASuites: true,
	}
	with := func(change func(*Rules)) Rules {
		r := source
		change(&r)
		return r
	}
	strict := func(r *Rules) {
		r.DenyListModules, r.BannerHidesDistribution, r.IPv6Redirects = true, true, true
		r.SSHMACs, r.SSHDisableForwarding, r.DictionaryCheck, r.EmptySuGroup = macs2024, true, true, true
	}
	tests := map[string]struct {
		benchmarks []string
		want       Rules
	}{
		"none":            {nil, source},
		"host document":   {[]string{aks}, source},
		"oldest":          {[]string{k8s + "1.8.0"}, source},
		"oldest on AKS":   {[]string{k8s + "1.8.0-aks"}, source},
		"1.11":            {[]string{k8s + "1.11.0"}, with(func(r *Rules) { r.ClientCAMode = 0o644 })},
		"1.12":            {[]string{k8s + "1.12.0"}, with(func(r *Rules) { r.ClientCAMode, r.TLSRSASuites = 0o644, false })},
		"1.11 and 1.12":   {[]string{k8s + "1.11.0", k8s + "1.12.0"}, with(func(r *Rules) { r.ClientCAMode, r.TLSRSASuites = 0o644, false })},
		"1.12 and 1.11":   {[]string{k8s + "1.12.0", k8s + "1.11.0"}, with(func(r *Rules) { r.ClientCAMode, r.TLSRSASuites = 0o644, false })},
		"1.12 and oldest": {[]string{k8s + "1.12.0", k8s + "1.8.0"}, with(func(r *Rules) { r.TLSRSASuites = false })},
		"1.11 and AKS":    {[]string{k8s + "1.8.0-aks", k8s + "1.11.0"}, source},
		"Ubuntu": {[]string{ubuntu}, with(func(r *Rules) {
			strict(r)
			r.PasswordMaxDays, r.PasswordInactiveDays, r.LockedRoot, r.MinClassSuffices = 365, 45, true, true
		})},
		"Ubuntu and the host document": {[]string{ubuntu, aks}, with(strict)},
		"the host document and Ubuntu": {[]string{aks, ubuntu}, with(strict)},
		"Ubuntu and 1.11": {[]string{ubuntu, k8s + "1.11.0"}, with(func(r *Rules) {
			strict(r)
			r.PasswordMaxDays, r.PasswordInactiveDays, r.LockedRoot, r.MinClassSuffices = 365, 45, true, true
			r.ClientCAMode = 0o644
		})},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(&tt.want, NewRules(tt.benchmarks...)); diff != "" {
				t.Errorf("rules (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSelect: modules that a site adds are judged, whatever the benchmarks number.
func TestSelect(t *testing.T) {
	const aks = "aks-host-2019"
	tests := map[string]struct {
		modules, benchmarks []string
		want                int
	}{
		"all":                    {nil, nil, len(All())},
		"all, with modules":      {[]string{"floppy"}, nil, len(All())},
		"host document":          {nil, []string{aks}, 36},
		"host document, modules": {[]string{"floppy"}, []string{aks}, 37},
		"nothing of nodes":       {[]string{"floppy"}, []string{"none"}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			rules := NewRules(tt.benchmarks...)
			rules.Modules = tt.modules
			if got := Select(rules, tt.benchmarks...); len(got) != tt.want {
				t.Errorf("%d checks, want %d", len(got), tt.want)
			}
		})
	}
	if len(In(All(), aks)) != 36 {
		t.Error("the list of a benchmark was changed")
	}
}
