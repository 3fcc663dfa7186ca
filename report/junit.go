package report

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/hardgate-dev/hardgate/control"
)

// JUnit is how a report reads for what shows the results of tests: a suite for each object,
// a case for each control that applies to it.
type JUnit struct {
	// Lang is the language of titles and remedies.
	Lang control.Lang
	// Locate may be nil.
	Locate Locate
}

type (
	junitCounts struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
	}
	junitSuite struct {
		XMLName xml.Name `xml:"testsuite"`
		Name    string   `xml:"name,attr"`
		junitCounts

		Cases []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		File    string        `xml:"file,attr,omitempty"`
		Line    int           `xml:"line,attr,omitempty"`
		Failure *junitOutcome `xml:"failure"`
		Error   *junitOutcome `xml:"error"`
		Skipped *junitOutcome `xml:"skipped"`
	}
	junitOutcome struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

func (c *junitCounts) add(o junitCounts) {
	c.Tests, c.Failures, c.Errors, c.Skipped = c.Tests+o.Tests, c.Failures+o.Failures, c.Errors+o.Errors, c.Skipped+o.Skipped
}

// Write writes the report. Suites are made twice, as their sums come first, and none is kept.
func (f JUnit) Write(w io.Writer, s *Stream) error {
	var all junitCounts
	if err := f.suites(s, func(suite *junitSuite) error {
		all.add(suite.junitCounts)
		return nil
	}); err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%s<testsuites name=\"hardgate\" tests=\"%d\" failures=\"%d\" errors=\"%d\" skipped=\"%d\">\n", xml.Header, all.Tests, all.Failures, all.Errors, all.Skipped)
	e := xml.NewEncoder(out)
	e.Indent("  ", "  ")
	if err := f.suites(s, func(suite *junitSuite) error { return e.Encode(suite) }); err != nil {
		return fmt.Errorf("writing junit: %w", err)
	}
	fmt.Fprintf(out, "\n</testsuites>\n")
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing junit: %w", err)
	}
	return nil
}

// suites are those of the objects, and of what could not be read.
func (f JUnit) suites(s *Stream, do func(*junitSuite) error) error {
	var suite *junitSuite
	var of Object
	for r := range s.Results {
		if r.Status == control.NotApplicable {
			continue
		}
		if suite == nil || of != r.Object {
			if suite != nil {
				if err := do(suite); err != nil {
					return err
				}
			}
			suite, of = &junitSuite{Name: f.suite(&r.Object)}, r.Object
		}
		suite.take(f.test(&r))
	}
	if suite != nil {
		if err := do(suite); err != nil {
			return err
		}
	}
	if len(s.Errors) == 0 {
		return nil
	}
	suite = &junitSuite{Name: "input"}
	for _, e := range s.Errors {
		suite.take(junitCase{Name: "read", Class: "input", Error: &junitOutcome{Message: line(e), Text: e}})
	}
	return do(suite)
}

func (s *junitSuite) take(c junitCase) {
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

func (f JUnit) suite(o *Object) string {
	text := name(o)
	if o.Alike > 0 {
		text += fmt.Sprintf(wordAlike.In(f.Lang), o.Alike)
	}
	if o.Owner != "" {
		text += " (" + fmt.Sprintf(wordOwned.In(f.Lang), o.Owner) + ")"
	}
	return text
}

func (f JUnit) test(r *Result) junitCase {
	c := junitCase{Name: string(r.Control), Class: r.Object.Source}
	if known, ok := control.Get(r.Control); ok {
		c.Name += ": " + known.Title.In(f.Lang)
	}
	var findings []string
	field := ""
	for _, found := range r.Findings {
		text := found.Detail
		if found.Path != "" {
			text = found.Path + ": " + text
		}
		if found.Exemption != "" {
			text += "; " + wordExempt.In(f.Lang) + " " + found.Exemption
		} else if field == "" {
			field = found.Path
		}
		findings = append(findings, text)
	}
	if f.Locate != nil {
		c.File, c.Line = f.Locate(r.Object, field)
	}
	switch r.Status {
	case control.Pass:
	case control.Fail:
		text := strings.Join(findings, "\n")
		if r.Remedy != "" {
			text += "\n" + wordMend.In(f.Lang) + ": " + r.Remedy
		}
		c.Failure = &junitOutcome{Message: line(strings.Join(findings, "; ")), Type: r.Mode, Text: text}
	case control.Exempt:
		c.Skipped = &junitOutcome{Message: wordExempt.In(f.Lang) + " " + r.Exemption, Text: strings.Join(findings, "\n")}
	default:
		c.Skipped = &junitOutcome{Message: string(r.Status), Text: strings.Join(findings, "\n")}
	}
	return c
}

// line is a text in one line.
func line(text string) string { return strings.Join(strings.Fields(text), " ") }
