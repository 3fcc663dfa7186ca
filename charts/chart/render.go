package chart

import (
	"fmt"
	"path"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
)

// Oldest is the oldest version of Kubernetes that is supported: what is rendered for no
// cluster in particular is rendered for it.
const Oldest = "v1.32.0"

// Options say for whom the chart is rendered. The zero value renders for Helm, with the
// chart's own values, a release in the namespace "default" and a cluster of the oldest
// version that knows the chart's CRDs and nothing else.
type Options struct {
	// Values are set over the chart's own.
	Values map[string]any
	// Namespace is the release's.
	Namespace string
	// Service is who manages the objects.
	Service string
	// APIVersions are served by the cluster besides Kubernetes' own, as "group/version" and
	// "group/version/Kind".
	APIVersions []string
	// Cluster is asked by lookups; where there is none, they find nothing.
	Cluster engine.ClientProvider
	// Upgrade is whether there is a release already.
	Upgrade bool
	// KubeVersion is the cluster's.
	KubeVersion string
}

// Load reads a chart from its directory.
func Load(dir string) (*chartv2.Chart, error) {
	c, err := loader.LoadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the chart in %s: %w", dir, err)
	}
	return c, nil
}

// Render returns what each template gives, by its path below templates/. Those that give
// nothing are left out. An error is for values that the schema refuses, or a template that
// does not hold.
func Render(c *chartv2.Chart, o Options) (map[string]string, error) {
	version := o.KubeVersion
	if version == "" {
		version = Oldest
	}
	kube, err := common.ParseKubeVersion(version)
	if err != nil {
		return nil, fmt.Errorf("rendering for Kubernetes %s: %w", version, err)
	}
	capabilities := common.DefaultCapabilities.Copy()
	capabilities.KubeVersion = *kube
	capabilities.APIVersions = append(append(common.VersionSet{}, capabilities.APIVersions...), o.APIVersions...)
	release := common.ReleaseOptions{Name: "hardgate", Namespace: o.Namespace, Revision: 1, IsInstall: !o.Upgrade, IsUpgrade: o.Upgrade}
	if release.Namespace == "" {
		release.Namespace = "default"
	}
	values, err := util.ToRenderValues(c, o.Values, release, capabilities)
	if err != nil {
		return nil, fmt.Errorf("reading the chart's values: %w", err)
	}
	if about, ok := values["Release"].(map[string]any); ok && o.Service != "" {
		about["Service"] = o.Service
	}
	var rendered map[string]string
	if o.Cluster != nil {
		rendered, err = engine.RenderWithClientProvider(c, values, o.Cluster)
	} else {
		rendered, err = engine.Render(c, values)
	}
	if err != nil {
		return nil, fmt.Errorf("rendering the chart: %w", err)
	}
	files := map[string]string{}
	for name, text := range rendered {
		text = strings.TrimSpace(text)
		if strings.HasPrefix(path.Base(name), "_") || silent(text) {
			continue
		}
		files[strings.TrimPrefix(name, c.Name()+"/templates/")] = text + "\n"
	}
	return files, nil
}

// silent is whether a text has comments only.
func silent(text string) bool {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			return false
		}
	}
	return true
}
