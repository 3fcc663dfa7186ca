package control

import (
	"fmt"
	"strings"
)

// controllerManager are the controls of section 1.3.
var controllerManager = []Control{
	{
		ID: "controller-manager-terminated-pod-gc", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "Pods that have ended are cleaned up", KO: "종료된 파드를 정리한다"},
		Why:    Text{EN: "Ended pods stay in etcd and slow every listing of pods down.", KO: "종료된 파드가 etcd에 쌓이면 파드 목록 조회가 느려진다."},
		Remedy: setFlag("kube-controller-manager", "--terminated-pod-gc-threshold=1000"),
	},
	{
		ID: "controller-manager-profiling", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "Profiling of the controller manager is off", KO: "컨트롤러 매니저의 프로파일링을 끈다"},
		Why:    profilingWhy,
		Remedy: setFlag("kube-controller-manager", "--profiling=false"),
	},
	{
		ID: "controller-manager-service-account-credentials", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "Each controller uses its own service account", KO: "컨트롤러마다 별도의 서비스 어카운트를 사용한다"},
		Why:    Text{EN: "A controller that goes wrong is then held to its own rights.", KO: "그래야 한 컨트롤러에 문제가 생겨도 그 컨트롤러의 권한을 벗어나지 않는다."},
		Remedy: setFlag("kube-controller-manager", "--use-service-account-credentials=true"),
	},
	{
		ID: "controller-manager-service-account-key", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "Service account tokens are signed with a key of their own", KO: "서비스 어카운트 토큰을 전용 키로 서명한다"},
		Why:    Text{EN: "A key for this purpose alone can be rotated without touching anything else.", KO: "이 용도로만 쓰는 키는 다른 부분에 영향을 주지 않고 교체할 수 있다."},
		Remedy: setFlag("kube-controller-manager", "--service-account-private-key-file=/etc/kubernetes/pki/sa.key"),
	},
	{
		ID: "controller-manager-root-ca", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "Pods are given the cluster's CA certificate", KO: "파드에 클러스터 CA 인증서를 제공한다"},
		Why:    Text{EN: "Without it a pod cannot tell the API server from an impostor.", KO: "이 인증서가 없으면 파드가 API 서버의 진위를 확인할 수 없다."},
		Remedy: setFlag("kube-controller-manager", "--root-ca-file=/etc/kubernetes/pki/ca.crt"),
	},
	{
		ID: "controller-manager-rotate-kubelet-server-cert", Face: ControlPlane, Kind: Attested, Level: L2, Reason: byProvider,
		Title:  Text{EN: "Rotation of kubelets' serving certificates is on", KO: "kubelet 서버 인증서 갱신 기능을 사용한다"},
		Why:    Text{EN: "Kubelets can renew their serving certificate only if the control plane plays its part.", KO: "컨트롤 플레인이 지원해야 kubelet이 서버 인증서를 갱신할 수 있다."},
		Remedy: dropValue("kube-controller-manager", "--feature-gates", "RotateKubeletServerCertificate=false"),
	},
	{
		ID: "controller-manager-bind-address", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "The controller manager listens on loopback only", KO: "컨트롤러 매니저가 루프백에서만 수신한다"},
		Why:    loopbackWhy,
		Remedy: setFlag("kube-controller-manager", "--bind-address=127.0.0.1"),
	},
}

// scheduler are the controls of section 1.4.
var scheduler = []Control{
	{
		ID: "scheduler-profiling", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "Profiling of the scheduler is off", KO: "스케줄러의 프로파일링을 끈다"},
		Why:    profilingWhy,
		Remedy: setFlag("kube-scheduler", "--profiling=false"),
	},
	{
		ID: "scheduler-bind-address", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "The scheduler listens on loopback only", KO: "스케줄러가 루프백에서만 수신한다"},
		Why:    loopbackWhy,
		Remedy: setFlag("kube-scheduler", "--bind-address=127.0.0.1"),
	},
}

