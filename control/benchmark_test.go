package control

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestSourceRows(t *testing.T) {
	next := map[string]int{"host": 1, "kubernetes": 1}
	led := map[ID]bool{}
	for _, r := range SourceRows() {
		if r.Row != next[r.Document] {
			t.Errorf("%s row %d comes where row %d should", r.Document, r.Row, next[r.Document])
		}
		next[r.Document]++
		c, ok := Get(r.Control)
		if !ok {
			t.Errorf("%s row %d (%s) leads to %q, which is no control", r.Document, r.Row, r.ID, r.Control)
		}
		led[r.Control] = true
		switch r.Document {
		case "host":
			if r.Level != NoLevel || r.Scoring != "" || r.AKSStatus != "" {
				t.Errorf("host row %d says more than the document does: %+v", r.Row, r)
			}
			if c.Face != Node {
				t.Errorf("host row %d leads to %s, whose face is %s", r.Row, c.ID, c.Face)
			}
		case "kubernetes":
			if r.Level == NoLevel || (r.Scoring != "scored" && r.Scoring != "not-scored") {
				t.Errorf("kubernetes row %d lacks a level or a scoring: %+v", r.Row, r)
			}
		}
	}
	if next["host"] != 37 || next["kubernetes"] != 133 || len(next) != 2 {
		t.Errorf("rows end before %v, want 36 of host and 132 of kubernetes", next)
	}
	// 36 and 132 rows, of which one host row leads to a Kubernetes control and two
	// Kubernetes rows lead to one.
	if want := 36 + 132 - 2; len(led) != want {
		t.Errorf("the rows lead to %d controls, want %d", len(led), want)
	}
}

// Only 5.2.10, the second row with one text, has no status in the AKS document.
func TestSourceStatuses(t *testing.T) {
	count := map[string]int{}
	for _, r := range SourceRows() {
		if r.Document == "kubernetes" {
			count[r.AKSStatus]++
		}
	}
	known := []string{"pass", "fail", "not-applicable", "equivalent-control", "depends-on-environment", ""}
	for status := range count {
		if !slices.Contains(known, status) {
			t.Errorf("%d rows have the unknown status %q", count[status], status)
		}
	}
	if count[""] != 1 {
		t.Errorf("%d rows have no status, want 1", count[""])
	}
}

func TestEveryControlHasANumber(t *testing.T) {
	own := []ID{
		"tainted-node-toleration",            // ours: no document has it
		"mod-unnecessary", "reboot-required", // from the host document's notes, which have no numbers
	}
	for _, id := range IDs() {
		if (len(Rows(id)) == 0) != slices.Contains(own, id) {
			t.Errorf("%s has the numbers %v", id, Rows(id))
		}
	}
	if rows := Rows("no-such-control"); rows != nil {
		t.Errorf("Rows of an unknown id = %v, want nil", rows)
	}
}

func TestEditionsNumberEachControlOnce(t *testing.T) {
	want := map[string]int{
		"cis-kubernetes-1.8.0": 130, "cis-kubernetes-1.9.0": 130, "cis-kubernetes-1.10.0": 130,
		"cis-kubernetes-1.11.0": 133, "cis-kubernetes-1.12.0": 131,
	}
	for edition, n := range want {
		owner := map[string]ID{}
		for _, id := range IDs() {
			number := Number(id, edition)
			if number == "" {
				continue
			}
			if other, taken := owner[number]; taken {
				t.Errorf("%s: %s is both %s and %s", edition, number, other, id)
			}
			owner[number] = id
		}
		if len(owner) != n {
			t.Errorf("%s has %d controls, want %d", edition, len(owner), n)
		}
	}
}

