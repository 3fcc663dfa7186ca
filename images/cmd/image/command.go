package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/distribution/reference"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/hardgate-dev/hardgate/images"
	"github.com/hardgate-dev/hardgate/images/compile"
	"github.com/hardgate-dev/hardgate/images/source"
)

// chart has the version of the product.
const chart = "charts/hardgate/Chart.yaml"

type options struct {
	repo, out, version, registry, toolchain string
	platforms, only                         []string
}

func command(epoch string) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "image",
		Short: "Build the container images of hardgate, without a container daemon",
		Long: `Build the container images of hardgate, without a container daemon.

Writes an archive of the OCI image layout for each component, <component>.tar, with
an image for each platform, and the bill of materials, <component>.sbom.json.
The same commit gives the same bytes, on every machine and at any time. The time in
the images is the commit's, or SOURCE_DATE_EPOCH where that is set.`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.run(cmd.Context(), cmd.OutOrStdout(), epoch)
		},
	}
	names := make([]string, 0, len(images.Components))
	for _, c := range images.Components {
		names = append(names, c.Name)
	}
	f := cmd.Flags()
	f.StringVar(&o.repo, "repo", ".", "the checkout to build")
	f.StringVar(&o.out, "out", "", "the directory to write to (default: dist/images in the checkout)")
	f.StringVar(&o.version, "version", "", "tag of the images (default: appVersion of "+chart+")")
	f.StringVar(&o.registry, "registry", "", "what the images' names begin with, such as registry.example/team")
	f.StringSliceVar(&o.platforms, "platform", []string{"linux/amd64", "linux/arm64"}, "platforms to build for")
	f.StringSliceVar(&o.only, "component", names, "components to build")
	f.StringVar(&o.toolchain, "toolchain", compile.Toolchain, `version of Go that builds, as in GOTOOLCHAIN; "local" is the one installed`)
	return cmd
}

func (o options) run(ctx context.Context, out io.Writer, epoch string) error {
	b := images.Build{Repo: o.repo, Out: o.out, Version: o.version, Registry: o.registry, Toolchain: o.toolchain}
	if b.Out == "" {
		b.Out = filepath.Join(o.repo, "dist", "images")
	}
	for _, p := range o.platforms {
		platform, err := v1.ParsePlatform(p)
		if err != nil || platform.OS == "" || platform.Architecture == "" {
			return fmt.Errorf("--platform=%s: want such as linux/amd64", p)
		}
		b.Platforms = append(b.Platforms, *platform)
	}
	for _, name := range o.only {
		i := slices.IndexFunc(images.Components, func(c images.Component) bool { return c.Name == name })
		if i < 0 {
			return fmt.Errorf("--component=%s: no such component", name)
		}
		b.Components = append(b.Components, images.Components[i])
	}
	var err error
	if b.Version == "" {
		if b.Version, err = appVersion(o.repo); err != nil {
			return err
		}
	}
	if err := checkName(b.Registry, b.Version); err != nil {
		return err
	}
	if b.Source, err = source.Read(ctx, o.repo, epoch); err != nil {
		return err
	}
	built, err := b.Run(ctx)
	if err != nil {
		return err
	}
	return list(out, built)
}

// checkName finds before anything is compiled what would be no name of an image after it.
func checkName(registry, version string) error {
	project, err := reference.ParseNormalizedNamed(images.Project)
	if err != nil {
		return err
	}
	if _, err := reference.WithTag(project, version); err != nil {
		return fmt.Errorf("--version=%s: no tag of an image: want such as 1.2.3", version)
	}
	if registry == "" {
		return nil
	}
	if _, err := reference.ParseNormalizedNamed(registry + "/" + images.Project); err != nil {
		return fmt.Errorf("--registry=%s: want such as registry.example/team, without a scheme and without a slash at the end: %w", registry, err)
	}
	return nil
}

func appVersion(repo string) (string, error) {
	text, err := os.ReadFile(filepath.Join(repo, filepath.FromSlash(chart)))
	if err != nil {
		return "", fmt.Errorf("reading the version: %w; or give --version", err)
	}
	var c struct {
		AppVersion string `yaml:"appVersion"`
	}
	if err := yaml.Unmarshal(text, &c); err != nil {
		return "", fmt.Errorf("reading the version from %s: %w", chart, err)
	}
	if c.AppVersion == "" {
		return "", fmt.Errorf("%s has no appVersion; give --version", chart)
	}
	return c.AppVersion, nil
}

// list prints what was built, sizes in the units that performance is told in.
func list(w io.Writer, built []images.Built) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "IMAGE\tDIGEST\tSIZE TO PULL")
	for _, b := range built {
		var sizes []string
		for _, s := range b.Sizes {
			sizes = append(sizes, fmt.Sprintf("%s %.1f MiB", s.Platform, float64(s.Packed)/(1<<20)))
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", b.Name, b.Digest, strings.Join(sizes, ", "))
	}
	return t.Flush()
}
