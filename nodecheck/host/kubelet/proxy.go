package kubelet

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"path"
	"strconv"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/process"
	"github.com/hardgate-dev/hardgate/nodecheck/host/systemd"
)

// Proxy is what is known of a node's kube-proxy.
type Proxy struct {
	// Absent says why the node has none, and is empty if it has one.
	Absent string
	// Process is the running one, nil if none can be seen. In a pod, its paths are those
	// of a container.
	Process *process.Process
	// Metrics are where it serves metrics: an address with a port, or "" if nowhere.
	// Kubeconfig are the files with its credentials, "" without one.
	Metrics, Kubeconfig []Reading
}

// InPod is whether kube-proxy runs in a pod.
func (p *Proxy) InPod() bool {
	return p.Process != nil && (p.Process.Pod != "" || p.Process.Depth > 0)
}

var ofProxy = schema{"kubeproxy.config.k8s.io/v1alpha1", "KubeProxyConfiguration"}

const (
	flagMetrics     = "metrics-bind-address"
	flagMetricsPort = "metrics-port"
	flagBind        = "bind-address"
	// MetricsPort is where kube-proxy serves metrics if nothing else is said.
	MetricsPort = 10249
)

var (
	errSeveralProxies = errors.New("more than one kube-proxy runs")
	errWrappedProxy   = errors.New("the unit starts another program, which may start kube-proxy")
	errVolumes        = errors.New("more than one volume has a file of the name of kube-proxy's configuration")
	errVolume         = errors.New("the volume with kube-proxy's configuration is not found")
	errAddress        = errors.New("no IP address with a port")
)

// ReadProxy finds the kube-proxy of a node.
func ReadProxy(h *host.Host) (*Proxy, error) {
	return host.Memo(h, readProxy)
}

func readProxy(h *host.Host) (*Proxy, error) {
	table, err := process.Read(h)
	if err != nil {
		return nil, err
	}
	p := &Proxy{}
	for _, found := range table.Named(process.KubeProxy) {
		// One pod deep is a pod of this node; deeper is one of a node in a container.
		if found.Depth > 1 {
			continue
		}
		if p.Process != nil {
			return nil, &host.Error{Path: found.Where, Err: errSeveralProxies}
		}
		p.Process = found
	}
	unit, err := systemd.Read(h, "kube-proxy.service")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var views []proxyView
	if p.Process != nil {
		c := newCommand(p.Process.Path, p.Process.Args, p.Process.Where)
		views = append(views, p.view(h, c))
	}
	if err == nil && !unit.Masked && !p.InPod() {
		c := unitCommand(h, unit, process.KubeProxy, errWrappedProxy)
		c.dir = "/"
		// Of a unit that starts another program, the process shows what came of it.
		if p.Process == nil || !errors.Is(c.err, errWrappedProxy) {
			views = append(views, p.view(h, c))
		}
	}
	switch len(views) {
	case 0:
		err := p.absence(table)
		return p, err
	case 1:
		p.Metrics, p.Kubeconfig = []Reading{{views[0].metrics, ""}}, []Reading{{views[0].kubeconfig, ""}}
	default:
		p.Metrics = both(views[0].metrics, views[1].metrics)
		p.Kubeconfig = both(views[0].kubeconfig, views[1].kubeconfig)
	}
	return p, nil
}

// absence tells a node without kube-proxy from one where it cannot be seen.
func (p *Proxy) absence(table *process.Table) error {
	for _, name := range []process.Name{process.K3s, process.Kubelite} {
		if list := table.Named(name); len(list) > 0 {
			return &host.Error{Path: list[0].Where, Err: errors.New("kube-proxy is part of it and shows no flags")}
		}
	}
	if table.Err != nil {
		return table.Err
	}
	p.Absent = "no kube-proxy runs here and no unit starts one"
	return nil
}

// both puts a value of the process and one of the unit in their states.
func both(now, next Value) []Reading {
	if now.Same(next) {
		return []Reading{{now, ""}}
	}
	return []Reading{{now, Running}, {next, Persisted}}
}

// proxyView is what one command line means.
type proxyView struct{ metrics, kubeconfig Value }

// view works out a command line. Under a configuration file, flags do not count.
func (p *Proxy) view(h *host.Host, c *command) proxyView {
	if c.err != nil {
		v := Value{Where: c.where, Err: c.err}
		return proxyView{v, v}
	}
	config, ok := c.last(FlagConfig)
	if !ok || config == "" {
		return proxyView{c.metrics(), c.kubeconfig()}
	}
	d, err := p.document(h, c, config)
	if err != nil {
		v := Value{Where: c.where, Err: err}
		return proxyView{v, v}
	}
	return proxyView{d.metrics(), d.text("clientConnection.kubeconfig")}
}

