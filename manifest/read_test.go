package manifest_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/manifest"
)

const (
	podA  = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}`
	podB  = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"b"}}`
	yamlA = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
	yamlB = "apiVersion: v1\nkind: Pod\nmetadata: {name: b}\n"
)

// got is what Read returned, in lines: "source json" and "source: error".
func got(s *manifest.Set, errs []error) (objects, problems []string) {
	for _, o := range s.Objects {
		objects = append(objects, o.Source+" "+string(o.JSON))
	}
	for _, err := range errs {
		problems = append(problems, err.Error())
	}
	return objects, problems
}

func TestRead(t *testing.T) {
	both := []string{"f.yaml#0 " + podA, "f.yaml#1 " + podB}
	tests := map[string]struct {
		in        string
		want      []string
		errs      []string
		documents int
	}{
		"empty":                        {in: ""},
		"comments only":                {in: "# nothing\n\n# here\n"},
		"separators and comments only": {in: "---\n# a\n--- # b\n...\n---\n"},
		"null":                         {in: "---\n~\n---\nnull\n"},
		"one":                          {in: yamlA, want: both[:1], documents: 1},
		"two":                          {in: yamlA + "---\n" + yamlB, want: both, documents: 2},
		"leading separator":            {in: "---\n" + yamlA + "---\n" + yamlB + "---\n", want: both, documents: 2},
		"licence before the separator": {in: "# licence\n---\n" + yamlA + "--- # b\n" + yamlB, want: both, documents: 2},
		"tab behind the separator":     {in: yamlA + "---\t\n" + yamlB, want: both, documents: 2},
		"directive":                    {in: "%YAML 1.1\n---\n" + yamlA + "...\n%YAML 1.1\n---\n" + yamlB, want: both, documents: 2},
		"CRLF":                         {in: strings.ReplaceAll(yamlA+"---\n"+yamlB, "\n", "\r\n"), want: both, documents: 2},
		"byte order mark":              {in: "\ufeff" + yamlA + "---\n" + yamlB, want: both, documents: 2},
		"byte order mark and JSON":     {in: "\ufeff" + podA, want: both[:1], documents: 1},
		"end marker hides nothing":     {in: yamlA + "...\n" + yamlB, want: both, documents: 2},
		"end marker and separator":     {in: yamlA + "...\n# c\n---\n" + yamlB, want: both, documents: 2},
		"content on the separator":     {in: yamlA + "--- {apiVersion: v1, kind: Pod, metadata: {name: b}}\n", want: both, documents: 2},
		"no line break at the end":     {in: yamlA + "---\n" + strings.TrimSpace(yamlB), want: both, documents: 2},
		"JSON":                         {in: podA, want: both[:1], documents: 1},
		"JSON stream":                  {in: podA + podB + "\n", want: both, documents: 2},
		"JSON with separators":         {in: podA + "\n---\n" + podB + "\n", want: both, documents: 2},
		"flow style":                   {in: "{apiVersion: v1, kind: Pod, metadata: {name: a}}", want: both[:1], documents: 1},
		"JSON with a comment":          {in: podA + " # it is YAML then", want: both[:1], documents: 1},
		"empty documents keep their numbers": {
			in: "---\n---\n" + yamlA + "---\n# c\n---\n" + yamlB, documents: 2,
			want: []string{"f.yaml#1 " + podA, "f.yaml#3 " + podB},
		},
		"separator in a block scalar": {
			in: "apiVersion: v1\nkind: ConfigMap\ndata:\n  x: |\n    a\n    ---\n    b\n", documents: 1,
			want: []string{`f.yaml#0 {"apiVersion":"v1","data":{"x":"a\n---\nb\n"},"kind":"ConfigMap"}`},
		},
		"words of YAML 1.1": {
			in: "apiVersion: v1\nkind: X\na: yes\nb: off\nc: 010\nd: \"yes\"\n", documents: 1,
			want: []string{`f.yaml#0 {"a":true,"apiVersion":"v1","b":false,"c":8,"d":"yes","kind":"X"}`},
		},
		"anchors and merges": {
			in: "apiVersion: v1\nkind: X\nbase: &b {p: 1, q: 2}\na: *b\nm:\n  <<: *b\n  p: 3\n", documents: 1,
			want: []string{`f.yaml#0 {"a":{"p":1,"q":2},"apiVersion":"v1","base":{"p":1,"q":2},"kind":"X","m":{"p":3,"q":2}}`},
		},
		"several merges at once": {
			in: "apiVersion: v1\nkind: X\na: &a {p: 1}\nb: &b {p: 2}\nm:\n  <<: [*a, *b]\n", documents: 1,
			want: []string{`f.yaml#0 {"a":{"p":1},"apiVersion":"v1","b":{"p":2},"kind":"X","m":{"p":1}}`},
		},
		"merge that overrides": {
			in: "apiVersion: v1\nkind: X\na: &a {p: 1}\nm:\n  p: 2\n  <<: *a\n", documents: 1,
			errs: []string{`f.yaml#0: line 6: the merge brings "p", which line 5 gives already: put the merge first`},
		},
		"merge of a merge that overrides": {
			in: "apiVersion: v1\nkind: X\na: &a {p: 1}\nb: &b\n  <<: *a\nm:\n  p: 2\n  <<: [*b]\n", documents: 1,
			errs: []string{`f.yaml#0: line 8: the merge brings "p", which line 7 gives already: put the merge first`},
		},
		"a name twice": {
			in: yamlA + "---\napiVersion: v1\nkind: Pod\nspec:\n  securityContext: {}\n  securityContext: {}\n", documents: 2,
			want: both[:1],
			errs: []string{`f.yaml#1: line 9: the name "securityContext" is given twice, first in line 8`},
		},
		"a name twice, spelt differently": {
			in: "apiVersion: v1\nkind: X\nspec: 1\n\"sp\\x65c\": 2\n", documents: 1,
			errs: []string{`f.yaml#0: line 4: the name "spec" is given twice, first in line 3`},
		},
		"a name twice, once as a number": {
			in: "apiVersion: v1\nkind: X\n1: a\n\"1\": b\n", documents: 1,
			errs: []string{`f.yaml#0: line 4: the name "1" is given twice, first in line 3`},
		},
		"a name in base64": {
			in: "apiVersion: v1\nkind: X\n!!binary c3BlYw==: 1\n", documents: 1,
			errs: []string{"f.yaml#0: line 3: a name in base64"},
		},
		"a name twice in JSON": {
			in: "{\"apiVersion\": \"v1\",\n\"kind\": \"X\",\n\"kind\": \"Y\"}", documents: 1,
			errs: []string{`f.yaml#0: line 3: the name "kind" is given twice`},
		},
		"a name twice in flow style": {
			in: "{apiVersion: v1, kind: X, kind: X}", documents: 1,
			errs: []string{`f.yaml#0: line 1: the name "kind" is given twice, first in line 1`},
		},
		"second document is bad": {
			in: yamlA + "---\na: b: c\n---\n" + yamlB, documents: 3,
			want: []string{both[0], "f.yaml#2 " + podB},
			errs: []string{"f.yaml#1: line 5: mapping values are not allowed in this context"},
		},
		"second JSON value is bad": {
			in: podA + "\n{\"apiVersion\": 1,}", documents: 2,
			want: both[:1],
			errs: []string{"f.yaml#1: line 2: '}' where a name in quotes should be"},
		},
		"a document behind an odd line break": {
			in: "apiVersion: v1\u2028---\u2028kind: Pod\n", documents: 1,
			errs: []string{"f.yaml#0: line 2: a second document that no line break of its own begins"},
		},
		"a separator that hides a document": {
			in: yamlA + "--- # c\r" + strings.ReplaceAll(yamlB, "\n", "\r"), want: both, documents: 2,
		},
		"a separator with an odd line break": {
			in: yamlA + "---\u2028" + yamlB, documents: 1,
			errs: []string{"f.yaml#0: line 4: a second document that no line break of its own begins"},
		},
		"an end that hides a document": {
			in: "# c\n...\r" + strings.ReplaceAll(yamlA, "\n", "\r"), documents: 1,
			errs: []string{"f.yaml#0: line 1: did not find expected node content"},
		},
		"garbage behind the end of nothing": {
			in: "# c\n... x\n", documents: 1,
			errs: []string{"f.yaml#0: line 1: did not find expected node content"},
		},
		"garbage behind the end": {
			in: yamlA + "... x\n", documents: 1,
			errs: []string{"f.yaml#0: line 3: did not find expected <document start>"},
		},
		"scalar": {
			in: "just words\n", documents: 1,
			errs: []string{`f.yaml#0: a string where an object should be`},
		},
		"sequence": {
			in: "- apiVersion: v1\n", documents: 1,
			errs: []string{"f.yaml#0: a list where an object should be"},
		},
		"no kind": {
			in: "apiVersion: v1\n", documents: 1,
			errs: []string{"f.yaml#0: apiVersion and kind are not both set"},
		},
		"kind of another type": {
			in: "apiVersion: 1\nkind: Pod\n", documents: 1,
			errs: []string{"f.yaml#0: apiVersion: a number where a string should be: quote it, as YAML takes a bare n, no, on or 123 for no string"},
		},
		"template": {
			in: "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Release.Name }}\n", documents: 1,
			errs: []string{`f.yaml#0: invalid map key: map[interface {}]interface {}{".Release.Name":interface {}(nil)}` +
				`; it looks like a template: render it first ("helm template CHART | hardgate check -f -")`},
		},
		"kustomization": {
			in: "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n", documents: 1,
			errs: []string{`f.yaml#0: a kustomization is no object of a cluster: build it first ("kubectl kustomize DIR | hardgate check -f -")`},
		},
		"kustomization of Flux": {
			in: "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n", documents: 1,
			want: []string{`f.yaml#0 {"apiVersion":"kustomize.toolkit.fluxcd.io/v1","kind":"Kustomization"}`},
		},
		"binary": {in: "\x7fELF\x02\x00\xff", errs: []string{"f.yaml: not a text file in UTF-8"}},
		"NUL":    {in: "a: \x00", errs: []string{"f.yaml: not a text file in UTF-8"}},
		"UTF-16": {in: "\xff\xfea\x00", errs: []string{"f.yaml: the file is in UTF-16: save it as UTF-8"}},
		"tab": {
			in: "apiVersion: v1\n\tkind: Pod\n", documents: 1,
			errs: []string{"f.yaml#0: line 2: found a tab character that violates indentation"},
		},
		"alias of itself": {
			in: "a: &a [*a]\n", documents: 1,
			errs: []string{"f.yaml#0: anchor 'a' value contains itself"},
		},
		"not a JSON number": {
			in: "apiVersion: v1\nkind: X\na: .inf\n", documents: 1,
			errs: []string{"f.yaml#0: json: unsupported value: +Inf"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			set, errs := manifest.Read(strings.NewReader(tt.in), "f.yaml")
			objects, problems := got(set, errs)
			if diff := cmp.Diff(tt.want, objects); diff != "" {
				t.Errorf("objects (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.errs, problems); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
			if set.Documents != tt.documents || set.Files != 1 {
				t.Errorf("%d documents in %d files, want %d in 1", set.Documents, set.Files, tt.documents)
			}
		})
	}
}

// TestReadHidden: kubectl reads a document behind a comment or a directive, also
// where YAML ends the line and other readers do not.
func TestReadHidden(t *testing.T) {
	for _, ends := range []string{"\r", "\u0085", "\u2028", "\u2029"} {
		hidden := strings.ReplaceAll(yamlB, "\n", ends)
		for name, in := range map[string]string{
			"comment":            yamlA + "---\n# c" + ends + hidden,
			"comment at the end": yamlA + "---\n# c\n# d" + ends + hidden + "# e\n",
			"only a comment":     yamlA + "...\n# c" + ends + hidden,
			"directive":          yamlA + "...\n%YAML 1.1" + ends + "---" + ends + hidden,
		} {
			objects, problems := got(manifest.Read(strings.NewReader(in), "f.yaml"))
			if diff := cmp.Diff([]string{"f.yaml#0 " + podA, "f.yaml#1 " + podB}, objects); diff != "" || problems != nil {
				t.Errorf("%s, %q: errors %q, objects (-want +got):\n%s", name, ends, problems, diff)
			}
		}
		if objects, problems := got(manifest.Read(strings.NewReader("# c"+ends+"# d\n"), "f.yaml")); objects != nil || problems != nil {
			t.Errorf("comments with %q: objects %q, errors %q", ends, objects, problems)
		}
	}
}

func TestReadLists(t *testing.T) {
	tests := map[string]struct {
		in   string
		want []string
		errs []string
	}{
		"v1 List": {
			in:   `{"apiVersion":"v1","kind":"List","items":[` + podA + `,` + podB + `]}`,
			want: []string{"f.yaml#0[0] " + podA, "f.yaml#0[1] " + podB},
		},
		"nested": {
			in: `{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"List","items":[` + podA + `]},` +
				podB + `]}`,
			want: []string{"f.yaml#0[0][0] " + podA, "f.yaml#0[1] " + podB},
		},
		"typed": {
			in: `{"apiVersion":"apps/v1","kind":"DeploymentList","items":[{"metadata":{"name":"a"}},{ }]}`,
			want: []string{
				`f.yaml#0[0] {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"}}`,
				`f.yaml#0[1] {"apiVersion":"apps/v1","kind":"Deployment"}`,
			},
		},
		"typed, elements say more": {
			in:   `{"apiVersion":"v1","kind":"PodList","items":[{"apiVersion":"apps/v1","kind":"Deployment"}]}`,
			want: []string{`f.yaml#0[0] {"apiVersion":"apps/v1","kind":"Deployment"}`},
		},
		"typed, an element says half": {
			in:   `{"apiVersion":"v1","kind":"PodList","items":[{"kind":"Pod"},{"apiVersion":""}]}`,
			errs: []string{"f.yaml#0[0]: apiVersion and kind are not both set", "f.yaml#0[1]: apiVersion and kind are not both set"},
		},
		"empty":              {in: `{"apiVersion":"v1","kind":"List","items":[]}`},
		"items null":         {in: `{"apiVersion":"v1","kind":"List","items":null}`},
		"no items":           {in: `{"apiVersion":"v1","kind":"List"}`},
		"typed, items null":  {in: `{"apiVersion":"v1","kind":"PodList","items":null}`},
		"kind ends in List":  {in: `{"apiVersion":"x.dev/v1","kind":"AllowList"}`, want: []string{`f.yaml#0 {"apiVersion":"x.dev/v1","kind":"AllowList"}`}},
		"element without":    {in: `{"apiVersion":"v1","kind":"List","items":[{}]}`, errs: []string{"f.yaml#0[0]: apiVersion and kind are not both set"}},
		"element null":       {in: `{"apiVersion":"v1","kind":"List","items":[null]}`, errs: []string{"f.yaml#0[0]: null where an object should be"}},
		"items of no list":   {in: `{"apiVersion":"v1","kind":"List","items":{}}`, errs: []string{"f.yaml#0: items: an object where a list should be"}},
		"a Pod with items":   {in: `{"apiVersion":"v1","kind":"Pod","items":[]}`, errs: []string{"f.yaml#0: the Pod has items: kubectl would take it for a list"}},
		"a Pod without them": {in: `{"apiVersion":"v1","kind":"Pod","items":null}`, want: []string{`f.yaml#0 {"apiVersion":"v1","kind":"Pod","items":null}`}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			objects, problems := got(manifest.Read(strings.NewReader(tt.in), "f.yaml"))
			if diff := cmp.Diff(tt.want, objects); diff != "" {
				t.Errorf("objects (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.errs, problems); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '#'
	}
	return len(p), nil
}

func TestReadTooLarge(t *testing.T) {
	_, errs := manifest.Read(endless{}, "big.yaml")
	if len(errs) != 1 || errs[0].Error() != "big.yaml: larger than 100 MiB" {
		t.Errorf("errors are %v", errs)
	}
}
