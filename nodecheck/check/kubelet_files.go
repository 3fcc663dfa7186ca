package check

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/kubelet"
	"github.com/hardgate-dev/hardgate/nodecheck/host/systemd"
)

// kubeletFileChecks are the controls of section 4.1, two for each kind of file.
var kubeletFileChecks = slices.Concat(
	unitFiles(),
	filePair("kube-proxy-kubeconfig", []string{"the file of kube-proxy's --kubeconfig"}, kubeProxyKubeconfig, nil),
	filePair("kubelet-kubeconfig", []string{
		"the files of the kubelet's --kubeconfig and --bootstrap-kubeconfig", "kubelet-client-current.pem",
	}, kubeletKubeconfig, nil),
	filePair("kubelet-client-ca", []string{"the file of authentication.x509.clientCAFile"}, kubeletClientCAFiles,
		func(r *Rules) uint32 { return r.ClientCAMode }),
	filePair("kubelet-config", []string{"the files of --config and --config-dir"}, kubeletConfigFiles, nil),
)

// files finds the files of a control. It notes in j what it could not tell, and where
// there is no file to judge, it says why.
type files func(h *host.Host, j *judge) (names []string, none Finding, err error)

// filePair makes the two checks of a kind of file: mode and owner. widest is 0600
// where it is nil.
func filePair(id control.ID, reads []string, find files, widest func(*Rules) uint32) []*Check {
	if widest == nil {
		widest = func(*Rules) uint32 { return 0o600 }
	}
	run := func(judgeFile func(*judge, string, host.Info, *host.Host, *Rules)) func(*host.Host, *Rules) (Result, error) {
		return func(h *host.Host, rules *Rules) (Result, error) {
			var j judge
			names, none, err := find(h, &j)
			switch {
			case err != nil:
				return Result{}, err
			case len(names) == 0 && len(j.unsure) == 0:
				return notApplicable(none.Where, none.Detail)
			}
			for _, name := range names {
				if info, ok := j.file(h, name); ok {
					judgeFile(&j, name, info, h, rules)
				}
			}
			return j.done()
		}
	}
	return []*Check{
		{ID: id + "-mode", Reads: reads, Run: run(func(j *judge, name string, info host.Info, h *host.Host, rules *Rules) {
			j.closedMode(h, name, info, widest(rules))
		})},
		{ID: id + "-owner", Reads: reads, Run: run(func(j *judge, name string, info host.Info, _ *host.Host, _ *Rules) {
			j.owner(name, info)
		})},
	}
}

// closedMode judges a mode, and says of one that is too wide whether the directory
// keeps others out: a reason to exempt it, not to pass.
func (j *judge) closedMode(h *host.Host, name string, info host.Info, widest uint32) {
	faults := len(j.faults)
	j.mode(name, info, widest)
	if len(j.faults) == faults {
		return
	}
	dir, err := h.Stat(path.Dir(info.Path))
	if err == nil && dir.Mode&^0o700 == 0 && dir.UID == 0 {
		f := &j.faults[faults]
		f.Detail = join(f.Detail, fmt.Sprintf("its directory has mode %04o", dir.Mode))
	}
}

// unitFiles are the unit and its drop-ins.
func unitFiles() []*Check {
	find := func(judgeFile func(*judge, *host.Host, string, host.Info)) func(*host.Host, *systemd.Unit) (Result, error) {
		return func(h *host.Host, u *systemd.Unit) (Result, error) {
			var j judge
			for _, name := range u.Files {
				if info, ok := j.file(h, name); ok {
					judgeFile(&j, h, name, info)
				}
			}
			return j.done()
		}
	}
	reads := []string{"kubelet.service and its drop-ins"}
	return []*Check{
		{ID: "kubelet-service-mode", Reads: reads, Run: withUnit(find(func(j *judge, h *host.Host, name string, info host.Info) {
			j.closedMode(h, name, info, 0o600)
		}))},
		{ID: "kubelet-service-owner", Reads: reads, Run: withUnit(find(func(j *judge, _ *host.Host, name string, info host.Info) {
			j.owner(name, info)
		}))},
	}
}

// ofKubelet finds the files of a kubelet.
func ofKubelet(h *host.Host) (k *kubelet.Kubelet, none Finding, err error) {
	k, err = kubelet.Read(h)
	if err == nil && k.Absent != "" {
		none = Finding{Where: "/proc", Detail: k.Absent}
	}
	return k, none, err
}