// etcd are the controls of section 2.
var etcd = []Control{
	{
		ID: "etcd-cert", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "etcd serves its clients over TLS", KO: "etcd가 클라이언트 연결에 TLS를 사용한다"},
		Why:    Text{EN: "All of the cluster's state crosses this connection.", KO: "클러스터의 모든 상태가 이 연결로 오간다."},
		Remedy: setFlag("etcd", "--cert-file=/etc/kubernetes/pki/etcd/server.crt", "--key-file=/etc/kubernetes/pki/etcd/server.key"),
	},
	{
		ID: "etcd-client-cert-auth", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "etcd requires client certificates", KO: "etcd가 클라이언트 인증서를 요구한다"},
		Why:    Text{EN: "Who can talk to etcd directly is past every control of the API server.", KO: "etcd와 직접 통신하면 API 서버의 모든 통제를 우회하게 된다."},
		Remedy: setFlag("etcd", "--client-cert-auth=true"),
	},
	{
		ID: "etcd-auto-tls", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "etcd does not sign its own server certificates", KO: "etcd 서버가 자체 서명 인증서를 쓰지 않는다"},
		Why:    selfSignedWhy,
		Remedy: dropFlag("etcd", "--auto-tls"),
	},
	{
		ID: "etcd-peer-cert", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "etcd members talk to each other over TLS", KO: "etcd 멤버끼리 TLS로 통신한다"},
		Why:    Text{EN: "Replication carries the same data as the clients' connections.", KO: "복제 트래픽에는 클라이언트 연결과 같은 데이터가 담긴다."},
		Remedy: setFlag("etcd", "--peer-cert-file=/etc/kubernetes/pki/etcd/peer.crt", "--peer-key-file=/etc/kubernetes/pki/etcd/peer.key"),
	},
	{
		ID: "etcd-peer-client-cert-auth", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "etcd members require each other's certificates", KO: "etcd 멤버가 서로의 인증서를 요구한다"},
		Why:    Text{EN: "A stranger that joins as a member receives the whole store.", KO: "외부인이 멤버로 참여하면 저장소 전체를 복제받는다."},
		Remedy: setFlag("etcd", "--peer-client-cert-auth=true"),
	},
	{
		ID: "etcd-peer-auto-tls", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "etcd members do not sign their own peer certificates", KO: "etcd 멤버가 자체 서명 피어 인증서를 쓰지 않는다"},
		Why:    selfSignedWhy,
		Remedy: dropFlag("etcd", "--peer-auto-tls"),
	},
	{
		ID: "etcd-unique-ca", Face: ControlPlane, Kind: Attested, Level: L2, Reason: byProvider,
		Title:  Text{EN: "etcd has a certificate authority of its own", KO: "etcd에 전용 인증 기관(CA)을 사용한다"},
		Why:    Text{EN: "Under a shared CA, every client certificate of the cluster also opens etcd.", KO: "CA를 공유하면 클러스터의 모든 클라이언트 인증서로 etcd에도 접속할 수 있다."},
		Remedy: setFlag("etcd", "--trusted-ca-file=/etc/kubernetes/pki/etcd/ca.crt"),
	},
}

// authentication and auditing are the controls of section 3. Levels follow CIS
// 1.8.0; the AKS document puts the three of section 3.1 at level 2.
var authentication = []Control{
	{
		ID: "client-certificate-users", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "People do not log in with client certificates", KO: "사용자 인증에 클라이언트 인증서를 사용하지 않는다"},
		Why:    Text{EN: "Kubernetes cannot revoke a client certificate before it expires.", KO: "쿠버네티스에서는 만료 전에 클라이언트 인증서를 폐기할 수 없다."},
		Remedy: usersThroughOIDC,
	},
	{
		ID: "service-account-token-users", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "People do not log in with service account tokens", KO: "사용자 인증에 서비스 어카운트 토큰을 사용하지 않는다"},
		Why:    Text{EN: "Such a token names a workload, so the audit log cannot tell who used it.", KO: "토큰에는 워크로드 이름만 있어 실제로 누가 사용했는지 감사 로그로 알 수 없다."},
		Remedy: usersThroughOIDC,
	},
	{
		ID: "bootstrap-token-users", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "People do not log in with bootstrap tokens", KO: "사용자 인증에 부트스트랩 토큰을 사용하지 않는다"},
		Why:    Text{EN: "These tokens are for joining nodes and know neither people nor second factors.", KO: "노드 참여용 토큰으로, 개인을 식별하지 못하고 다중 인증도 지원하지 않는다."},
		Remedy: usersThroughOIDC,
	},
}

