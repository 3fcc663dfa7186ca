package main

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/hardgate-dev/hardgate/report"
)

// FuzzCheck: whatever the bytes, check ends with one of its exit codes, prints a
// report, and says on stderr what is wrong with the input if it ends with 2.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{
		good, fails, wrong, twice, "", `{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod","spec":{}}]}`,
		"apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {a: b}}\n",
		"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {group: x, names: {kind: X}, scope: Cluster}\n---\napiVersion: x/v1\nkind: X\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var stdout, stderr bytes.Buffer
		code := run([]string{"hardgate", "check", "-f", "-", "-n", "default", "-o", "json"}, bytes.NewReader(data), &stdout, &stderr)
		var r report.Report
		if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
			t.Fatalf("the output is no JSON: %v", err)
		}
		if bad := len(r.Errors) > 0; bad != (code == exitBad) || bad != (stderr.Len() > 0) {
			t.Errorf("exit %d, errors %q, stderr %q", code, r.Errors, stderr.String())
		}
		if r.Failed() && code == exitOK {
			t.Error("something fails and the exit is 0")
		}
	})
}
