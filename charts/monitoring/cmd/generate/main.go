// Command generate writes the dashboard of the chart and docs/metrics.md. It is run in
// charts/monitoring, by make generate.
package main

import (
	"fmt"
	"os"

	"github.com/hardgate-dev/hardgate/charts/monitoring/dashboard"
)

func main() {
	if err := generate(); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func generate() error {
	data, err := dashboard.New().JSON()
	if err != nil {
		return err
	}
	if err := os.WriteFile("../hardgate/files/dashboard.json", data, 0o644); err != nil { //nolint:gosec // a file of the checkout, for everybody
		return err
	}
	return os.WriteFile("../../docs/metrics.md", metrics(), 0o644) //nolint:gosec // as above
}