var auditing = []Control{
	{
		ID: "audit-policy", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "The API server has an audit policy", KO: "API 서버에 감사 정책을 둔다"},
		Why:    Text{EN: "Without a policy, no request is recorded at all.", KO: "정책이 없으면 어떤 요청도 기록되지 않는다."},
		Remedy: setFlag("kube-apiserver", "--audit-policy-file=/etc/kubernetes/audit-policy.yaml"),
	},
	{
		ID: "audit-policy-coverage", Face: ControlPlane, Kind: Attested, Level: L2, Reason: byProvider,
		Title:  Text{EN: "The audit policy covers what matters for security", KO: "감사 정책이 보안상 중요한 요청을 다룬다"},
		Why:    Text{EN: "A log that omits secrets, workloads and exec sessions misses most intrusions.", KO: "시크릿, 워크로드, exec 세션이 빠진 로그로는 대부분의 침입을 놓친다."},
		Remedy: Text{EN: "record at level Metadata secrets, configmaps, tokenreviews, changes to workloads, and exec, port-forward and proxy requests", KO: "secrets, configmaps, tokenreviews, 워크로드 변경과 exec, port-forward, proxy 요청을 Metadata 수준으로 기록하십시오"},
	},
}

var (
	profilingWhy = Text{
		EN: "Profiles show the inside of the process and cost time to make.",
		KO: "프로파일은 프로세스 내부를 드러내고 수집하는 데 자원이 든다.",
	}
	loopbackWhy = Text{
		EN: "Its metrics and health endpoints are of no use to the network.",
		KO: "메트릭과 상태 확인 엔드포인트를 네트워크에 열어 둘 이유가 없다.",
	}
	selfSignedWhy = Text{
		EN: "A certificate that no authority signed proves nothing to the other side.",
		KO: "인증 기관이 서명하지 않은 인증서는 상대에게 아무것도 증명하지 못한다.",
	}
	usersThroughOIDC = Text{
		EN: "let people log in through OIDC, by --oidc-issuer-url or an AuthenticationConfiguration of kube-apiserver",
		KO: "kube-apiserver의 --oidc-issuer-url이나 AuthenticationConfiguration을 설정해 사용자가 OIDC로 로그인하게 하십시오",
	}
)

// setFlag is the remedy that flags be set. The Korean ends in a list, so that no
// particle has to agree with a value.
func setFlag(component string, flags ...string) Text {
	return Text{
		EN: fmt.Sprintf("set %s on %s", strings.Join(flags, " and "), component),
		KO: fmt.Sprintf("%s에 다음 플래그를 설정하십시오: %s", component, strings.Join(flags, ", ")),
	}
}

// dropFlag is the remedy that a flag be taken out.
func dropFlag(component, flag string) Text {
	return Text{
		EN: fmt.Sprintf("remove %s from %s", flag, component),
		KO: fmt.Sprintf("%s에서 다음 플래그를 제거하십시오: %s", component, flag),
	}
}

// dropValue is the remedy that one value be taken out of a flag's list.
func dropValue(component, flag, value string) Text {
	return Text{
		EN: fmt.Sprintf("remove %s from %s of %s", value, flag, component),
		KO: fmt.Sprintf("%s의 %s에서 다음 값을 제거하십시오: %s", component, flag, value),
	}
}

// addPlugin is the remedy that an admission plugin be switched on.
func addPlugin(name string) Text {
	return Text{
		EN: fmt.Sprintf("add %s to --enable-admission-plugins of kube-apiserver", name),
		KO: fmt.Sprintf("kube-apiserver의 --enable-admission-plugins에 다음 값을 추가하십시오: %s", name),
	}
}
