package ruling

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/resource"
)

// ReadPolicy reads a NodePolicy from JSON and says all that is wrong with it.
func ReadPolicy(data []byte) (*v1alpha1.NodePolicy, error) {
	r, errs := resource.Decode[v1alpha1.NodePolicy](data, "NodePolicy")
	if r != nil {
		errs = append(errs, Validate(r)...)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return r, nil
}

// Validate returns what is wrong with a NodePolicy, each error with its field path
// and, for an unknown name, the nearest known one.
func Validate(p *v1alpha1.NodePolicy) (errs []error) {
	s := &p.Spec
	add := func(field string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("spec.%s: %w", field, err))
		}
	}
	add("nodeSelector", validateSelector(s.NodeSelector))
	if s.Benchmark != "" {
		_, err := control.ParseBenchmark(s.Benchmark)
		add("benchmark", err)
	}
	add("level", oneOf(s.Level, "", control.L1.String(), control.L2.String()))
	add("mode", validateMode(s.Mode))
	add("effect", oneOf(s.Effect, "", string(corev1.TaintEffectNoSchedule), string(corev1.TaintEffectNoExecute)))
	add("stale", oneOf(s.Stale, "", "Keep", "Warn", "Enforce"))
	add("gracePeriod", validateDuration(s.GracePeriod, 0))
	add("clearAfter", validateDuration(s.ClearAfter, 0))
	add("minimumDwell", validateDuration(s.MinimumDwell, 0))
	add("staleAfter", validateDuration(s.StaleAfter, MinStaleAfter))
	if b := s.Budget; b != nil {
		add("budget.cluster", validateLimit(b.Cluster))
		add("budget.pool", validateLimit(b.Pool))
		add("budget.correlation", validateLimit(b.Correlation))
	}
	return append(errs, validateControls(s.Controls)...)
}

// MinStaleAfter is the time after which an agent's lease has ended: sooner than that,
// nothing can be said to be stale.
const MinStaleAfter = 15 * time.Minute

func validateControls(settings []v1alpha1.NodeControlSetting) (errs []error) {
	seen := map[string]bool{}
	for i, c := range settings {
		at := fmt.Sprintf("spec.controls[%d]", i)
		if seen[c.ID] {
			errs = append(errs, fmt.Errorf("%s.id: control %q is set twice", at, c.ID))
		}
		seen[c.ID] = true
		if err := validateID(c.ID); err != nil {
			errs = append(errs, fmt.Errorf("%s.id: %w", at, err))
		}
		if err := validateMode(c.Mode); err != nil {
			errs = append(errs, fmt.Errorf("%s.mode: %w", at, err))
		}
		if c.Parameters == nil || len(c.Parameters.UnnecessaryModules) == 0 {
			continue
		}
		if c.ID != moduleReader {
			errs = append(errs, fmt.Errorf("%s.parameters.unnecessaryModules: control %q takes no parameters, %s reads this one", at, c.ID, moduleReader))
		}
		for j, m := range c.Parameters.UnnecessaryModules {
			if !moduleName.MatchString(m) {
				errs = append(errs, fmt.Errorf("%s.parameters.unnecessaryModules[%d]: %q is no name of a kernel module", at, j, m))
			}
		}
	}
	return errs
}

// moduleReader is the control that judges the modules a site adds.
const moduleReader = "mod-unnecessary"

// moduleName is what the names of kernel modules look like, and not what is written
// around them in modprobe.d: as long as the kernel keeps them (MODULE_NAME_LEN). An agent
// refuses all that it is asked for where one name cannot be.
var moduleName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,55}$`)

func validateID(id string) error {
	var ids []string
	for _, c := range judged() {
		if string(c.ID) == id {
			return nil
		}
		ids = append(ids, string(c.ID))
	}
	if c, ok := control.Get(control.ID(id)); ok && c.Face == control.Admission {
		return fmt.Errorf("control %q judges workloads: see WorkloadPolicy", id)
	}
	return fmt.Errorf("no control %q is judged on nodes%s", id, control.Hint(id, ids))
}

func validateMode(m v1alpha1.Mode) error {
	if m == "" {
		return nil
	}
	_, err := control.ParseMode(string(m))
	return err
}

func validateSelector(s *metav1.LabelSelector) error {
	if s == nil {
		return nil
	}
	_, err := metav1.LabelSelectorAsSelector(s)
	return err
}

func validateDuration(d *metav1.Duration, least time.Duration) error {
	if d != nil && d.Duration < least {
		return fmt.Errorf("%s is less than %s", d.Duration, least)
	}
	return nil
}

func validateLimit(l *intstr.IntOrString) error {
	if l == nil {
		return nil
	}
	_, err := ParseLimit(*l)
	return err
}

// oneOf is an error unless value is one of those that are known.
func oneOf(value string, known ...string) error {
	if slices.Contains(known, value) {
		return nil
	}
	return fmt.Errorf("unknown value %q%s", value, control.Hint(value, known[1:]))
}

// ParseLimit reads a number of nodes, or a percentage of at most 100.
func ParseLimit(v intstr.IntOrString) (Limit, error) {
	if v.Type == intstr.Int {
		if v.IntVal < 0 {
			return Limit{}, fmt.Errorf("%d is less than none", v.IntVal)
		}
		return Limit{Nodes: int(v.IntVal)}, nil
	}
	number, found := strings.CutSuffix(v.StrVal, "%")
	percent, err := strconv.Atoi(number)
	if !found || err != nil || percent < 0 || percent > 100 || number != strconv.Itoa(percent) {
		return Limit{}, fmt.Errorf("%q is neither a number of nodes nor a percentage such as 10%%", v.StrVal)
	}
	return Limit{Percent: percent, IsPercent: true}, nil
}
