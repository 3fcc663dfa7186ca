// Command render writes what the chart gives: the manifests of the checkout, and the
// chart's README. Without a difference it writes the same again.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/hardgate-dev/hardgate/charts/chart"
)

func main() {
	dir := flag.String("chart", "hardgate", "`directory` of the chart")
	manifests := flag.String("manifests", "../manifests", "`directory` that is rendered")
	flag.Parse()
	if err := run(*dir, *manifests); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(dir, manifests string) error {
	c, err := chart.Load(dir)
	if err != nil {
		return err
	}
	files, err := chart.Manifests(c)
	if err != nil {
		return err
	}
	if err := chart.Write(manifests, files); err != nil {
		return err
	}
	readme, err := chart.Readme(dir)
	if err != nil {
		return err
	}
	return chart.Write(dir, map[string]string{"README.md": readme})
}
