package cluster

import (
	"fmt"
	"os"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// contextName is what kubectl shows as the current context.
const contextName = "hardgate-lab"

func (c *Cluster) writeKubeconfigs() error {
	for _, user := range c.cfg.users() {
		if err := c.writeKubeconfig(user, c.Kubeconfig(user)); err != nil {
			return fmt.Errorf("writing the kubeconfig of %s: %w", user, err)
		}
	}
	return nil
}

func (c *Cluster) writeKubeconfig(user, path string) error {
	cfg := clientcmdapi.NewConfig()
	cfg.Clusters[contextName] = &clientcmdapi.Cluster{Server: c.url(apiServerPort), CertificateAuthorityData: c.creds.ca}
	cfg.AuthInfos[user] = &clientcmdapi.AuthInfo{Token: c.creds.tokens[user]}
	cfg.Contexts[contextName] = &clientcmdapi.Context{Cluster: contextName, AuthInfo: user}
	cfg.CurrentContext = contextName
	content, err := clientcmd.Write(*cfg)
	if err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}
