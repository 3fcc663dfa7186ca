package repair

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

func deployment(spec string) string {
	return `{"apiVersion":"apps/v1","kind":"Deployment","spec":{"template":{"spec":` + spec + `}}}`
}

func TestMended(t *testing.T) {
	const two = `{"containers":[{"name":"a"},{"name":"b","securityContext":{"allowPrivilegeEscalation":true,"capabilities":{"drop":["ALL"]},"seccompProfile":{"type":"Unconfined"}}}]}`
	tests := map[string]struct {
		controls, raw string
		exempt        Exempt
		mended        []string // the containers' findings that are
	}{
		"nothing asked":    {controls: "", raw: deployment(two)},
		"no repair":        {controls: "run-as-root", raw: deployment(two)},
		"what is unsaid":   {controls: all, raw: deployment(two), mended: []string{"net-raw a", "privilege-escalation a", "seccomp a"}},
		"one of them":      {controls: "net-raw", raw: deployment(two), mended: []string{"net-raw a"}},
		"a pod":            {controls: "net-raw", raw: podOf(`{}`, two), mended: []string{"net-raw a"}},
		"a mirror":         {controls: all, raw: podOf(`{"annotations":{"kubernetes.io/config.mirror":"x"}}`, two)},
		"Windows":          {controls: all, raw: deployment(`{"os":{"name":"windows"},"containers":[{"name":"a"}]}`)},
		"a job's":          {controls: "seccomp", raw: `{"apiVersion":"batch/v1","kind":"CronJob","spec":{"jobTemplate":{"spec":{"template":{"spec":` + two + `}}}}}`, mended: []string{"seccomp a"}},
		"ephemeral":        {controls: all, raw: podOf(`{}`, `{"containers":[],"ephemeralContainers":[{"name":"e"}]}`)},
		"privileged":       {controls: all, raw: deployment(`{"containers":[{"name":"a","securityContext":{"privileged":true}}]}`), mended: []string{"seccomp a"}},
		"exempt":           {controls: "seccomp net-raw", raw: deployment(`{"containers":[{"name":"a"},{"name":"b"}]}`), exempt: exempting("seccomp", "a"), mended: []string{"seccomp b", "net-raw a", "net-raw b"}},
		"no pod":           {controls: all, raw: `{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"default"}}`},
		"of a bad profile": {controls: "seccomp", raw: deployment(`{"securityContext":{"seccompProfile":{"type":"Unconfined"}},"containers":[{"name":"a"}]}`)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s, untouched := subjectOf(t, tt.raw), subjectOf(t, tt.raw)
			mended := Mended(s, ruled(t, tt.controls), tt.exempt)
			if (mended == nil) != (len(tt.mended) == 0) && name != "ephemeral" {
				t.Fatal("nil where something is mended, or the other way round")
			}
			var got []string
			for id := range strings.FieldsSeq(tt.controls) {
				p, _ := policy.Get(control.ID(id))
				for _, f := range p.Judge(s).Findings {
					if mended != nil && mended(p.ID, &f) {
						got = append(got, id+" "+f.Container.Name)
					}
				}
			}
			if diff := cmp.Diff(tt.mended, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(untouched, s, cmp.AllowUnexported(workload.Pod{})); diff != "" {
				t.Errorf("the subject has changed:\n%s", diff)
			}
			if mended != nil && mended("host-ports", &policy.Finding{Path: "spec"}) {
				t.Error("a control that does not repair is mended")
			}
		})
	}
}

// What Mended says of an object is what is left when the repair has been applied to it.
func TestMendedIsWhatIsRepaired(t *testing.T) {
	compared := 0
	for _, f := range fixtures(t) {
		before, err := workload.Decode(f.raw)
		p, _ := policy.Get(f.id)
		if err != nil || p.Fix == nil || before.Pod == nil || before.Pod.Template || strings.Contains(string(f.raw), "ephemeralContainers") {
			continue
		}
		judged := ruled(t, string(f.id))
		s := &policy.Subject{Object: &before, Admitted: true}
		r, err := Make(f.raw, s, judged, nil)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := repaired(f.raw, r)
		if err != nil {
			t.Fatal(err)
		}
		after := subjectOf(t, string(raw))
		var want, got []string
		for _, l := range p.Judge(after).Findings {
			want = append(want, l.Same)
		}
		mended := Mended(s, judged, nil)
		for _, l := range p.Judge(s).Findings {
			if mended == nil || !mended(p.ID, &l) {
				got = append(got, l.Same)
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		// An annotation that is not decoded may keep a profile from being set.
		if diff := cmp.Diff(want, got); diff != "" && !strings.Contains(string(f.raw), podSeccomp) {
			t.Errorf("%s (-left +said to be left):\n%s", f.file, diff)
		}
		compared++
	}
	if compared < 50 {
		t.Errorf("%d objects are compared", compared)
	}
}
