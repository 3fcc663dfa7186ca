package cluster

import (
	"cmp"
	"strconv"
	"time"

	"github.com/hardgate-dev/hardgate/e2e/assets"
	"github.com/hardgate-dev/hardgate/e2e/process"
)

// ServiceAddress is that of the Service by which pods find the API server: the first of the
// range, as the server has it. Its certificate is for it, too.
const ServiceAddress = "10.96.0.1"

// EtcdPort is what etcd's port is for.
const EtcdPort = "etcd"

// What the other ports are for.
const (
	etcdPeerPort          = "etcd-peer"
	apiServerPort         = "kube-apiserver"
	controllerManagerPort = "kube-controller-manager"
	schedulerPort         = "kube-scheduler"
)

// service is what the four programs have in common.
func (c *Cluster) service(purposes ...string) process.Service {
	return process.Service{
		Ports: c.ports, Purposes: purposes,
		Limit: 60 * time.Second, Grace: stopGrace,
		Log: c.cfg.Log,
	}
}

func (c *Cluster) program(name assets.Binary, args []string, reads ...string) process.Program {
	return process.Program{
		Name: string(name), Path: c.cfg.Binaries[name], Args: args,
		Dir: c.cfg.Dir, Detached: c.cfg.Detached, Reads: append(reads, c.pki("tls.crt")),
	}
}

func (c *Cluster) pki(name string) string { return c.path("pki", name) }

// etcd speaks TLS and wants a client certificate, though on loopback: it holds
// every Secret of the cluster, and other users may share the machine.
func (c *Cluster) etcd() process.Service {
	s := c.service(EtcdPort, etcdPeerPort)
	s.Program = func() process.Program {
		client, peer := c.url(EtcdPort), c.url(etcdPeerPort)
		return c.program(assets.Etcd, []string{
			"--name=lab",
			"--data-dir=" + c.path("etcd"),
			"--listen-client-urls=" + client, "--advertise-client-urls=" + client,
			"--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer, "--initial-cluster=lab=" + peer,
			"--cert-file=" + c.pki("tls.crt"), "--key-file=" + c.pki("tls.key"),
			"--trusted-ca-file=" + c.pki("ca.crt"), "--client-cert-auth=true",
			"--peer-cert-file=" + c.pki("tls.crt"), "--peer-key-file=" + c.pki("tls.key"),
			"--peer-trusted-ca-file=" + c.pki("ca.crt"), "--peer-client-cert-auth=true",
			// The data is thrown away with the cluster: waiting for a disk buys nothing.
			"--unsafe-no-fsync=true",
			"--log-level=warn",
		})
	}
	s.Ready = c.healthy(EtcdPort, "/health")
	return s
}

func (c *Cluster) apiServer() process.Service {
	s := c.service(apiServerPort)
	s.Program = func() process.Program {
		return c.program(assets.APIServer, append([]string{
			"--etcd-servers=" + cmp.Or(c.cfg.EtcdURL, c.url(EtcdPort)),
			"--etcd-cafile=" + c.pki("ca.crt"), "--etcd-certfile=" + c.pki("tls.crt"), "--etcd-keyfile=" + c.pki("tls.key"),
			"--bind-address=127.0.0.1", "--secure-port=" + strconv.Itoa(c.ports.Of(apiServerPort)),
			"--tls-cert-file=" + c.pki("tls.crt"), "--tls-private-key-file=" + c.pki("tls.key"),
			"--token-auth-file=" + c.pki(tokensFile), "--anonymous-auth=false",
			"--authorization-mode=Node,RBAC",
			"--enable-admission-plugins=NodeRestriction",
			"--allow-privileged=true",
			"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
			"--service-account-key-file=" + c.pki("sa.pub"), "--service-account-signing-key-file=" + c.pki("sa.key"),
			"--service-cluster-ip-range=10.96.0.0/16",
			// Loopback is no valid endpoint of the kubernetes Service, and nobody here uses it.
			"--endpoint-reconciler-type=none",
			// Nor is it told to anyone, but without it the server looks for a default route,
			// which a machine without a network lacks. The block is for documentation.
			"--advertise-address=192.0.2.1",
			"--audit-policy-file=" + c.pki(auditPolicyFile), "--audit-log-path=" + c.auditLog(),
			"--profiling=false",
		}, c.cfg.APIServerFlags...), c.pki(tokensFile), c.pki(auditPolicyFile))
	}
	s.Ready = c.healthy(apiServerPort, "/readyz")
	s.Limit = 90 * time.Second
	return s
}

func (c *Cluster) controllerManager() process.Service {
	s := c.service(controllerManagerPort)
	s.Program = func() process.Program {
		args := c.controllerArgs(controllerManagerUser, controllerManagerPort)
		return c.program(assets.ControllerManager, append(args,
			"--use-service-account-credentials=true",
			"--service-account-private-key-file="+c.pki("sa.key"),
			"--root-ca-file="+c.pki("ca.crt"),
			// The default is in /usr/libexec, where the lab has no business.
			"--flex-volume-plugin-dir="+c.path("flexvolume"),
		), c.Kubeconfig(controllerManagerUser))
	}
	s.Ready = c.healthy(controllerManagerPort, "/healthz")
	return s
}

func (c *Cluster) scheduler() process.Service {
	s := c.service(schedulerPort)
	s.Program = func() process.Program {
		return c.program(assets.Scheduler, c.controllerArgs(schedulerUser, schedulerPort), c.Kubeconfig(schedulerUser))
	}
	s.Ready = c.healthy(schedulerPort, "/healthz")
	return s
}

func (c *Cluster) controllerArgs(user, purpose string) []string {
	return []string{
		"--kubeconfig=" + c.Kubeconfig(user),
		"--bind-address=127.0.0.1", "--secure-port=" + strconv.Itoa(c.ports.Of(purpose)),
		"--tls-cert-file=" + c.pki("tls.crt"), "--tls-private-key-file=" + c.pki("tls.key"),
		"--leader-elect=false",
	}
}
