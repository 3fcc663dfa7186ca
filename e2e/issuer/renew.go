package issuer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/hardgate-dev/hardgate/e2e/cluster"
)

// Renew asks for a new certificate as cmctl does, and returns when it is stored.
func Renew(ctx context.Context, c *cluster.Cluster, namespace, name string) error {
	config, err := c.RESTConfig()
	if err != nil {
		return err
	}
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	secrets, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	certificates := objects.Resource(schema.GroupVersionResource{Group: "cert-manager.io", Version: "v1", Resource: "certificates"}).Namespace(namespace)
	asked, err := certificates.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("renewing %s: %w", name, err)
	}
	secret, _, err := unstructured.NestedString(asked.Object, "spec", "secretName")
	if err != nil {
		return err
	}
	content := func() ([]byte, error) {
		s, err := secrets.CoreV1().Secrets(namespace).Get(ctx, secret, metav1.GetOptions{})
		if err != nil {
			return nil, err
		}
		return s.Data[corev1.TLSCertKey], nil
	}
	before, err := content()
	if err != nil {
		return fmt.Errorf("renewing %s: %w", name, err)
	}
	conditions, _, err := unstructured.NestedSlice(asked.Object, "status", "conditions")
	if err != nil {
		return err
	}
	conditions = append(conditions, map[string]any{
		"type": "Issuing", "status": "True", "reason": "ManuallyTriggered", "message": "by a test", "observedGeneration": asked.GetGeneration(),
		"lastTransitionTime": time.Now().UTC().Format(time.RFC3339),
	})
	if err := unstructured.SetNestedSlice(asked.Object, conditions, "status", "conditions"); err != nil {
		return err
	}
	if _, err := certificates.UpdateStatus(ctx, asked, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("renewing %s: %w", name, err)
	}
	return await(ctx, name+" is renewed", func() error {
		after, err := content()
		if err == nil && bytes.Equal(before, after) {
			err = errors.New("it is the one from before")
		}
		return err
	})
}