// The newer benchmark numbers every control of the host document but the kubelet's,
// and no number twice.
func TestHostEditionIsComplete(t *testing.T) {
	owner := map[string]ID{}
	for _, r := range SourceRows() {
		if r.Document != "host" {
			continue
		}
		number := Number(r.Control, ubuntuBenchmark)
		if (number == "") != (r.Control == "kubelet-streaming-idle") {
			t.Errorf("%s has the number %q", r.Control, number)
		}
		if other, taken := owner[number]; taken {
			t.Errorf("%s is both %s and %s", number, other, r.Control)
		}
		owner[number] = r.Control
	}
}

// Within a section an edition leaves no number out, so a wrong shift shows as a
// gap. Section 5.6 is missing from the older editions as a whole.
func TestEditionsHaveNoGaps(t *testing.T) {
	for _, b := range Benchmarks()[:5] {
		last := map[string]int{}
		for _, id := range IDs() {
			number := Number(id, b.ID)
			if number == "" {
				continue
			}
			dot := strings.LastIndexByte(number, '.')
			section, n := number[:dot], 0
			for _, digit := range number[dot+1:] {
				n = n*10 + int(digit-'0')
			}
			if n != last[section]+1 {
				t.Errorf("%s: %s (%s) follows %s.%d", b.ID, number, id, section, last[section])
			}
			last[section] = n
		}
	}
}

func TestRows(t *testing.T) {
	k := func(version, number string) Row { return Row{"cis-kubernetes-" + version, number} }
	tests := map[ID][]Row{
		"net-raw": {
			k("1.8.0", "5.2.8"), k("1.9.0", "5.2.8"), k("1.10.0", "5.2.8"), k("1.11.0", "5.2.8"), k("1.12.0", "5.2.8"),
			k("1.8.0-aks", "5.2.7"),
		},
		"added-capabilities": {
			k("1.8.0", "5.2.9"), k("1.9.0", "5.2.9"), k("1.10.0", "5.2.9"), k("1.11.0", "5.2.9"),
			k("1.8.0-aks", "5.2.8"),
		},
		"assigned-capabilities": {
			k("1.8.0", "5.2.10"), k("1.9.0", "5.2.10"), k("1.10.0", "5.2.10"), k("1.11.0", "5.2.10"), k("1.12.0", "5.2.9"),
			k("1.8.0-aks", "5.2.9"), k("1.8.0-aks", "5.2.10"),
		},
		"seccomp": {
			k("1.8.0", "5.7.2"), k("1.9.0", "5.7.2"), k("1.10.0", "5.7.2"), k("1.11.0", "5.6.2"), k("1.12.0", "5.6.2"),
			k("1.8.0-aks", "5.7.2"),
		},
		"kubelet-streaming-idle": {
			k("1.8.0", "4.2.5"), k("1.9.0", "4.2.5"), k("1.10.0", "4.2.5"), k("1.11.0", "4.2.5"), k("1.12.0", "4.2.5"),
			k("1.8.0-aks", "4.2.5"),
			{"aks-host-2019", "2.1.5"},
		},
		"kubelet-tls-ciphers": {
			k("1.8.0", "4.2.12"), k("1.9.0", "4.2.12"), k("1.10.0", "4.2.12"), k("1.11.0", "4.2.12"), k("1.12.0", "4.2.12"),
			k("1.8.0-aks", "4.2.13"),
		},
		"kubelet-protect-kernel-defaults": {k("1.8.0-aks", "4.2.6")},
		"kubelet-ip-address-deny":         {k("1.11.0", "4.2.15")},
		"kube-proxy-metrics":              {k("1.9.0", "4.3.1"), k("1.10.0", "4.3.1"), k("1.11.0", "4.3.1"), k("1.12.0", "4.3.1")},
		"apiserver-secure-port":           {k("1.8.0-aks", "1.2.16")},
		"apiserver-security-context-deny": {k("1.8.0", "1.2.12"), k("1.8.0-aks", "1.2.12")},
		"apiserver-tls-ciphers": {
			k("1.8.0", "1.2.30"), k("1.9.0", "1.2.29"), k("1.10.0", "1.2.29"), k("1.11.0", "1.2.29"), k("1.12.0", "1.2.29"),
			k("1.8.0-aks", "1.2.31"),
		},
		"apiserver-token-expiration": {k("1.11.0", "1.2.30"), k("1.12.0", "1.2.30")},
		"ssh-macs":                   {{"aks-host-2019", "5.2.11"}, {"cis-ubuntu-22.04-3.0.0", "5.1.15"}},
	}
	for id, want := range tests {
		if got := Rows(id); !slices.Equal(got, want) {
			t.Errorf("Rows(%q) = %v, want %v", id, got, want)
		}
	}
}

