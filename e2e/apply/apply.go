// Package apply sends manifests to an API server as `kubectl apply --server-side`
// does, and hands back the warnings that came with the answers.
package apply

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

// FieldManager owns what is applied.
const FieldManager = "hardgate-lab"

// Client applies and creates objects of any kind. It is for one goroutine.
type Client struct {
	dynamic  dynamic.Interface
	mapper   *restmapper.DeferredDiscoveryRESTMapper
	warnings *warnings
}

// NewClient makes a client.
func NewClient(cfg *rest.Config) (*Client, error) {
	c := &Client{warnings: &warnings{}}
	cfg = rest.CopyConfig(cfg)
	cfg.WarningHandlerWithContext = c.warnings
	found, err := discovery.NewDiscoveryClientForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	c.mapper = restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(found))
	if c.dynamic, err = dynamic.NewForConfig(cfg); err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	return c, nil
}

// Apply creates the object or brings it to the given state, and returns the API
// server's warnings.
func (c *Client) Apply(ctx context.Context, obj *unstructured.Unstructured) ([]string, error) {
	r, err := c.resource(obj)
	if err != nil {
		return nil, err
	}
	c.warnings.take()
	_, err = r.Apply(ctx, obj.GetName(), obj, metav1.ApplyOptions{FieldManager: FieldManager, Force: true})
	return c.warnings.take(), err
}

// Create creates the object and returns the API server's warnings.
func (c *Client) Create(ctx context.Context, obj *unstructured.Unstructured, o metav1.CreateOptions) ([]string, error) {
	r, err := c.resource(obj)
	if err != nil {
		return nil, err
	}
	c.warnings.take()
	_, err = r.Create(ctx, obj, o)
	return c.warnings.take(), err
}

// Get reads the object as it is now.
func (c *Client) Get(ctx context.Context, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	r, err := c.resource(obj)
	if err != nil {
		return nil, err
	}
	return r.Get(ctx, obj.GetName(), metav1.GetOptions{})
}

// Delete deletes the object.
func (c *Client) Delete(ctx context.Context, obj *unstructured.Unstructured) error {
	r, err := c.resource(obj)
	if err != nil {
		return err
	}
	return r.Delete(ctx, obj.GetName(), metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationBackground)})
}

func (c *Client) resource(obj *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	kind := obj.GroupVersionKind()
	mapping, err := c.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if meta.IsNoMatchError(err) {
		// The kind may be that of a CRD that was just applied.
		c.mapper.Reset()
		mapping, err = c.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	}
	if err != nil {
		return nil, fmt.Errorf("finding the resource of %s: %w", kind, err)
	}
	r := c.dynamic.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		return r.Namespace(obj.GetNamespace()), nil
	}
	return r, nil
}

// Read reads the objects of a YAML file.
func Read(path string) ([]*unstructured.Unstructured, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading manifests: %w", err)
	}
	objects, err := Decode(text)
	if err != nil {
		return nil, fmt.Errorf("reading manifests from %s: %w", path, err)
	}
	return objects, nil
}

// Decode reads the objects of a YAML text, which may hold several documents.
func Decode(text []byte) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		obj := &unstructured.Unstructured{}
		err := documents.Decode(&obj.Object)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		if len(obj.Object) > 0 { // a file may begin with ---
			objects = append(objects, obj)
		}
	}
}

// ReadDir reads the objects of the YAML files of a directory, in the order of
// their names. None at all is an error.
func ReadDir(dir string) ([]*unstructured.Unstructured, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("reading manifests: %w", err)
	}
	var objects []*unstructured.Unstructured
	for _, path := range paths {
		more, err := Read(path)
		if err != nil {
			return nil, err
		}
		objects = append(objects, more...)
	}
	if len(objects) == 0 {
		return nil, fmt.Errorf("reading manifests: none in %s", dir)
	}
	return objects, nil
}

// warnings collects the Warning headers of answers.
type warnings struct {
	mu   sync.Mutex
	text []string
}

// HandleWarningHeaderWithContext implements rest.WarningHandlerWithContext.
func (w *warnings) HandleWarningHeaderWithContext(_ context.Context, code int, _, text string) {
	if code != 299 || text == "" { // RFC 7234: 299 is a warning that is to be shown
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, text)
}

// take returns what was collected since the last call.
func (w *warnings) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := w.text
	w.text = nil
	return text
}