// paths are the values of readings that name files, each once; where says who names
// none.
func (j *judge) paths(list []kubelet.Reading) (names []string, where string) {
	for _, r := range list {
		if name := r.Text(); j.told(r) && name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
		where = r.Where
	}
	return names, where
}

// kubeletClientCAFiles: without a file there is nothing to judge here; that there
// should be one is the control kubelet-client-ca.
func kubeletClientCAFiles(h *host.Host, j *judge) (names []string, none Finding, err error) {
	k, none, err := ofKubelet(h)
	if err != nil || none.Where != "" {
		return nil, none, err
	}
	names, where := j.paths(k.Field(kubelet.ClientCAFile))
	return names, Finding{Where: where, Detail: "no " + kubelet.ClientCAFile.Path + " is set"}, nil
}

// kubeletConfigFiles are the configuration file and every drop-in.
func kubeletConfigFiles(h *host.Host, j *judge) (names []string, none Finding, err error) {
	k, none, err := ofKubelet(h)
	if err != nil || none.Where != "" {
		return nil, none, err
	}
	names, err = k.Files()
	j.unknown(err)
	where := k.Flag(kubelet.FlagConfig, false)[0].Where
	return names, Finding{Where: where, Detail: "the kubelet has no configuration file"}, nil
}

// kubeletKubeconfig are the file that --kubeconfig names and what stands for the same
// credential: the client's key that it points to, and a bootstrap file with a token.
// The benchmarks name the first alone; a key that others read is the same harm.
func kubeletKubeconfig(h *host.Host, j *judge) (names []string, none Finding, err error) {
	k, none, err := ofKubelet(h)
	if err != nil || none.Where != "" {
		return nil, none, err
	}
	names, where := j.paths(k.Flag(kubelet.FlagKubeconfig, true))
	none = Finding{Where: where, Detail: "no --" + kubelet.FlagKubeconfig + ": the kubelet speaks to no API server"}
	if len(names) == 0 {
		return nil, none, nil
	}
	dirs, _ := j.paths(k.Flag(kubelet.FlagCertDir, true))
	if len(dirs) == 0 {
		dirs = []string{"/var/lib/kubelet/pki"}
	}
	for _, dir := range dirs {
		key := path.Join(dir, "kubelet-client-current.pem")
		switch ok, err := h.Exists(key); {
		case err != nil:
			j.unknown(err)
		case ok:
			names = append(names, key)
		}
	}
	bootstrap, _ := j.paths(k.Flag(kubelet.FlagBootstrapKubeconfig, true))
	for _, name := range bootstrap {
		f, err := h.File(name)
		switch {
		case missing(err): // it is removed once it has served
		case err != nil:
			j.unknown(err)
		case holdsCredential(f):
			names = append(names, name)
		}
	}
	return names, none, nil
}

// holdsCredential is whether a kubeconfig has a secret in it. One that names a
// program or a file instead has none. Keys may have quotes and blanks after them.
func holdsCredential(f *host.File) bool {
	for _, key := range []string{"token", "client-key-data", "password"} {
		for rest := string(f.Data); ; {
			_, after, found := strings.Cut(rest, key)
			if !found {
				break
			}
			if rest = after; strings.HasPrefix(strings.TrimLeft(after, "\"' \t"), ":") {
				return true
			}
		}
	}
	return false
}

// kubeProxyKubeconfig: the file of a kube-proxy in a pod is in the pod, unless the
// node has one at the same path, which is then mounted there.
func kubeProxyKubeconfig(h *host.Host, j *judge) (names []string, none Finding, err error) {
	p, err := kubelet.ReadProxy(h)
	if err != nil {
		return nil, none, err
	}
	if p.Absent != "" {
		return nil, Finding{Where: "/proc", Detail: p.Absent}, nil
	}
	names, where := j.paths(p.Kubeconfig)
	if !p.InPod() {
		return names, Finding{Where: where, Detail: "kube-proxy is given no kubeconfig"}, nil
	}
	none = Finding{Where: where, Detail: "kube-proxy runs in a pod and has the credentials of its service account"}
	names = slices.DeleteFunc(names, func(name string) bool {
		ok, err := h.Exists(name)
		j.unknown(err)
		return err != nil || !ok
	})
	return names, none, nil
}
