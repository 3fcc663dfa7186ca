package node

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/hardgate-dev/hardgate/e2e/enclosure"
	"github.com/hardgate-dev/hardgate/e2e/pki"
	"github.com/hardgate-dev/hardgate/e2e/process"
)

// User is who the kubelet of an enclosure is to the API server.
const User = "system:node:" + enclosure.Host

// Where a kubeadm cluster has these files.
const (
	ConfigFile     = "/var/lib/kubelet/config.yaml"
	KubeconfigFile = "/etc/kubernetes/kubelet.conf"
	PKIDir         = "/etc/kubernetes/pki"
	ClientCAFile   = PKIDir + "/ca.crt"
)

// KubeletPort is where a kubelet listens.
const KubeletPort = 10250

// ConfigHead begins a kubelet's configuration, Hardened is one that passes all
// controls but those of certificates that are rotated: one that has yet to be issued
// keeps a kubelet from the API server. How full the machine's disk is must not matter:
// by a kubelet's defaults it taints the node and deletes images that no pod uses yet.
const (
	ConfigHead = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
	Hardened   = `authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: ` + ClientCAFile + `}
authorization: {mode: Webhook}
readOnlyPort: 0
protectKernelDefaults: true
makeIPTablesUtilChains: true
eventRecordQPS: 5
tlsCipherSuites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]
podPidsLimit: 4096
seccompDefault: true
evictionHard: {memory.available: 100Mi, nodefs.available: 100Mi, nodefs.inodesFree: "1%", imagefs.available: 100Mi}
imageGCHighThresholdPercent: 100
`
)

// Flags are those without which no kubelet starts in an enclosure.
func Flags() []string {
	return []string{
		"--kubeconfig=" + KubeconfigFile, "--node-ip=" + enclosure.Address,
		"--cgroup-root=" + enclosure.CgroupRoot(), "--cgroup-driver=cgroupfs", "--fail-cgroupv1=false",
	}
}

// LayOut writes what every kubelet of an enclosure has: how it reaches the API server,
// and what protectKernelDefaults asks for.
func LayOut(kubeconfig string) error {
	text, err := os.ReadFile(kubeconfig)
	if err != nil {
		return fmt.Errorf("preparing the kubelet: %w", err)
	}
	if err := pki.Write(filepath.Dir(KubeconfigFile), map[string][]byte{filepath.Base(KubeconfigFile): text}); err != nil {
		return err
	}
	// These are files of the enclosure.
	for name, value := range map[string]string{
		"vm/overcommit_memory": "1", "vm/panic_on_oom": "0", "kernel/panic": "10", "kernel/panic_on_oops": "1",
		"kernel/keys/root_maxkeys": "1000000", "kernel/keys/root_maxbytes": "25000000",
	} {
		if err := os.WriteFile("/proc/sys/"+name, []byte(value+"\n"), 0o644); err != nil {
			return fmt.Errorf("preparing the kubelet: %w", err)
		}
	}
	return nil
}

// AwaitPort returns when a program listens.
func AwaitPort(ctx context.Context, r *process.Running, port int) error {
	return r.Await(ctx, 30*time.Second, func(ctx context.Context) error {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			return err
		}
		return conn.Close()
	})
}
