package repair

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/scan"
)

// add makes the repair that fulfils the wishes as far as the object says nothing there.
// ids are the controls that may have repaired it before.
func add(raw []byte, wanted []wish, ids []control.ID) (Repair, error) {
	annotations, err := readAnnotations(raw)
	if err != nil {
		return Repair{}, fmt.Errorf("reading the annotations: %w", err)
	}
	wanted = slices.DeleteFunc(wanted, func(w wish) bool { return w.contradicted(annotations) })
	if len(wanted) == 0 {
		return Repair{}, nil
	}
	object := &field{}
	fields := make([]*field, len(wanted))
	for i, w := range wanted {
		fields[i] = object.plant(w.Pointer, w.Value)
	}
	s := scan.New(raw)
	if err := object.read(s); err != nil {
		return Repair{}, fmt.Errorf("reading the object: %w", err)
	}
	if !object.there {
		return Repair{}, fmt.Errorf("the object is null")
	}
	operations, err := object.additions("")
	if err != nil || len(operations) == 0 {
		return Repair{}, err
	}
	var changes []Change
	for i := range wanted {
		if fields[i] != nil && fields[i].applied {
			changes = note(changes, &wanted[i])
		}
	}
	annotation, err := annotate(raw, annotations, changes, ids)
	if err != nil {
		return Repair{}, err
	}
	patch, err := json.Marshal(append(operations, annotation...))
	if err != nil {
		return Repair{}, fmt.Errorf("writing the patch: %w", err)
	}
	return Repair{Patch: patch, Changes: changes}, nil
}

// note adds what has come of a wish to the changes, the same of several containers
// together.
func note(changes []Change, w *wish) []Change {
	c := Change{ID: w.id, Field: strings.Join(w.Pointer[w.field:], "."), Value: w.Value}
	same := slices.IndexFunc(changes, func(o Change) bool {
		return o.ID == c.ID && o.Field == c.Field && reflect.DeepEqual(o.Value, c.Value)
	})
	if same < 0 {
		same, changes = len(changes), append(changes, c)
	}
	if w.container != nil && !slices.Contains(changes[same].Containers, w.container.Name) {
		changes[same].Containers = append(changes[same].Containers, w.container.Name)
	}
	return changes
}

// annotate names the controls, with those that have repaired the object when the gate was
// asked about it before. What else a user has written there goes.
func annotate(raw []byte, annotations map[string]string, changes []Change, ids []control.ID) ([]operation, error) {
	var repaired []string
	for _, c := range changes {
		repaired = append(repaired, string(c.ID))
	}
	for before := range strings.SplitSeq(annotations[Annotation], ",") {
		if slices.Contains(ids, control.ID(before)) {
			repaired = append(repaired, before)
		}
	}
	slices.Sort(repaired)
	object := &field{}
	place := object.plant([]string{"metadata", "annotations", Annotation}, strings.Join(slices.Compact(repaired), ","))
	if err := object.read(scan.New(raw)); err != nil {
		return nil, fmt.Errorf("reading the annotations: %w", err)
	}
	place.there = false // add writes over what is there
	return object.additions("")
}

func readAnnotations(raw []byte) (map[string]string, error) {
	annotations := map[string]string{}
	s := scan.New(raw)
	_, err := s.Object(func(name []byte) error {
		if string(name) != "metadata" {
			return s.Skip()
		}
		_, err := s.Object(func(name []byte) error {
			if string(name) != "annotations" {
				return s.Skip()
			}
			_, err := s.Object(func(name []byte) error {
				key := string(name) // name is not valid for long
				value, err := s.String()
				annotations[key] = value
				return err
			})
			return err
		})
		return err
	})
	return annotations, err
}

// escape writes a name as a step of a JSON pointer (RFC 6901).
func escape(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}
