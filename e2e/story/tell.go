package story

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/node"
	"github.com/hardgate-dev/hardgate/taint/key"
)

// The line of the node's sshd_config that the story is about, as it is and as somebody
// has loosened it.
const (
	hardened = "LoginGraceTime 30"
	loosened = "LoginGraceTime 300"
)

var graceTime = regexp.MustCompile(`(?m)^LoginGraceTime .*$`)

// Arrival tells how a node came that was started after Begin.
func (s *Story) Arrival(ctx context.Context, n *node.Node) ([]Chapter, error) {
	// Before it, another of its name may have been waited for and ended.
	started := n.Started()
	registered, err := s.watch.await(ctx, started, "the node is registered", func(n *corev1.Node) bool {
		return n.CreationTimestamp.Unix() >= started.Unix()
	})
	if err != nil {
		return nil, err
	}
	verified, err := s.watch.await(ctx, registered.at, "the node is verified", func(n *corev1.Node) bool {
		return n.UID == registered.node.UID && !tainted(n, key.Unverified) && compliance(n).Status == corev1.ConditionTrue
	})
	if err != nil {
		return nil, err
	}
	return []Chapter{
		{Title: "registered", Took: registered.at.Sub(started), Node: registered.node, Says: []string{taints(registered.node)}},
		{Title: "verified", Took: verified.at.Sub(registered.at), Node: verified.node, Says: []string{taints(verified.node), condition(verified.node)}},
	}, nil
}

// Drift loosens the node, gives it new work and mends it. However it ends, the node is
// left mended.
func (s *Story) Drift(ctx context.Context, n *node.Node) (told []Chapter, err error) {
	if err := s.removeWork(ctx); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, mend(n)) }()
	if err := mend(n); err != nil { // what a user has tried
		return nil, err
	}
	// A node that has just registered may still have the taint of one that is not ready.
	err = poll(ctx, "nothing keeps pods from the node", func(ctx context.Context) error {
		now, err := s.core.CoreV1().Nodes().Get(ctx, node.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if len(now.Spec.Taints) > 0 || compliance(now).Status != corev1.ConditionTrue {
			return fmt.Errorf("its taints are %v; %s", now.Spec.Taints, condition(now))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, chapter := range []func(context.Context, *node.Node) (Chapter, error){s.loosen, s.wait, s.mended, s.run} {
		c, err := chapter(ctx, n)
		if err != nil {
			return told, err
		}
		told = append(told, c)
	}
	return told, nil
}

var mend = edit(hardened)

func (s *Story) loosen(ctx context.Context, n *node.Node) (Chapter, error) {
	at := time.Now()
	if err := edit(loosened)(n); err != nil {
		return Chapter{}, err
	}
	seen, err := s.awaitCompliance(ctx, at, false)
	if err != nil {
		return Chapter{}, err
	}
	return Chapter{
		Title: "loosened", Took: seen.at.Sub(at), Node: seen.node,
		Says: []string{loosened + " in " + node.SSHConfig, taints(seen.node), condition(seen.node)},
	}, nil
}

func (s *Story) mended(ctx context.Context, n *node.Node) (Chapter, error) {
	at := time.Now()
	if err := mend(n); err != nil {
		return Chapter{}, err
	}
	seen, err := s.awaitCompliance(ctx, at, true)
	if err != nil {
		return Chapter{}, err
	}
	return Chapter{Title: "mended", Took: seen.at.Sub(at), Node: seen.node, Says: []string{taints(seen.node), condition(seen.node)}}, nil
}

// awaitCompliance waits until the node's taint and its condition say the same.
func (s *Story) awaitCompliance(ctx context.Context, since time.Time, compliant bool) (sighting, error) {
	want := corev1.ConditionTrue
	if !compliant {
		want = corev1.ConditionFalse
	}
	return s.watch.await(ctx, since, fmt.Sprintf("the node is compliant: %t", compliant), func(n *corev1.Node) bool {
		return tainted(n, key.Drifted) == !compliant && !tainted(n, key.Unverified) && compliance(n).Status == want
	})
}

// wait gives the tainted node new work, which it does not get.
func (s *Story) wait(ctx context.Context, _ *node.Node) (Chapter, error) {
	at := time.Now()
	work, err := s.createWork(ctx)
	if err != nil {
		return Chapter{}, err
	}
	pod, err := s.awaitWork(ctx, work, "it is refused by the scheduler", func(p *corev1.Pod) bool {
		return scheduled(p).Reason == corev1.PodReasonUnschedulable
	})
	if err != nil {
		return Chapter{}, err
	}
	c := Chapter{Title: "new pod waits", Took: time.Since(at), Pod: pod, Says: []string{string(pod.Status.Phase) + ": " + scheduled(pod).Message}}
	if c.Node, err = s.core.CoreV1().Nodes().Get(ctx, node.Name, metav1.GetOptions{}); err != nil {
		return Chapter{}, err
	}
	cmd := exec.CommandContext(ctx, s.cfg.Kubectl, "--kubeconfig", cluster.Kubeconfig(s.cfg.Cluster.Config().Dir), "describe", "node", node.Name)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return Chapter{}, fmt.Errorf("describing the node: %w: %s", err, out)
	}
	c.Describe = string(out)
	return c, nil
}

// run waits until the work has come to the node that is mended.
func (s *Story) run(ctx context.Context, _ *node.Node) (Chapter, error) {
	at := time.Now()
	work, err := s.work()
	if err != nil {
		return Chapter{}, err
	}
	pod, err := s.awaitWork(ctx, work, "it runs", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodRunning })
	if err != nil {
		return Chapter{}, err
	}
	return Chapter{Title: "the pod runs", Took: time.Since(at), Pod: pod, Says: []string{string(pod.Status.Phase) + " on " + pod.Spec.NodeName}}, nil
}
