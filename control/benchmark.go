package control

import (
	"bytes"
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// DefaultBenchmark is the benchmark whose numbers are shown unless another is
// asked for.
const DefaultBenchmark = "cis-kubernetes-1.8.0"

// The numberings of the two source documents, which are not those of any edition.
const (
	aksBenchmark  = "cis-kubernetes-1.8.0-aks"
	hostBenchmark = "aks-host-2019"
)

// ubuntuBenchmark is a newer benchmark for the controls of the host document.
const ubuntuBenchmark = "cis-ubuntu-22.04-3.0.0"

// editionPrefix and a column of data/editions.csv make the id of a benchmark.
const editionPrefix = "cis-kubernetes-"

// Benchmark is one numbering of controls: an edition of the CIS Kubernetes
// Benchmark, or one of the two source documents.
type Benchmark struct {
	ID    string `json:"id"`
	Title Text   `json:"title"`
}

// Row is the number of a control in one benchmark.
type Row struct {
	Benchmark string `json:"benchmark"`
	ID        string `json:"id"`
}

// SourceRow is one row of a source document. Document is "host" or
// "kubernetes"; Row counts from 1 in each; ID, Scoring, Level and AKSStatus are
// the document's, its slips included, and empty where it says nothing.
type SourceRow struct {
	Document  string `json:"document"`
	Row       int    `json:"row"`
	ID        string `json:"id"`
	Scoring   string `json:"scoring,omitempty"`
	Level     Level  `json:"level,omitempty"`
	AKSStatus string `json:"aksStatus,omitempty"`
	Control   ID     `json:"control"`
}

type benchmark struct {
	Benchmark
	short []string
}

// benchmarks are in the order in which Rows lists them.
var benchmarks = []benchmark{
	edition("1.8.0", "1.8"),
	edition("1.9.0", "1.9"),
	edition("1.10.0", "1.10"),
	edition("1.11.0", "1.11"),
	edition("1.12.0", "1.12"),
	{
		Benchmark: Benchmark{ID: aksBenchmark, Title: Text{EN: "CIS Kubernetes Benchmark 1.8.0 as numbered by the AKS document", KO: "AKS 문서의 번호를 따르는 CIS Kubernetes Benchmark 1.8.0"}},
		short:     []string{"aks"},
	},
	{
		Benchmark: Benchmark{ID: hostBenchmark, Title: Text{EN: "Security hardening of AKS virtual machine hosts, 2019", KO: "AKS 가상 머신 호스트 보안 강화(2019년)"}},
		short:     []string{"aks-host"},
	},
	{
		Benchmark: Benchmark{ID: ubuntuBenchmark, Title: Text{EN: "CIS Ubuntu Linux 22.04 LTS Benchmark 3.0.0", KO: "CIS Ubuntu Linux 22.04 LTS Benchmark 3.0.0판"}},
		short:     []string{"ubuntu", "ubuntu-22.04"},
	},
}

func edition(version, short string) benchmark {
	name := "CIS Kubernetes Benchmark " + version
	return benchmark{
		Benchmark: Benchmark{ID: editionPrefix + version, Title: Text{EN: name, KO: name + "판"}},
		short:     []string{version, short},
	}
}

// SourceBenchmarks are the full ids of the two source documents' numberings, by whose
// rules nodes are judged where no benchmark is asked for. The slice is the caller's own.
func SourceBenchmarks() []string { return []string{aksBenchmark, hostBenchmark} }

// Benchmarks returns every numbering that the catalogue knows, in the order of
// Rows. The slice is the caller's own.
func Benchmarks() []Benchmark {
	list := make([]Benchmark, 0, len(benchmarks))
	for _, b := range benchmarks {
		list = append(list, b.Benchmark)
	}
	return list
}

// ParseBenchmark returns the full id of a benchmark from that id or its short
// form: "1.8" or "1.8.0", "aks", "aks-host". The error names what is near.
func ParseBenchmark(s string) (string, error) {
	ids := make([]string, 0, len(benchmarks))
	for _, b := range benchmarks {
		if s == b.ID || slices.Contains(b.short, s) {
			return b.ID, nil
		}
		ids = append(ids, b.ID)
	}
	return "", fmt.Errorf("unknown benchmark %q%s", s, Hint(s, ids))
}

// Rows returns every number of a control: the editions of the CIS Kubernetes
// Benchmark from the oldest on, then the AKS document, then the host document.
// A document that numbers a control twice gives two rows. Nil when the
// catalogue has no such control. The slice is the caller's own.
func Rows(id ID) []Row { return slices.Clone(tables().rows[id]) }

// Number returns a control's number in the benchmark with that full id, or ""
// where it has none. Of two numbers in one document it is the first.
func Number(id ID, in string) string {
	for _, r := range tables().rows[id] {
		if r.Benchmark == in {
			return r.ID
		}
	}
	return ""
}

// SourceRows returns every row of the two source documents, the host document's
// 36 first and then the 132 of the Kubernetes document. The slice is the
// caller's own.
func SourceRows() []SourceRow { return slices.Clone(tables().source) }

// The numbers in data/editions.csv are those of the published editions. Not all
// are written out in a source at hand; these follow from a rule:
//   - 1.2.12 (SecurityContextDeny) left with 1.9.0, so that 1.2.13 to 1.2.30 of
//     1.8.0 are 1.2.12 to 1.2.29 from then on, which frees 1.2.30 for the new
//     control of 1.11.0. kube-bench's files for 1.9 and 1.12 agree.
//   - 5.2.9 left with 1.12.0 and those after it moved up; section 5.7 became 5.6
//     in 1.11.0; 4.2.15 is in 1.11 only; 4.3.1 came with 1.9.0.
//   - Sections 1.1, 1.3, 1.4, 2, 3, 4.1 and 5.1 are numbered alike in all five.
//
// Three controls have no number in any edition: the AKS document took
// apiserver-secure-port and kubelet-protect-kernel-defaults over from an edition
// older than 1.8.0, and tainted-node-toleration is our own.
//
// data/rows.csv keeps the AKS document's numbers as they stand there. It has
// 5.2.6 twice, so its 5.2.7 to 5.2.9 are 5.2.8 to 5.2.10 of 1.8.0, and its
// 5.2.9 and 5.2.10 are one control. Its 1.2.3 says the opposite of what the
// benchmark asks, and leads to the benchmark's control. Its levels differ from
// those of 1.8.0 for secrets-as-env and the controls of section 3.1.
//
// data/host_editions.csv has the numbers that the controls of the host document
// carry in a newer benchmark; several of them are covered by a control of another
// cut there (X11 forwarding by all forwarding, the root password by root's access
// as a whole), and are listed with its number. The last two controls are our own,
// from the host document's notes, and have none.
//
//go:embed data/editions.csv data/rows.csv data/host_editions.csv
var data embed.FS

type numbering struct {
	order  []ID
	rows   map[ID][]Row
	source []SourceRow
}

// tables panics where the embedded files cannot be read. They are compiled in
// and covered by tests, so this is a broken build and nothing that a caller
// could handle.
var tables = sync.OnceValue(func() numbering {
	n, err := readTables(data)
	if err != nil {
		panic("control: the benchmark tables in this binary are broken: " + err.Error())
	}
	return n
})

func readTables(files fs.FS) (numbering, error) {
	n := numbering{rows: map[ID][]Row{}}
	if err := n.readEditions(files, "data/editions.csv", editionPrefix); err != nil {
		return numbering{}, fmt.Errorf("reading data/editions.csv: %w", err)
	}
	if err := n.readSource(files); err != nil {
		return numbering{}, fmt.Errorf("reading data/rows.csv: %w", err)
	}
	for _, document := range []string{"kubernetes", "host"} {
		for _, s := range n.source {
			if s.Document == document {
				n.rows[s.Control] = append(n.rows[s.Control], Row{Benchmark: documents[document], ID: s.ID})
			}
		}
	}
	if err := n.readEditions(files, "data/host_editions.csv", ""); err != nil {
		return numbering{}, fmt.Errorf("reading data/host_editions.csv: %w", err)
	}
	return n, nil
}

// documents gives the numbering that a document of data/rows.csv has.
var documents = map[string]string{"kubernetes": aksBenchmark, "host": hostBenchmark}

// readEditions reads a table with a line for each control and a column for each
// benchmark, whose id is prefix and the column's name.
func (n *numbering) readEditions(files fs.FS, name, prefix string) error {
	header, records, err := readCSV(files, name)
	if err != nil {
		return err
	}
	if header[0] != "control" {
		return fmt.Errorf("the first column is %q, want control", header[0])
	}
	columns := make([]string, 0, len(header))
	for _, name := range header[1:] {
		id, err := ParseBenchmark(prefix + name)
		if err != nil {
			return err
		}
		columns = append(columns, id)
	}
	seen := map[ID]bool{}
	for _, record := range records {
		id := ID(record[0])
		if seen[id] {
			return fmt.Errorf("control %q has two lines", id)
		}
		seen[id] = true
		if _, known := n.rows[id]; !known {
			n.order = append(n.order, id)
			n.rows[id] = []Row{}
		}
		for i, number := range record[1:] {
			if number != "" {
				n.rows[id] = append(n.rows[id], Row{Benchmark: columns[i], ID: number})
			}
		}
	}
	return nil
}

func (n *numbering) readSource(files fs.FS) error {
	header, records, err := readCSV(files, "data/rows.csv")
	if err != nil {
		return err
	}
	if got, want := strings.Join(header, ","), "document,row,id,scoring,level,aks_status,control"; got != want {
		return fmt.Errorf("the header is %q, want %q", got, want)
	}
	for _, record := range records {
		s := SourceRow{
			Document: record[0], ID: record[2], Scoring: record[3],
			AKSStatus: record[5], Control: ID(record[6]),
		}
		if _, ok := documents[s.Document]; !ok {
			return fmt.Errorf("unknown document %q", s.Document)
		}
		if s.Row, err = strconv.Atoi(record[1]); err != nil {
			return fmt.Errorf("row of %s %s: %w", s.Document, s.ID, err)
		}
		if err := s.Level.UnmarshalText([]byte(record[4])); err != nil {
			return fmt.Errorf("level of %s row %d: %w", s.Document, s.Row, err)
		}
		n.source = append(n.source, s)
		if _, known := n.rows[s.Control]; !known {
			n.order = append(n.order, s.Control)
			n.rows[s.Control] = []Row{}
		}
	}
	return nil
}

// readCSV returns the first record of a file apart from the rest, all of the
// same length.
func readCSV(files fs.FS, name string) (header []string, records [][]string, err error) {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, nil, err
	}
	all, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		return nil, nil, err
	}
	if len(all) == 0 {
		return nil, nil, errors.New("the file is empty")
	}
	return all[0], all[1:], nil
}