func TestNumber(t *testing.T) {
	tests := []struct {
		id            ID
		benchmark, is string
	}{
		{"net-raw", DefaultBenchmark, "5.2.8"},
		{"net-raw", "cis-kubernetes-1.8.0-aks", "5.2.7"},
		{"assigned-capabilities", "cis-kubernetes-1.12.0", "5.2.9"},
		{"assigned-capabilities", "cis-kubernetes-1.8.0-aks", "5.2.9"},
		{"added-capabilities", "cis-kubernetes-1.12.0", ""},
		{"seccomp", "cis-kubernetes-1.12.0", "5.6.2"},
		{"host-ports", "cis-kubernetes-1.12.0", "5.2.12"},
		{"privileged", "1.8", ""}, // short forms are for ParseBenchmark
		{"no-such-control", DefaultBenchmark, ""},
	}
	for _, tt := range tests {
		if got := Number(tt.id, tt.benchmark); got != tt.is {
			t.Errorf("Number(%q, %q) = %q, want %q", tt.id, tt.benchmark, got, tt.is)
		}
	}
}

// The rows of the AKS document that are not at the level of 1.8.0.
func TestLevelsFollowTheDocuments(t *testing.T) {
	differ := map[ID]Level{
		"secrets-as-env":              L1,
		"client-certificate-users":    L2,
		"service-account-token-users": L2,
		"bootstrap-token-users":       L2,
	}
	for _, r := range SourceRows() {
		if r.Document != "kubernetes" || (r.Control == "assigned-capabilities" && r.ID == "5.2.9") {
			continue // the document's 5.2.9 has the text of one control and the level of another
		}
		c, _ := Get(r.Control)
		want, known := differ[r.Control]
		if known && (r.Level != want || c.Level == want) {
			t.Errorf("%s: the document says %s and the catalogue %s, want them to differ", r.Control, r.Level, c.Level)
		}
		if !known && r.Level != c.Level {
			t.Errorf("%s: the document says %s and the catalogue %s", r.Control, r.Level, c.Level)
		}
	}
}

func TestBenchmarks(t *testing.T) {
	var ids []string
	for _, b := range Benchmarks() {
		ids = append(ids, b.ID)
		if b.Title.EN == "" || hangul(b.Title.EN) || !hangul(b.Title.KO) {
			t.Errorf("%s has the title %+v", b.ID, b.Title)
		}
	}
	want := []string{
		"cis-kubernetes-1.8.0", "cis-kubernetes-1.9.0", "cis-kubernetes-1.10.0", "cis-kubernetes-1.11.0", "cis-kubernetes-1.12.0",
		"cis-kubernetes-1.8.0-aks", "aks-host-2019", "cis-ubuntu-22.04-3.0.0",
	}
	if !slices.Equal(ids, want) {
		t.Errorf("Benchmarks() = %v, want %v", ids, want)
	}
}

