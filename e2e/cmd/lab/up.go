package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/lab"
)

func upCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "up",
		Short: "Start the lab and show the gate at work",
		Long: `up starts a control plane and the webhook, which outlive the command, and tries
three Deployments of e2e/demo at the gate. Run again, it keeps what is healthy,
replaces what is not and rebuilds the webhook from the checkout.`,
		Example: "  lab up\n  lab up --dir /tmp/other-lab   # a second lab beside the first",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := lab.Up(cmd.Context(), lab.Config{Repo: o.repo, Dir: o.dir, Log: o.log})
			if err != nil {
				return err
			}
			o.log("the lab is up")
			cmd.Print(account(l, cluster.Kubeconfig(o.dir)))
			return nil
		},
	}
}

// account tells the verdicts in the API server's own words, and what to do next.
func account(l *lab.Lab, kubeconfig string) string {
	var b strings.Builder
	for _, v := range l.Verdicts {
		word, lines := "ADMITTED", v.Warnings
		switch {
		case v.Denial != "":
			word = "DENIED  "
			lines = strings.Split(v.Denial, "\n")
			if n := len(v.Warnings); n > 0 {
				lines = append(lines, fmt.Sprintf("(and %d warnings)", n))
			}
		case len(v.Warnings) > 0:
			word = "WARNED  "
		}
		fmt.Fprintf(&b, "\n%s  %s\n", word, v.File)
		for _, line := range lines {
			fmt.Fprintf(&b, "    %s\n", line)
		}
	}
	fmt.Fprintf(&b, `
Try it:
  export KUBECONFIG=%s
  alias kubectl=%s
  kubectl apply -f e2e/demo/denied.yaml
  kubectl get workloadpolicies,deployments -A
  kubectl edit workloadpolicy shop      # such as mode: Enforce, then apply warned.yaml again
`, kubeconfig, l.Kubectl)
	return b.String()
}
