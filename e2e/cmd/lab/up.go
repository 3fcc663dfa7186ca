package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/lab"
	"github.com/hardgate-dev/hardgate/e2e/node"
)

func upCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "up",
		Short: "Start the lab and show hardgate at work",
		Long: `up starts a control plane, the webhook and the controller, which outlive the command,
tries three Deployments of e2e/demo at the gate and rolls a policy out. As root, with
containerd and runc, it also starts a node with a real kubelet and the agent, and shows
what they do when the node drifts. Run again, it keeps what is healthy, replaces what is not and
rebuilds hardgate from the checkout.`,
		Example: "  lab up\n  lab up --dir /tmp/other-lab   # a second lab beside the first",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			program, err := os.Executable()
			if err != nil {
				return fmt.Errorf("finding this program: %w", err)
			}
			l, err := lab.Up(cmd.Context(), lab.Config{Repo: o.repo, Dir: o.dir, Program: program, Detached: true, Log: o.log})
			if err != nil {
				return err
			}
			o.log("the lab is up")
			command := "bin/lab"
			if o.dir != filepath.Join(o.repo, ".lab") {
				command += " --dir " + o.dir
			}
			cmd.Print(account(l, cluster.Kubeconfig(o.dir), command))
			return nil
		},
	}
}

// account tells the verdicts in the API server's own words, and what to do next. command
// is how this one is called for this lab.
func account(l *lab.Lab, kubeconfig, command string) string {
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
	b.WriteString("\n" + rolloutAccount(l.Promotion))
	b.WriteString("\n" + nodeAccount(l))
	fmt.Fprintf(&b, `
Try it:
  export KUBECONFIG=%s
  alias kubectl=%s
  kubectl apply -f e2e/demo/denied.yaml
  kubectl get workloadpolicies,deployments -A
  kubectl edit workloadpolicy shop      # such as mode: Enforce, then apply warned.yaml again
  go run ./cmd/hardgate rollout && go run ./cmd/hardgate report --status Fail -o wide
`, kubeconfig, l.Kubectl)
	if l.Node != nil {
		fmt.Fprintf(&b, `  kubectl get nodereports && kubectl describe node %[1]s
  %[2]s node-exec -- sed -i 's/^LoginGraceTime.*/LoginGraceTime 300/' %[3]s   # and describe it again
  kubectl edit nodepolicy %[1]s       # such as mode: Warn, and describe it again; LoginGraceTime 30 mends it
`, node.Name, command, node.SSHConfig)
	}
	return b.String()
}

// rolloutAccount tells what was promoted, and what was not and why.
func rolloutAccount(p *lab.Promotion) string {
	var b strings.Builder
	fmt.Fprintf(&b, "ROLLOUT   the policy teams of e2e/demo/rollout.yaml, in Warn, %.1f s later\n", p.Took.Seconds())
	for _, c := range p.Cells {
		fmt.Fprintf(&b, "    %-12s %-11s %-8s %s\n", c.Namespace, c.Control, c.Mode, c.Next)
	}
	return b.String()
}

// nodeAccount tells the story of the node, or why there is none.
func nodeAccount(l *lab.Lab) string {
	if l.NoNode != nil {
		return fmt.Sprintf("NO NODE   %s\n    As root, with containerd and runc, the lab has a node and shows what happens when it drifts.\n",
			strings.ReplaceAll(l.NoNode.Error(), "\n", "; "))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "NODE      %s, by e2e/demo/node-policy.yaml\n", node.Name)
	for _, c := range l.Story {
		fmt.Fprintf(&b, "    %-14s %6.2f s  %s\n", c.Title, c.Took.Seconds(), strings.Join(c.Says, "\n"+strings.Repeat(" ", 29)))
	}
	return b.String()
}
