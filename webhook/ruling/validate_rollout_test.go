package ruling

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestValidateRollout(t *testing.T) {
	tests := map[string]struct {
		spec     string
		errors   []string
		warnings []string
	}{
		"all is said":   {spec: "{mode: Audit, rollout: {target: Enforce, cleanWindow: 168h, pins: [{namespaces: [shop], mode: Warn}], exclude: [{controls: [host-path]}]}}"},
		"nothing":       {spec: "{mode: Warn, rollout: {}}"},
		"target":        {spec: "{mode: Audit, rollout: {target: Audit}}", errors: []string{`spec.rollout.target: unknown target "Audit": use one of Warn, Enforce`}},
		"a slip":        {spec: "{mode: Audit, rollout: {target: Enfroce}}", errors: []string{`spec.rollout.target: unknown target "Enfroce", did you mean "Enforce"?`}},
		"window":        {spec: "{mode: Audit, rollout: {cleanWindow: -1h}}", errors: []string{"spec.rollout.cleanWindow: -1h0m0s is not between none and 8784h0m0s"}},
		"a long window": {spec: "{mode: Audit, rollout: {cleanWindow: 99999h}}", errors: []string{"spec.rollout.cleanWindow: 99999h0m0s is not between none and 8784h0m0s"}},
		"cells": {spec: "{mode: Audit, rollout: {exclude: [{}], pins: [{namespaces: ['a*'], controls: [host-pth]}]}}", errors: []string{
			"spec.rollout.exclude[0]: say which cells, by namespaces or controls; to hold all, pause the rollout",
			`spec.rollout.pins[0].namespaces[0]: "a*" is no name of a namespace`,
			`spec.rollout.pins[0].controls[0]: unknown control "host-pth", did you mean "host-path"?`,
			"spec.rollout.pins[0].mode: say which",
		}},
		"no namespace": {spec: "{mode: Audit, rollout: {exclude: [{namespaces: [cluster.scoped]}], pins: [{namespaces: [shop, cluster.scoped], mode: Warn, atMost: true}]}}"},
		"a ceiling that holds nothing": {spec: "{mode: Audit, rollout: {pins: [{namespaces: [shop], mode: Enforce, atMost: true}]}}", warnings: []string{
			"spec.rollout.pins[0]: at most Enforce holds nothing: no mode is stricter",
		}},
		"a field": {spec: "{mode: Audit, rollout: {cleanWindw: 1h, pins: [{namespace: a, namespaces: [b], mode: Warn}]}}", errors: []string{
			`spec.rollout.cleanWindw: unknown field, did you mean "cleanWindow"?`, `spec.rollout.pins[0].namespace: unknown field, did you mean "namespaces"?`,
		}},
		"short":               {spec: "{mode: Audit, rollout: {cleanWindow: 2s}}", warnings: []string{"spec.rollout.cleanWindow: within 2s, few workloads start again: what they would be refused for is not seen"}},
		"leads nothing":       {spec: "{mode: Enforce, rollout: {}}", warnings: []string{"spec.rollout: it leads nothing on: no control is in a mode below Enforce"}},
		"leads nothing off":   {spec: `{mode: "Off", rollout: {}}`, warnings: []string{"spec.rollout: it leads nothing on: no control is in a mode below Enforce"}},
		"leads nothing on":    {spec: "{mode: Warn, rollout: {target: Warn}}", warnings: []string{"spec.rollout: it leads nothing on: no control is in a mode below Warn"}},
		"leads one control":   {spec: "{mode: Enforce, controls: [{id: host-path, mode: Warn}], rollout: {}}"},
		"leads by parameters": {spec: "{controls: [{id: host-ports, parameters: {allowedHostPorts: [{min: 1, max: 2}]}}], rollout: {}}"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r, err := decodeYAML(t, "p", tt.spec)
			var got []string
			if err != nil {
				got = strings.Split(err.Error(), "\n")
			} else {
				got = texts(Validate(r))
			}
			if diff := cmp.Diff(tt.errors, got); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
			if err == nil && len(got) == 0 {
				if diff := cmp.Diff(tt.warnings, Warnings(r)); diff != "" {
					t.Errorf("warnings (-want +got):\n%s", diff)
				}
			}
		})
	}
}
