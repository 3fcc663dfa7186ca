package chart_test

import (
	"path"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/hardgate-dev/hardgate/charts/chart"
	"github.com/hardgate-dev/hardgate/nodecheck/check"
)

// The agent sees the directories that its controls look at, and more where it is told to.
// None is made on a node that lacks it: of all types of volumes, only Directory does not.
func TestAgentSees(t *testing.T) {
	for text, want := range map[string]struct {
		dirs  []string
		parts bool
	}{
		"{}":                         {check.Directories(), true},
		"nodecheck: {hostPaths: []}": {check.Directories(), true},
		"nodecheck: {hostPaths: [/srv/ssh, /home/kubernetes/bin]}":                          {append(check.Directories(), "/home/kubernetes/bin", "/srv/ssh"), true},
		"nodecheck: {hostPaths: [/usr, /etc/ssh, /srv/a, /srv, /srv, /srv-2, /optional/x]}": {append(check.Directories(), "/optional/x", "/srv", "/srv-2"), true},
		"nodecheck: {hostRoot: true}":                                                       {[]string{"/"}, false},
		"nodecheck: {hostRoot: true, hostPaths: [/srv]}":                                    {[]string{"/"}, false},
	} {
		t.Run(text, func(t *testing.T) {
			pod := find[*appsv1.DaemonSet](t, objects(t, render(t, chart.Options{Values: values(t, text)})), "hardgate-nodecheck").Spec.Template.Spec
			c := pod.Containers[0]
			paths := map[string]string{}
			for _, v := range pod.Volumes {
				if v.HostPath == nil || v.HostPath.Type == nil || *v.HostPath.Type != corev1.HostPathDirectory || paths[v.Name] != "" {
					t.Fatalf("a volume that is no directory of the node, may be made there, or is there twice: %+v", v)
				}
				paths[v.Name] = v.HostPath.Path
			}
			var seen []string
			for _, m := range c.VolumeMounts {
				dir := paths[m.Name]
				seen = append(seen, dir)
				if m.MountPath != path.Join("/host", dir) || !m.ReadOnly || m.MountPropagation == nil || *m.MountPropagation != corev1.MountPropagationHostToContainer {
					t.Errorf("%s is mounted elsewhere, so that it can be written, or kept from the node: %+v", dir, m)
				}
			}
			slices.Sort(seen)
			slices.Sort(want.dirs)
			if diff := cmp.Diff(want.dirs, seen); diff != "" || len(paths) != len(seen) {
				t.Errorf("it sees (-want +got):\n%s", diff)
			}
			if slices.Contains(c.Args, "--root-in-parts") != want.parts {
				t.Errorf("it is started with %q", c.Args)
			}
		})
	}
}