func TestParseBenchmark(t *testing.T) {
	good := map[string]string{
		"1.8": DefaultBenchmark, "1.8.0": DefaultBenchmark, DefaultBenchmark: DefaultBenchmark,
		"1.10": "cis-kubernetes-1.10.0", "1.12.0": "cis-kubernetes-1.12.0", "cis-kubernetes-1.11.0": "cis-kubernetes-1.11.0",
		"aks": "cis-kubernetes-1.8.0-aks", "cis-kubernetes-1.8.0-aks": "cis-kubernetes-1.8.0-aks",
		"aks-host": "aks-host-2019", "aks-host-2019": "aks-host-2019",
		"ubuntu": "cis-ubuntu-22.04-3.0.0", "ubuntu-22.04": "cis-ubuntu-22.04-3.0.0",
	}
	for in, want := range good {
		if got, err := ParseBenchmark(in); err != nil || got != want {
			t.Errorf("ParseBenchmark(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
	bad := map[string]string{
		"cis-kubernetes-1.12": `unknown benchmark "cis-kubernetes-1.12", did you mean "cis-kubernetes-1.12.0"?`,
		"1.7": `unknown benchmark "1.7": use one of cis-kubernetes-1.8.0, cis-kubernetes-1.9.0, cis-kubernetes-1.10.0, ` +
			`cis-kubernetes-1.11.0, cis-kubernetes-1.12.0, cis-kubernetes-1.8.0-aks, aks-host-2019, cis-ubuntu-22.04-3.0.0`,
		"": `unknown benchmark "": use one of cis-kubernetes-1.8.0, cis-kubernetes-1.9.0, cis-kubernetes-1.10.0, ` +
			`cis-kubernetes-1.11.0, cis-kubernetes-1.12.0, cis-kubernetes-1.8.0-aks, aks-host-2019, cis-ubuntu-22.04-3.0.0`,
	}
	for in, want := range bad {
		if got, err := ParseBenchmark(in); err == nil || err.Error() != want || got != "" {
			t.Errorf("ParseBenchmark(%q) = %q, %v, want the error %q", in, got, err, want)
		}
	}
}

func TestReadTablesRefuses(t *testing.T) {
	const (
		editions = "control,1.8.0\na,1.1\n"
		rows     = "document,row,id,scoring,level,aks_status,control\n"
	)
	tests := map[string]struct{ editions, rows, want string }{
		"no editions":         {"", rows, "the file is empty"},
		"no first column":     {"id,1.8.0\n", rows, `the first column is "id"`},
		"unknown edition":     {"control,2.0\n", rows, "unknown benchmark"},
		"one control twice":   {editions + "a,1.2\n", rows, `control "a" has two lines`},
		"a line too short":    {editions + "b\n", rows, "wrong number of fields"},
		"no rows":             {editions, "", "the file is empty"},
		"another header":      {editions, "document,row,id\n", "the header is"},
		"unknown document":    {editions, rows + "cloud,1,1.1,,,,a\n", `unknown document "cloud"`},
		"a row not numbered":  {editions, rows + "host,x,1.1,,,,a\n", "row of host 1.1"},
		"an unknown level":    {editions, rows + "host,1,1.1,,L3,,a\n", `unknown level "L3"`},
		"a quote that is odd": {editions, rows + "\"host,1\n", "reading data/rows.csv"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := readTables(fstest.MapFS{
				"data/editions.csv": {Data: []byte(tt.editions)},
				"data/rows.csv":     {Data: []byte(tt.rows)},

				"data/host_editions.csv": {Data: []byte("control,cis-ubuntu-22.04-3.0.0\n")},
			})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("readTables() error = %v, want one with %q", err, tt.want)
			}
		})
	}
	if _, err := readTables(fstest.MapFS{
		"data/editions.csv": {Data: []byte(editions)}, "data/rows.csv": {Data: []byte(rows)},
		"data/host_editions.csv": {Data: []byte("control,cis-ubuntu-22.04-3.0.0\na,1\na,2\n")},
	}); err == nil || !strings.Contains(err.Error(), `reading data/host_editions.csv: control "a" has two lines`) {
		t.Errorf("readTables() of a control with two lines: %v", err)
	}
	if _, err := readTables(fstest.MapFS{}); err == nil {
		t.Error("readTables() of no files gives no error")
	}
}
