package check

import (
	"errors"
	"strings"
	"testing"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
)

func TestRun(t *testing.T) {
	const id = "perm-crontab"
	broken := errors.New("broken")
	for name, tt := range map[string]struct {
		run    func(*host.Host, *Rules) (Result, error)
		exempt bool
		status control.Status
		first  string // what the first finding begins with
	}{
		"nothing": {
			run:    func(*host.Host, *Rules) (Result, error) { return Result{}, nil },
			status: control.Unknown, first: "perm-crontab: could not tell: nothing was found to judge by",
		},
		"an error beside a pass": {
			run:    func(*host.Host, *Rules) (Result, error) { return Result{Status: control.Pass}, broken },
			status: control.Unknown, first: "perm-crontab: could not tell: broken",
		},
		"an error beside a fault": {
			run: func(*host.Host, *Rules) (Result, error) {
				return Result{Status: control.Fail, Findings: []Finding{{Where: "/a", Detail: "wrong"}}}, broken
			},
			status: control.Fail, first: "/a: wrong",
		},
		"an exempt fault": {
			run: func(*host.Host, *Rules) (Result, error) {
				return Result{Status: control.Fail, Findings: []Finding{{Where: "/a", Detail: "wrong"}}}, nil
			},
			exempt: true, status: control.Exempt, first: "perm-crontab: exempt: a reason",
		},
		"exempt, but not told": {
			run:    func(*host.Host, *Rules) (Result, error) { return Result{}, broken },
			exempt: true, status: control.Unknown, first: "perm-crontab: could not tell: broken",
		},
		"a panic": {
			run:    func(*host.Host, *Rules) (Result, error) { panic("secret") },
			status: control.Unknown, first: "perm-crontab: the check panicked, please report this: string at nodecheck/check/run_test.go:",
		},
	} {
		t.Run(name, func(t *testing.T) {
			tree, err := hosttest.Text("-- etc/ --")
			if err != nil {
				t.Fatal(err)
			}
			rules := NewRules()
			if tt.exempt {
				rules.Exempt = map[control.ID]string{id: "a reason"}
			}
			got := Run(host.New(tree), []*Check{{ID: id, Run: tt.run}}, rules)[0]
			if got.Status != tt.status {
				t.Errorf("status %s, want %s", got.Status, tt.status)
			}
			if first := lines(got.Findings)[0]; !strings.HasPrefix(first, tt.first) {
				t.Errorf("the first finding is %q, want %q", first, tt.first)
			}
		})
	}
}

// TestNoNode: a tree that is none of a node passes nothing, and nothing is absent
// from it.
func TestNoNode(t *testing.T) {
	for _, archive := range []string{"", "-- data/x --\n", "-- usr/bin/ --\n-- usr/sbin/ --\n-- proc/1/cmdline nul --\n/sbin/init\n"} {
		tree, err := hosttest.Text(archive)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range Run(host.New(tree), All(), NewRules()) {
			if v.Status != control.Unknown && v.Status != control.Fail {
				t.Errorf("%q: %s is %s: %q", archive, v.Control, v.Status, lines(v.Findings))
			}
		}
	}
}
