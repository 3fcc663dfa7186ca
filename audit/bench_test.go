package audit_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/hardgate-dev/hardgate/audit"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

// The cluster of the benchmark: pods of some 4.7 kB in 300 namespaces, ten to a Deployment.
const (
	benchPods       = 150_000
	benchNamespaces = 300
	perDeployment   = 10
	history         = 2 // ReplicaSets of each Deployment
)

// serveEnv makes the test's binary a list server: the auditor's memory is to be its own.
const serveEnv = "HARDGATE_AUDIT_BENCH_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(serveEnv) != "" {
		serveLists()
		return
	}
	os.Exit(m.Run())
}

func serveLists() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr())
	_ = http.Serve(listener, http.HandlerFunc(benchList))
}

// filler makes objects as large as usual ones: variables, probes, labels, status.
var filler = func() string {
	var env []string
	for i := range 60 {
		env = append(env, fmt.Sprintf(`{"name":"SETTING_%d","value":"some value of a usual length %d"}`, i, i))
	}
	return strings.Join(env, ",")
}()

func benchSpec() string {
	return `{"serviceAccountName":"web","containers":[{"name":"app","image":"registry.example.com/app:1","env":[` + filler + `],"resources":{"limits":{"memory":"1Gi"}},` +
		`"securityContext":{"allowPrivilegeEscalation":true,"capabilities":{"add":["NET_ADMIN"]}},"ports":[{"containerPort":8080,"protocol":"TCP"}]}],` +
		`"volumes":[{"name":"token","projected":{"sources":[{"serviceAccountToken":{"path":"token"}}]}}]}`
}

func benchList(w http.ResponseWriter, r *http.Request) {
	deployments := benchPods / perDeployment
	ns := func(d int) string { return fmt.Sprint("team-", d%benchNamespaces) }
	meta := func(namespace, name, more string) string {
		return fmt.Sprintf(`{"metadata":{"namespace":%q,"name":%q,"uid":"0b9c1a34-0000-0000-0000-000000000000","labels":{"app.kubernetes.io/name":"app","pod-template-hash":"7d9c5b8f4"}%s},"spec":`, namespace, name, more)
	}
	status := `,"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"},{"type":"PodScheduled","status":"True"}],"containerStatuses":[{"name":"app","ready":true,"restartCount":0,"image":"registry.example.com/app:1"}]}}`
	n, item := 0, func(int) string { return "" }
	switch r.URL.Path {
	case "/api/v1/namespaces":
		n, item = benchNamespaces, func(i int) string { return namespace(fmt.Sprint("team-", i)) }
	case "/apis/apps/v1/deployments":
		n, item = deployments, func(i int) string {
			return meta(ns(i), fmt.Sprint("app-", i), "") + `{"replicas":10,"template":{"spec":` + benchSpec() + `}}}`
		}
	case "/apis/apps/v1/replicasets":
		n, item = deployments*history, func(i int) string {
			d := i / history
			return meta(ns(d), fmt.Sprintf("app-%d-%d", d, i%history), by("Deployment", fmt.Sprint("app-", d))) + `{"replicas":10,"template":{"spec":` + benchSpec() + `}},"status":{"replicas":10}}`
		}
	case "/api/v1/pods":
		n, item = benchPods, func(i int) string {
			d := i / perDeployment
			return meta(ns(d), fmt.Sprintf("app-%d-0-%d", d, i), by("ReplicaSet", fmt.Sprintf("app-%d-0", d))) + benchSpec() + status
		}
	}
	from, _ := strconv.Atoi(r.URL.Query().Get("continue"))
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	to, next := min(from+limit, n), ""
	if to < n {
		next = strconv.Itoa(to)
	}
	out := bufio.NewWriterSize(w, 1<<20)
	fmt.Fprintf(out, `{"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"7","continue":%q},"items":[`, next)
	for i := from; i < to; i++ {
		if i > from {
			_ = out.WriteByte(',')
		}
		_, _ = out.WriteString(item(i))
	}
	_, _ = out.WriteString("]}")
	_ = out.Flush()
}

// BenchmarkPass audits a large cluster, whose lists another process serves.
func BenchmarkPass(b *testing.B) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	server := exec.CommandContext(ctx, os.Args[0])
	server.Env = append(os.Environ(), serveEnv+"=1")
	out, err := server.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() { stop(); _ = server.Wait() }()
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		r, err := audit.Pass(ctx, &rest.Config{Host: "http://" + strings.TrimSpace(address)}, audit.Options{Book: &ruling.Book{}, Now: time.Now})
		if err != nil || len(r.Missed) > 0 {
			b.Fatal(err, r)
		}
		if want := benchPods + benchPods/perDeployment*(1+history) + benchNamespaces; r.Objects != want {
			b.Fatalf("%d objects, want %d", r.Objects, want)
		}
		text, err := json.Marshal(r.Namespaces["team-7"])
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(text)), "bytes/summary")
		b.ReportMetric(r.Finished.Sub(r.Started).Seconds(), "s/pass")
	}
	b.ReportMetric(peakMiB(b), "peakMiB")
}

// peakMiB is the most memory that this process has had resident.
func peakMiB(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("no /proc to read the peak from")
	}
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "VmHWM:" {
			kib, _ := strconv.ParseFloat(f[1], 64)
			return kib / 1024
		}
	}
	b.Fatal("no VmHWM")
	return 0
}
