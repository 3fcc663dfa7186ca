package control

import "fmt"

// byProvider is the reason of sections 1 to 3: the machines are not the user's.
var byProvider = Text{
	EN: "The provider of a managed cluster runs these machines and answers for them; on AKS, the status in the source document is the provider's statement.",
	KO: "관리형 클러스터에서는 공급자가 이 시스템을 운영하고 책임지며, AKS의 경우 원본 문서의 상태가 공급자의 진술이다.",
}

// controlPlaneFiles are the controls of section 1.1. Paths are those of kubeadm.
var controlPlaneFiles = []Control{
	planeMode("apiserver-manifest-mode", filename("kube-apiserver.yaml"), "/etc/kubernetes/manifests/kube-apiserver.yaml", 600, manifestWhy),
	planeOwner("apiserver-manifest-owner", filename("kube-apiserver.yaml"), "/etc/kubernetes/manifests/kube-apiserver.yaml", "root:root"),
	planeMode("controller-manager-manifest-mode", filename("kube-controller-manager.yaml"), "/etc/kubernetes/manifests/kube-controller-manager.yaml", 600, manifestWhy),
	planeOwner("controller-manager-manifest-owner", filename("kube-controller-manager.yaml"), "/etc/kubernetes/manifests/kube-controller-manager.yaml", "root:root"),
	planeMode("scheduler-manifest-mode", filename("kube-scheduler.yaml"), "/etc/kubernetes/manifests/kube-scheduler.yaml", 600, manifestWhy),
	planeOwner("scheduler-manifest-owner", filename("kube-scheduler.yaml"), "/etc/kubernetes/manifests/kube-scheduler.yaml", "root:root"),
	planeMode("etcd-manifest-mode", filename("etcd.yaml"), "/etc/kubernetes/manifests/etcd.yaml", 600, manifestWhy),
	planeOwner("etcd-manifest-owner", filename("etcd.yaml"), "/etc/kubernetes/manifests/etcd.yaml", "root:root"),
	planeMode("cni-config-mode", Text{EN: "the network plugin configuration", KO: "네트워크 플러그인 구성 파일"}, "/etc/cni/net.d/*", 600,
		Text{EN: "Who can write it decides how every pod of the machine is connected.", KO: "이 파일에 쓸 수 있으면 시스템의 모든 파드가 연결되는 방식을 바꿀 수 있다."}),
	planeOwner("cni-config-owner", Text{EN: "the network plugin configuration", KO: "네트워크 플러그인 구성 파일"}, "/etc/cni/net.d/*", "root:root"),
	planeMode("etcd-data-mode", Text{EN: "the etcd data directory", KO: "etcd 데이터 디렉터리"}, "/var/lib/etcd", 700,
		Text{EN: "The directory holds every object of the cluster, secrets included.", KO: "이 디렉터리에는 시크릿을 포함한 클러스터의 모든 오브젝트가 있다."}),
	planeOwner("etcd-data-owner", Text{EN: "the etcd data directory", KO: "etcd 데이터 디렉터리"}, "/var/lib/etcd", "etcd:etcd"),
	planeMode("admin-kubeconfig-mode", filename("admin.conf"), "/etc/kubernetes/admin.conf", 600, kubeconfigWhy),
	planeOwner("admin-kubeconfig-owner", filename("admin.conf"), "/etc/kubernetes/admin.conf", "root:root"),
	planeMode("scheduler-kubeconfig-mode", filename("scheduler.conf"), "/etc/kubernetes/scheduler.conf", 600, kubeconfigWhy),
	planeOwner("scheduler-kubeconfig-owner", filename("scheduler.conf"), "/etc/kubernetes/scheduler.conf", "root:root"),
	planeMode("controller-manager-kubeconfig-mode", filename("controller-manager.conf"), "/etc/kubernetes/controller-manager.conf", 600, kubeconfigWhy),
	planeOwner("controller-manager-kubeconfig-owner", filename("controller-manager.conf"), "/etc/kubernetes/controller-manager.conf", "root:root"),
	{
		ID: "pki-owner", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "Owner of the PKI directory and its files is root:root", KO: "PKI 디렉터리와 그 파일의 소유자가 root:root이다"},
		Why:    rootOwner,
		Remedy: runCommand("chown -R root:root /etc/kubernetes/pki"),
	},
	{
		ID: "pki-certificate-mode", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "Mode of PKI certificates is strict", KO: "PKI 인증서 파일의 권한이 엄격하다"},
		Why:    Text{EN: "Who can replace a CA certificate chooses whom the cluster trusts.", KO: "CA 인증서를 바꿀 수 있으면 클러스터가 신뢰하는 대상을 정할 수 있다."},
		Remedy: Text{EN: "run chmod 600 /etc/kubernetes/pki/*.crt; editions from 1.11 on accept 644", KO: "chmod 600 /etc/kubernetes/pki/*.crt 명령을 실행하십시오(1.11판부터는 644도 허용합니다)"},
	},
	planeMode("pki-key-mode", Text{EN: "PKI keys", KO: "PKI 키 파일"}, "/etc/kubernetes/pki/*.key", 600,
		Text{EN: "Who can read a CA key can issue a certificate for any user.", KO: "CA 키를 읽을 수 있으면 어떤 사용자의 인증서든 발급할 수 있다."}),
}

var manifestWhy = Text{
	EN: "The kubelet starts what the manifest says, with the rights of the control plane.",
	KO: "kubelet은 매니페스트에 적힌 대로 컨트롤 플레인의 권한으로 파드를 실행한다.",
}

var kubeconfigWhy = Text{
	EN: "The file holds a credential with wide rights over the cluster.",
	KO: "이 파일에는 클러스터에 대한 넓은 권한을 가진 자격 증명이 있다.",
}

func planeMode(id ID, what Text, path string, mode int, why Text) Control {
	return Control{
		ID: id, Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title: Text{
			EN: fmt.Sprintf("Mode of %s is %d or stricter", what.EN, mode),
			KO: fmt.Sprintf("%s의 권한이 %d이거나 그보다 엄격하다", what.KO, mode),
		},
		Why:    why,
		Remedy: runCommand(fmt.Sprintf("chmod %d %s", mode, path)),
	}
}

func planeOwner(id ID, what Text, path, owner string) Control {
	return Control{
		ID: id, Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title: Text{
			EN: fmt.Sprintf("Owner of %s is %s", what.EN, owner),
			KO: fmt.Sprintf("%s의 소유자가 %s이다", what.KO, owner),
		},
		Why:    rootOwner,
		Remedy: runCommand(fmt.Sprintf("chown %s %s", owner, path)),
	}
}

// filename is the name of a file, which no language translates.
func filename(name string) Text { return Text{EN: name, KO: name} }

// runCommand is the remedy that one command is.
func runCommand(command string) Text {
	return Text{EN: "run " + command, KO: command + " 명령을 실행하십시오"}
}
