package main

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// places are the rules of the results of a SARIF file, with file and line.
func places(t *testing.T, text string) (all []string) {
	t.Helper()
	var log struct {
		Runs []struct {
			Results []struct {
				RuleID    string
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine int }
					}
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &log); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	for _, r := range log.Runs[0].Results {
		p := r.Locations[0].PhysicalLocation
		all = append(all, fmt.Sprintf("%s %s:%d", r.RuleID, p.ArtifactLocation.URI, p.Region.StartLine))
	}
	return all
}

// TestCheckSARIF: a finding is where its field is, or would be.
func TestCheckSARIF(t *testing.T) {
	files := map[string]string{"a b.yaml": "# ours\n---\n" + fails}
	code, stdout, stderr := call(t, files, "", "check", "-f", ".", "-o", "sarif", "--control", "privileged,privilege-escalation")
	if diff := cmp.Diff([]string{"privileged a%20b.yaml:14", "privilege-escalation a%20b.yaml:14"}, places(t, stdout)); diff != "" || code != exitFails || stderr != "" {
		t.Errorf("exit %d, stderr %q, (-want +got):\n%s", code, stderr, diff)
	}
	// What was read from a pipe is in no file, and what passes is there on demand.
	_, stdout, _ = call(t, nil, fails, "check", "-f", "-", "-o", "sarif", "--control", "privileged,host-pid", "--all")
	if got := places(t, stdout); !slices.Equal(got, []string{"privileged :0", "host-pid :0"}) && !slices.Equal(got, []string{"host-pid :0", "privileged :0"}) {
		t.Errorf("%q", got)
	}
	code, stdout, _ = call(t, map[string]string{"a.yaml": "a: b: c"}, "", "check", "-f", "a.yaml", "-o", "sarif")
	if places(t, stdout) != nil || code != exitBad || !strings.Contains(stdout, `"executionSuccessful":false`) || !strings.Contains(stdout, "a.yaml#0: mapping values") {
		t.Errorf("exit %d: %s", code, stdout)
	}
}

func TestCheckJUnit(t *testing.T) {
	code, stdout, stderr := call(t, map[string]string{"w.yaml": fails}, "", "check", "-f", "w.yaml", "-o", "junit")
	var got struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Suites   []struct {
			Name  string `xml:"name,attr"`
			Cases []struct {
				Name    string    `xml:"name,attr"`
				File    string    `xml:"file,attr"`
				Line    int       `xml:"line,attr"`
				Failure *struct{} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(stdout), &got); err != nil || code != exitFails || stderr != "" {
		t.Fatalf("exit %d, stderr %q, %v in %s", code, stderr, err, stdout)
	}
	if got.Tests != 21 || got.Failures != 4 || len(got.Suites) != 2 || got.Suites[0].Name != "Deployment shop/web" {
		t.Errorf("%+v", got)
	}
	for _, c := range got.Suites[0].Cases {
		if strings.HasPrefix(c.Name, "privileged: ") && (c.Failure == nil || c.File != "w.yaml" || c.Line != 12) {
			t.Errorf("%+v", c)
		}
	}
}

// TestAuditFormats: of a cluster no file is known, and all that there is of a finding is told.
func TestAuditFormats(t *testing.T) {
	code, stdout, stderr := shopServer(t, nil).audit(t, "--control", "privileged", "-o", "sarif")
	if got := places(t, stdout); len(got) != 4 || got[0] != "privileged :0" || code != exitFails || stderr != "" {
		t.Errorf("exit %d, stderr %q, %q", code, stderr, got)
	}
	for _, want := range []string{`"level":"note"`, "Pod shop/web-5-a and 1 more (of Deployment/web): spec.containers[0].securityContext.privileged: privileged is true"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %s in %s", want, stdout)
		}
	}
	if _, stdout, _ := shopServer(t, nil).audit(t, "--control", "privileged", "-o", "junit"); !strings.Contains(stdout, `tests="4" failures="4"`) {
		t.Error(stdout)
	}
}
