package imagepolicy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/hardgate-dev/hardgate/e2e/apply"
	"github.com/hardgate-dev/hardgate/e2e/assets"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/gate"
	"github.com/hardgate-dev/hardgate/e2e/repo"
	"github.com/hardgate-dev/hardgate/e2e/suite"
	"github.com/hardgate-dev/hardgate/webhook/registration"
)

var lab struct {
	repo    string
	cluster *cluster.Cluster
	gate    *gate.Gate
	admin   kubernetes.Interface
	client  *apply.Client
}

func TestMain(m *testing.M) { suite.Main(m, "imagepolicy", run) }

func run(ctx context.Context, m *testing.M) (code int, err error) {
	log := func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
	if lab.repo, err = repo.Root(); err != nil {
		return 0, err
	}
	binaries, err := assets.Get(ctx, assets.Config{Repo: lab.repo, Log: log}, assets.Minimal())
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "hardgate-imagepolicy-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	flags, err := plugin(dir)
	if err != nil {
		return 0, err
	}
	lab.cluster, err = cluster.Start(ctx, cluster.Config{
		Dir: dir, Binaries: binaries, Users: []string{gate.User}, APIServerFlags: flags, Log: log,
	})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, lab.cluster.Stop(context.WithoutCancel(ctx))) }()
	if lab.gate, err = gate.Start(ctx, lab.cluster, lab.repo); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, lab.gate.Stop(context.WithoutCancel(ctx))) }()
	config, err := lab.cluster.RESTConfig()
	if err != nil {
		return 0, err
	}
	if lab.admin, err = kubernetes.NewForConfig(config); err != nil {
		return 0, err
	}
	if lab.client, err = apply.NewClient(config); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// admissionConfiguration is that of docs/image-policy.md with shorter times: answers are
// kept for a second, which is the least, and nothing waits long for a gate that errs.
const admissionConfiguration = `apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: ImagePolicyWebhook
  configuration:
    imagePolicy:
      kubeConfigFile: %s
      allowTTL: 1
      denyTTL: 1
      retryBackoff: 50
      defaultAllow: false
`

// plugin writes the files of the plugin and returns the API server's flags.
func plugin(dir string) (flags []string, err error) {
	url, ca, err := gate.Ahead(dir)
	if err != nil {
		return nil, err
	}
	kubeconfig, configuration := filepath.Join(dir, "image-policy.kubeconfig"), filepath.Join(dir, "admission.yaml")
	c := clientcmdapi.NewConfig()
	c.Clusters["hardgate"] = &clientcmdapi.Cluster{Server: url + registration.ImagePath, CertificateAuthorityData: ca}
	c.AuthInfos["api-server"] = &clientcmdapi.AuthInfo{}
	c.Contexts["hardgate"] = &clientcmdapi.Context{Cluster: "hardgate", AuthInfo: "api-server"}
	c.CurrentContext = "hardgate"
	if err := clientcmd.WriteToFile(*c, kubeconfig); err != nil {
		return nil, fmt.Errorf("writing the plugin's kubeconfig: %w", err)
	}
	if err := os.WriteFile(configuration, fmt.Appendf(nil, admissionConfiguration, kubeconfig), 0o600); err != nil {
		return nil, fmt.Errorf("writing the plugin's configuration: %w", err)
	}
	return []string{"--enable-admission-plugins=ImagePolicyWebhook", "--admission-control-config-file=" + configuration}, nil
}
