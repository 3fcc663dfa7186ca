package imagepolicy

import (
	"errors"
	"fmt"

	"github.com/hardgate-dev/hardgate/webhook/scan"
)

// The only version of ImageReview that is read, and its kind.
const (
	APIVersion = "imagepolicy.k8s.io/v1alpha1"
	Kind       = "ImageReview"
)

// Review is what the gate reads of an ImageReview.
type Review struct {
	Namespace string
	// Images are the different ones, in the order of the review; empty for a container that
	// names none.
	Images []string
}

// Decode reads an ImageReview. A review of another version, one without a namespace or
// one that says something twice is an error: it could be meant in two ways.
func Decode(data []byte) (Review, error) {
	d := decoder{Scanner: scan.New(data), seen: map[string]bool{}}
	err := d.document()
	if err == nil {
		err = d.End()
	}
	if err != nil {
		return Review{}, err
	}
	return d.review, nil
}

type decoder struct {
	*scan.Scanner
	review Review
	seen   map[string]bool
}

func (d *decoder) document() error {
	var apiVersion, kind string
	found := false
	_, err := d.Object(func(name []byte) (err error) {
		switch string(name) {
		case "apiVersion":
			apiVersion, err = d.String()
		case "kind":
			kind, err = d.String()
		case "spec":
			found, err = d.Object(d.spec)
		default:
			return d.Skip()
		}
		return in(name, err)
	})
	switch {
	case err != nil:
		return err
	case apiVersion != APIVersion || kind != Kind:
		return fmt.Errorf("%q %q where %s %s should be", apiVersion, kind, APIVersion, Kind)
	case !found:
		return errors.New("the review has no spec")
	case d.review.Namespace == "":
		return errors.New("the review has no namespace")
	}
	return nil
}

func (d *decoder) spec(name []byte) (err error) {
	switch string(name) {
	case "namespace":
		d.review.Namespace, err = d.String()
	case "containers":
		err = d.List(func(i int) error {
			if err := d.container(); err != nil {
				return fmt.Errorf("[%d]: %w", i, err)
			}
			return nil
		})
	default:
		return d.Skip()
	}
	return in(name, err)
}

func (d *decoder) container() error {
	image := ""
	_, err := d.Object(func(name []byte) (err error) {
		if string(name) != "image" {
			return d.Skip()
		}
		image, err = d.String()
		return in(name, err)
	})
	if err == nil && !d.seen[image] {
		d.seen[image] = true
		d.review.Images = append(d.review.Images, image)
	}
	return err
}

// in adds a field's name to an error.
func in(name []byte, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}
