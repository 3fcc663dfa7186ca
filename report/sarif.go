package report

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/control"
)

// Locate is the file and the line, from 1, at which a field of an object stands: an empty
// file where that is not known.
type Locate func(o Object, path string) (file string, line int)

// SARIF is how a report reads for what shows findings beside code: SARIF 2.1.0, a result
// for each finding.
type SARIF struct {
	// Version is that of the program.
	Version string
	// All has results that are no failures and not exempt, too.
	All bool
	// Lang is the language of titles and remedies.
	Lang control.Lang
	// Locate may be nil.
	Locate Locate
}

const (
	sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	home        = "https://github.com/hardgate-dev/hardgate"
)

// What SARIF calls things.
type (
	sarifText struct {
		Text string `json:"text"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string     `json:"id"`
		ShortDescription *sarifText `json:"shortDescription,omitempty"`
		FullDescription  *sarifText `json:"fullDescription,omitempty"`
		Help             *sarifText `json:"help,omitempty"`
		Properties       *sarifTags `json:"properties,omitempty"`
	}
	sarifTags struct {
		Tags []string `json:"tags"`
	}
	sarifInvocation struct {
		ExecutionSuccessful bool                `json:"executionSuccessful"`
		Notifications       []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level   string    `json:"level"`
		Message sarifText `json:"message"`
	}
	sarifResult struct {
		RuleID       string             `json:"ruleId"`
		RuleIndex    int                `json:"ruleIndex"`
		Kind         string             `json:"kind"`
		Level        string             `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations"`
		Fingerprints map[string]string  `json:"partialFingerprints"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
		Properties   map[string]string  `json:"properties,omitempty"`
	}
	sarifLocation struct {
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Logical  []sarifLogical `json:"logicalLocations"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifLogical struct {
		Name               string `json:"name,omitempty"`
		FullyQualifiedName string `json:"fullyQualifiedName"`
		Kind               string `json:"kind"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Justification string `json:"justification"`
	}
)

// Write writes the report. Results are made twice, and none is kept.
func (f SARIF) Write(w io.Writer, s *Stream) error {
	rules, index := f.rules(s)
	out := bufio.NewWriter(w) // which keeps its error
	run := sarifInvocation{ExecutionSuccessful: len(s.Errors) == 0}
	for _, e := range s.Errors {
		run.Notifications = append(run.Notifications, sarifNotification{"error", sarifText{e}})
	}
	tool, err := compact(sarifTool{sarifDriver{"hardgate", f.Version, home, rules}})
	if err != nil {
		return err
	}
	invocation, err := compact(run)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "{\n\"$schema\": %q,\n\"version\": \"2.1.0\",\n\"runs\": [{\n\"tool\": %s,\n\"invocations\": [%s],\n\"results\": [", sarifSchema, tool, invocation)
	between := "\n"
	for r := range f.shown(s) {
		for _, result := range f.results(&r) {
			result.RuleIndex = index[r.Control]
			line, err := compact(result)
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "%s%s", between, line)
			between = ",\n"
		}
	}
	fmt.Fprintf(out, "\n]\n}]\n}\n")
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing sarif: %w", err)
	}
	return nil
}

// compact is a value as JSON in a line, with characters as they are.
func compact(value any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return nil, fmt.Errorf("writing sarif: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func (f SARIF) shown(s *Stream) func(func(Result) bool) {
	return func(yield func(Result) bool) {
		for r := range s.Results {
			if (f.All || r.Status == control.Fail || r.Status == control.Exempt) && !yield(r) {
				return
			}
		}
	}
}

// rules are the controls that there are results of, in the order of these.
func (f SARIF) rules(s *Stream) ([]sarifRule, map[control.ID]int) {
	rules, index := []sarifRule{}, map[control.ID]int{}
	for r := range f.shown(s) {
		if _, known := index[r.Control]; known {
			continue
		}
		index[r.Control] = len(rules)
		rule := sarifRule{ID: string(r.Control), Properties: &sarifTags{Tags: []string{"kubernetes", "security"}}}
		for _, row := range r.Rows {
			rule.Properties.Tags = append(rule.Properties.Tags, row.Benchmark+"/"+row.ID)
		}
		if c, known := control.Get(r.Control); known {
			rule.ShortDescription = &sarifText{c.Title.In(f.Lang)}
			rule.FullDescription = &sarifText{c.Why.In(f.Lang)}
			rule.Help = &sarifText{c.Remedy.In(f.Lang)}
		}
		rules = append(rules, rule)
	}
	return rules, index
}

// results are one for each finding, or one where there is none.
func (f SARIF) results(r *Result) (all []sarifResult) {
	findings := r.Findings
	if len(findings) == 0 {
		findings = []Finding{{}}
	}
	for i := range findings {
		finding := &findings[i]
		result := sarifResult{
			RuleID: string(r.Control), Kind: sarifKind(r.Status), Level: "none",
			Message: sarifText{about(r, finding, f.Lang)}, Locations: []sarifLocation{f.location(&r.Object, finding.Path)},
			Fingerprints: map[string]string{"hardgate/v1": fingerprint(r, finding)},
		}
		if result.Kind == "fail" {
			result.Level = level(r.Mode)
		}
		if r.Mode != "" {
			result.Properties = map[string]string{"mode": r.Mode}
		}
		if finding.Exemption != "" {
			result.Suppressions = []sarifSuppression{{"external", "Exemption " + finding.Exemption}}
		}
		all = append(all, result)
	}
	return all
}

// sarifKind is what a status is called. What is exempt fails, and is suppressed.
func sarifKind(s control.Status) string {
	switch s {
	case control.Fail, control.Exempt:
		return "fail"
	case control.Pass:
		return "pass"
	case control.NotApplicable:
		return "notApplicable"
	case control.ByHand:
		return "review"
	default:
		return "open"
	}
}

// level is that of a failure in a mode: what is denied is an error, as is what no policy
// says anything of.
func level(mode string) string {
	switch mode {
	case "Warn":
		return "warning"
	case "Audit":
		return "note"
	}
	return "error"
}

// about says what is found of which object.
func about(r *Result, f *Finding, lang control.Lang) string {
	text := name(&r.Object)
	if r.Object.Alike > 0 {
		text += fmt.Sprintf(wordAlike.In(lang), r.Object.Alike)
	}
	if r.Object.Owner != "" {
		text += " (" + fmt.Sprintf(wordOwned.In(lang), r.Object.Owner) + ")"
	}
	parts := slices.DeleteFunc([]string{text, f.Path, f.Detail}, func(part string) bool { return part == "" })
	if len(parts) == 1 {
		parts = append(parts, string(r.Status))
	}
	return strings.Join(parts, ": ")
}

// name is the kind and the name of an object.
func name(o *Object) string {
	if o.Namespace == "" {
		return o.Kind + " " + o.Name
	}
	return o.Kind + " " + o.Namespace + "/" + o.Name
}

func (f SARIF) location(o *Object, field string) sarifLocation {
	l := sarifLocation{Logical: []sarifLogical{{o.Name, strings.TrimPrefix(o.Namespace+"/"+o.Kind+"/"+o.Name, "/"), "resource"}}}
	if f.Locate == nil {
		return l
	}
	if file, line := f.Locate(*o, field); file != "" {
		l.Physical = &sarifPhysical{Artifact: sarifArtifact{uri(file)}}
		if line > 0 {
			l.Physical.Region = &sarifRegion{line}
		}
	}
	return l
}

// uri is that of a file: relative where the file's name is.
func uri(file string) string {
	u := url.URL{Path: filepath.ToSlash(filepath.Clean(file))}
	if filepath.IsAbs(file) {
		u.Scheme = "file"
		if !path.IsAbs(u.Path) { // it begins with a drive
			u.Path = "/" + u.Path
		}
	}
	return u.String()
}

// fingerprint tells findings apart where lines move, and pods get other names.
func fingerprint(r *Result, f *Finding) string {
	o := &r.Object
	h := sha256.Sum256([]byte(strings.Join([]string{string(r.Control), o.Kind, o.Namespace, cmp.Or(o.Owner, o.Name), f.Path, f.Detail}, "\x00")))
	return hex.EncodeToString(h[:16])
}
