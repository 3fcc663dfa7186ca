package story

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/hardgate-dev/hardgate/e2e/apply"
)

// work is the pod that is to run on the node.
func (s *Story) work() (*unstructured.Unstructured, error) {
	objects, err := apply.Read(s.manifest("node-work.yaml"))
	if err != nil {
		return nil, err
	}
	return objects[0], nil
}

func (s *Story) createWork(ctx context.Context) (*unstructured.Unstructured, error) {
	work, err := s.work()
	if err != nil {
		return nil, err
	}
	client, err := apply.NewClient(s.access)
	if err != nil {
		return nil, err
	}
	// In a new cluster, the namespace's service account may have yet to be made.
	err = poll(ctx, "the new work is accepted", func(ctx context.Context) error {
		_, err := client.Create(ctx, work, metav1.CreateOptions{FieldManager: apply.FieldManager})
		return err
	})
	return work, err
}

// removeWork ends the work of an earlier telling.
func (s *Story) removeWork(ctx context.Context) error {
	work, err := s.work()
	if err != nil {
		return err
	}
	return poll(ctx, "the work of an earlier telling has ended", func(ctx context.Context) error {
		err := s.core.CoreV1().Pods(work.GetNamespace()).Delete(ctx, work.GetName(), metav1.DeleteOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return errors.Join(err, errors.New("it is there"))
	})
}

func (s *Story) awaitWork(ctx context.Context, work *unstructured.Unstructured, what string, is func(*corev1.Pod) bool) (pod *corev1.Pod, err error) {
	err = poll(ctx, "of the new work "+what, func(ctx context.Context) error {
		found, err := s.core.CoreV1().Pods(work.GetNamespace()).Get(ctx, work.GetName(), metav1.GetOptions{})
		if err != nil {
			return err
		}
		if pod = found; !is(pod) {
			return fmt.Errorf("it is %s: %+v %+v", pod.Status.Phase, pod.Status.Conditions, pod.Status.ContainerStatuses)
		}
		return nil
	})
	return pod, err
}

func poll(ctx context.Context, what string, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w; last: %w", what, ctx.Err(), err)
		}
	}
}

func scheduled(p *corev1.Pod) corev1.PodCondition {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled {
			return c
		}
	}
	return corev1.PodCondition{}
}