// document reads the configuration file. That of a pod is in a volume of the pod.
func (p *Proxy) document(h *host.Host, c *command, name string) (*document, error) {
	if p.Process == nil || !p.InPod() {
		name, err := c.abs(name)
		if err != nil {
			return nil, err
		}
		return load(h, name, ofProxy, true)
	}
	k, err := Read(h)
	if err != nil {
		return nil, err
	}
	root := "/var/lib/kubelet"
	if r := k.Flag(FlagRootDir, true); r[0].Err == nil && r[0].Text() != "" {
		root = r[0].Text()
	}
	if len(p.Process.Pod) < 10 || strings.ContainsAny(p.Process.Pod, `/*?[\.`) {
		return nil, &host.Error{Path: c.where, Err: errVolume}
	}
	volumes := path.Join(root, "pods", p.Process.Pod, "volumes/kubernetes.io~configmap")
	dirs, err := h.Dir(volumes)
	if err != nil {
		return nil, err
	}
	var found string
	for _, dir := range dirs {
		file := path.Join(volumes, dir.Name, path.Base(name))
		switch ok, err := h.Exists(file); {
		case err != nil:
			return nil, err
		case ok && found != "":
			return nil, &host.Error{Path: volumes, Err: errVolumes}
		case ok:
			found = file
		}
	}
	if found == "" {
		return nil, &host.Error{Path: volumes, Err: errVolume}
	}
	return load(h, found, ofProxy, true)
}

func (c *command) kubeconfig() Value {
	given, ok := c.last(FlagKubeconfig)
	if !ok || given == "" {
		return Value{V: "", Where: c.where, Note: "not set"}
	}
	v := Value{Origin: Flag, Where: c.where, Given: "--" + FlagKubeconfig + "=" + clip(given)}
	v.V, v.Err = c.abs(given)
	return v
}

// metrics is the address by the flags.
func (c *command) metrics() Value {
	bind, _ := c.last(flagBind)
	v := standardMetrics(bind, c.where)
	if given, ok := c.last(flagMetrics); ok {
		v = Value{V: given, Origin: Flag, Where: c.where, Given: "--" + flagMetrics + "=" + clip(given)}
	}
	port := MetricsPort
	if given, ok := c.last(flagMetricsPort); ok {
		n, err := strconv.ParseUint(given, 0, 16)
		if err != nil {
			v.Err = &host.Error{Path: c.where, Err: fmt.Errorf("%w: --%s: %w", host.ErrMalformed, flagMetricsPort, errType)}
			return v
		}
		if n == 0 {
			return Value{V: "", Origin: Flag, Where: c.where, Given: "--" + flagMetricsPort + "=0"}
		}
		port = int(n)
	}
	if v.Text() == "" {
		return v
	}
	return v.address(port)
}

// metrics is the address by a file.
func (d *document) metrics() Value {
	bind := d.text("bindAddress")
	v := d.text("metricsBindAddress")
	switch {
	case v.Err != nil:
		return v
	case v.Text() != "":
		return v.address(MetricsPort)
	case bind.Err != nil:
		return bind
	}
	return standardMetrics(bind.Text(), d.file.Path)
}

// Loopback is whether a value is an address that only the node itself reaches.
func (v Value) Loopback() bool {
	addr, err := netip.ParseAddrPort(v.Text())
	return err == nil && addr.Addr().Unmap().IsLoopback()
}

// Port is the port of an address; 0 without one.
func (v Value) Port() uint16 {
	addr, err := netip.ParseAddrPort(v.Text())
	if err != nil {
		return 0
	}
	return addr.Port()
}

// standardMetrics is the default: loopback of the family of --bind-address.
func standardMetrics(bind, where string) Value {
	v := Value{V: "127.0.0.1:10249", Where: where, Given: "metricsBindAddress: 127.0.0.1:10249", Note: "not set, this is the default"}
	if ip, err := netip.ParseAddr(bind); err == nil && !ip.Unmap().Is4() {
		v.V, v.Given = "[::1]:10249", "metricsBindAddress: [::1]:10249"
	}
	return v
}

// address adds the port to a value that may lack it, and checks it.
func (v Value) address(port int) Value {
	text := v.Text()
	if ip, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		text = netip.AddrPortFrom(ip, uint16(port)).String()
	}
	addr, err := netip.ParseAddrPort(text)
	if err != nil {
		v.Err = &host.Error{Path: v.Where, Err: fmt.Errorf("%w: %s: %w", host.ErrMalformed, v.Given, errAddress)}
		return v
	}
	v.V = addr.String()
	return v
}

// text is a string of a file; "" where it is not set.
func (d *document) text(name string) Value {
	at, err := d.find(strings.Split(name, "."))
	if err != nil {
		return Value{Where: d.file.Path, Err: err}
	}
	if at.node == nil || at.null {
		return Value{V: "", Where: d.file.Path, Note: "not set"}
	}
	v := Value{Origin: File, Where: d.file.At(at.line)}
	if v.V, err = convert(at.node, text); err != nil {
		v.Err = &host.Error{Path: v.Where, Err: fmt.Errorf("%w: %s: %w", host.ErrMalformed, name, err)}
		return v
	}
	v.Given = write(name, v.V)
	return v
}
