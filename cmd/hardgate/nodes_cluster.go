package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/clock"
	"github.com/hardgate-dev/hardgate/taint/preflight"
	"github.com/hardgate-dev/hardgate/taint/ruling"
)

// pageSize is how many objects are asked for at a time.
const pageSize = 500

// clusterClient asks a cluster. It knows no kinds but its answers to errors: a client
// that knows all kinds of Kubernetes would be most of the program, and of its start.
type clusterClient struct {
	api     rest.Interface
	server  string
	context string
	// clock is the API server's, once it has answered.
	clock *clock.Server
}

// open makes a client. Nothing is asked yet.
func (f *clusterFlags) open(cmd *cobra.Command) (*clusterClient, error) {
	config, err := f.config(cmd)
	if err != nil {
		return nil, err
	}
	scheme := runtime.NewScheme()
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	config.Timeout = f.timeout
	config.QPS = -1 // one question at a time, and few of them
	config.WarningHandler = rest.NewWarningWriter(cmd.ErrOrStderr(), rest.WarningWriterOptions{Deduplicate: true})
	server := &clock.Server{}
	config.Wrap(server.Wrap)
	client, err := rest.UnversionedRESTClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("making a client of %s: %w", config.Host, err)
	}
	return &clusterClient{api: client, server: config.Host, context: f.context, clock: server}, nil
}

// daemonSets lists those of a namespace, or of all if it is empty.
func (c *clusterClient) daemonSets(ctx context.Context, namespace string) ([]preflight.DaemonSet, error) {
	path, scope := "/apis/apps/v1/daemonsets", "-A"
	if namespace != "" {
		path, scope = "/apis/apps/v1/namespaces/"+namespace+"/daemonsets", "-n "+namespace
	}
	if c.context != "" {
		scope += " --context " + c.context
	}
	sets, err := list(ctx, c, path, "DaemonSet", readDaemonSet)
	if apierrors.IsForbidden(err) {
		return nil, fmt.Errorf("%w: the right to list daemonsets is needed; test it with: kubectl auth can-i list daemonsets.apps %s", err, scope)
	}
	return sets, err
}

func readDaemonSet(item []byte) (preflight.DaemonSet, error) {
	var d struct {
		Metadata struct {
			Namespace string `json:"namespace"`
			Name      string `json:"name"`
		} `json:"metadata"`
		Spec struct {
			Template struct {
				Spec struct {
					Tolerations []corev1.Toleration `json:"tolerations"`
				} `json:"spec"`
			} `json:"template"`
		} `json:"spec"`
		Status struct {
			Desired int32 `json:"desiredNumberScheduled"`
		} `json:"status"`
	}
	if err := json.Unmarshal(item, &d); err != nil {
		return preflight.DaemonSet{}, err
	}
	return preflight.DaemonSet{
		Namespace: d.Metadata.Namespace, Name: d.Metadata.Name, Pods: d.Status.Desired,
		Tolerations: d.Spec.Template.Spec.Tolerations,
	}, nil
}

// nodePolicies lists the policies, and says which are not understood.
func (c *clusterClient) nodePolicies(ctx context.Context) (policies []v1alpha1.NodePolicy, untold []error, err error) {
	path := "/apis/" + v1alpha1.GroupVersion.String() + "/nodepolicies"
	items, err := list(ctx, c, path, "NodePolicy", func(item []byte) ([]byte, error) { return item, nil })
	if err != nil {
		return nil, nil, err
	}
	for _, item := range items {
		p, err := ruling.ReadPolicy(item)
		if err != nil {
			untold = append(untold, misunderstood(item, err))
			continue
		}
		policies = append(policies, *p)
	}
	return policies, untold, nil
}

func misunderstood(item []byte, err error) error {
	var problems []string
	for _, e := range flatten(err) {
		problems = append(problems, e.Error())
	}
	return fmt.Errorf("NodePolicy %s is not understood, and the taints it would set are not known: %s", nameOf(item), strings.Join(problems, "; "))
}

// nameOf is the name of an object that may be no good otherwise.
func nameOf(item []byte) string {
	var o struct {
		Metadata struct {
			Namespace string `json:"namespace"`
			Name      string `json:"name"`
		} `json:"metadata"`
	}
	if err := json.Unmarshal(item, &o); err != nil {
		return "without a name"
	}
	return strings.TrimPrefix(o.Metadata.Namespace+"/"+o.Metadata.Name, "/")
}

// list asks for all objects of a kind, page by page, and reads each.
func list[T any](ctx context.Context, c *clusterClient, path, kind string, read func([]byte) (T, error)) ([]T, error) {
	ctx = logr.NewContext(ctx, logr.Discard()) // the error says what client-go would log
	var all []T
	for token, limit := "", pageSize; ; {
		request := c.api.Get().AbsPath(path)
		if limit > 0 {
			request.Param("limit", strconv.Itoa(limit))
		}
		if token != "" {
			request.Param("continue", token)
		}
		p, err := ask(ctx, request, kind)
		if apierrors.IsResourceExpired(err) && token != "" {
			// The pages have become too old. All at once cannot.
			all, token, limit = nil, "", 0
			continue
		}
		if err != nil {
			return nil, c.explain(kind, err)
		}
		for _, item := range p.Items {
			object, err := read(item)
			if err != nil {
				return nil, fmt.Errorf("reading %s %s: %w", kind, nameOf(item), err)
			}
			all = append(all, object)
		}
		if token = p.Metadata.Continue; token == "" {
			return all, nil
		}
	}
}

// page is a list as it comes. Its items are read one by one, as what is wanted of them.
type page struct {
	metav1.TypeMeta `json:",inline"`
	Metadata        metav1.ListMeta   `json:"metadata"`
	Items           []json.RawMessage `json:"items"`
}

func ask(ctx context.Context, request *rest.Request, kind string) (*page, error) {
	result := request.Do(ctx)
	if err := result.Error(); err != nil {
		return nil, err
	}
	body, err := result.Raw()
	if err != nil {
		return nil, err
	}
	p := &page{}
	if err := json.Unmarshal(body, p); err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if p.Kind != kind+"List" { // something else must not read as an empty list
		return nil, fmt.Errorf("reading the answer: a %q where a list of %ss should be", p.Kind, kind)
	}
	return p, nil
}

// explain says what was asked, and of whom.
func (c *clusterClient) explain(kind string, err error) error {
	return wayOut(fmt.Errorf("asking %s for every %s: %w", c.server, kind, err))
}

// wayOut adds to an error of asking a cluster what else to try.
func wayOut(err error) error {
	var transport *url.Error
	var status apierrors.APIStatus
	switch {
	case apierrors.IsNotFound(err) && errors.As(err, &status) && status.Status().Details != nil && status.Status().Details.Name == "":
		return fmt.Errorf("%w: is hardgate installed in this cluster? See with: kubectl get crd workloadpolicies.%s", err, v1alpha1.GroupVersion.Group)
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("%w: log in anew, or choose other credentials with --context or --kubeconfig", err)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &transport) && transport.Timeout():
		return fmt.Errorf("%w: --request-timeout waits longer", err)
	case errors.As(err, &transport):
		return fmt.Errorf("%w: --context or --kubeconfig name another cluster", err)
	}
	return err
}
