package control

// kubelet are the controls of sections 4.2 and 4.3. Remedies name the field of
// KubeletConfiguration; the flag of the same purpose wins over the field, so a
// flag that contradicts it has to go.
var kubelet = []Control{
	{
		ID: "kubelet-anonymous-auth", Face: Node, Kind: Measured, Level: L1,
		Title:  Text{EN: "The kubelet refuses anonymous requests", KO: "kubelet이 익명 요청을 거부한다"},
		Why:    Text{EN: "An anonymous caller is one that no rule can tell from any other and no record can name.", KO: "익명 호출자는 규칙으로 구별할 수도, 기록에서 식별할 수도 없다."},
		Remedy: Text{EN: "set authentication.anonymous.enabled to false in the kubelet's configuration", KO: "kubelet 구성에서 authentication.anonymous.enabled를 false로 설정하십시오"},
	},
	{
		ID: "kubelet-authorization-mode", Face: Node, Kind: Measured, Level: L1,
		Title:  Text{EN: "The kubelet asks the API server whether a request is allowed", KO: "kubelet이 요청의 허용 여부를 API 서버에 확인한다"},
		Why:    Text{EN: "Under AlwaysAllow, anyone who can log in to the kubelet may run commands in every pod of the node.", KO: "AlwaysAllow에서는 kubelet에 인증할 수 있는 누구나 노드의 모든 파드에서 명령을 실행할 수 있다."},
		Remedy: Text{EN: "set authorization.mode to Webhook in the kubelet's configuration", KO: "kubelet 구성에서 authorization.mode를 Webhook으로 설정하십시오"},
	},
	{
		ID: "kubelet-client-ca", Face: Node, Kind: Measured, Level: L1,
		Title:  Text{EN: "The kubelet verifies client certificates", KO: "kubelet이 클라이언트 인증서를 검증한다"},
		Why:    Text{EN: "Without a CA file the kubelet cannot recognise the API server's certificate.", KO: "CA 파일이 없으면 kubelet이 API 서버의 인증서를 검증할 수 없다."},
		Remedy: Text{EN: "set authentication.x509.clientCAFile to the cluster's CA certificate in the kubelet's configuration", KO: "kubelet 구성에서 authentication.x509.clientCAFile에 클러스터 CA 인증서 경로를 지정하십시오"},
	},
	{
		ID: "kubelet-read-only-port", Face: Node, Kind: Measured, Level: L1,
		Title:  Text{EN: "The kubelet's read-only port is closed", KO: "kubelet의 읽기 전용 포트를 닫는다"},
		Why:    Text{EN: "The port tells anyone on the network which pods run on the node and how, without a login.", KO: "이 포트는 인증 없이도 네트워크의 누구에게나 노드의 파드 정보를 알려 준다."},
		Remedy: Text{EN: "set readOnlyPort to 0 in the kubelet's configuration", KO: "kubelet 구성에서 readOnlyPort를 0으로 설정하십시오"},
	},
	{
		ID: "kubelet-streaming-idle", Face: Node, Kind: Measured, Level: L1,
		Title:  Text{EN: "Idle streaming connections to the kubelet time out", KO: "유휴 상태인 kubelet 스트리밍 연결을 종료한다"},
		Why:    Text{EN: "A forgotten exec or port-forward session stays open for whoever finds it, and holds ports and memory.", KO: "방치된 exec나 port-forward 세션은 다른 사람이 악용할 수 있고 포트와 메모리를 점유한다."},
		Remedy: Text{EN: "set streamingConnectionIdleTimeout to a time above 0, such as 4h; kubelets from 1.34 on ignore it", KO: "streamingConnectionIdleTimeout을 4h와 같이 0보다 큰 값으로 설정하십시오(1.34부터는 kubelet이 이 값을 무시합니다)"},
	},
	{
		ID: "kubelet-protect-kernel-defaults", Face: Node, Kind: Measured, Level: L1,
		Title:  Text{EN: "The kubelet stops where kernel settings differ from its own", KO: "커널 설정이 기대와 다르면 kubelet이 시작되지 않는다"},
		Why:    Text{EN: "Otherwise the kubelet changes settings that the host was hardened with, and says nothing.", KO: "그렇지 않으면 kubelet이 강화해 둔 호스트의 커널 설정을 알리지 않고 바꾼다."},
		Remedy: Text{EN: "set vm.overcommit_memory=1, vm.panic_on_oom=0, kernel.panic=10, kernel.panic_on_oops=1, kernel.keys.root_maxkeys=1000000 and kernel.keys.root_maxbytes=25000000 in sysctl.d, since the kubelet does not start without them; then set protectKernelDefaults to true in the kubelet's configuration", KO: "kubelet이 시작되려면 필요하므로 먼저 sysctl.d에 vm.overcommit_memory=1, vm.panic_on_oom=0, kernel.panic=10, kernel.panic_on_oops=1, kernel.keys.root_maxkeys=1000000, kernel.keys.root_maxbytes=25000000을 설정한 다음 kubelet 구성에서 protectKernelDefaults를 true로 설정하십시오"},
	},
	{
		ID: "kubelet-iptables-util-chains", Face: Node, Kind: Measured, Level: L1,
		Title:  Text{EN: "The kubelet keeps its iptables chains in order", KO: "kubelet이 iptables 체인을 관리한다"},
		Why:    Text{EN: "Left to hand-made rules, packet filtering drifts from what the cluster's network expects.", KO: "규칙을 수동으로 관리하면 패킷 필터링이 클러스터 네트워크의 기대와 어긋나게 된다."},
		Remedy: Text{EN: "set makeIPTablesUtilChains to true in the kubelet's configuration, or remove it", KO: "kubelet 구성에서 makeIPTablesUtilChains를 true로 설정하거나 제거하십시오"},
	},
	{
		ID: "kubelet-hostname-override", Face: Node, Kind: Measured, Level: L1,
		Title:  Text{EN: "The kubelet keeps the host's own name", KO: "kubelet이 호스트 이름을 그대로 사용한다"},
		Why:    Text{EN: "A node that goes by another name no longer fits its certificates and is hard to find in logs.", KO: "다른 이름을 쓰는 노드는 인증서와 맞지 않고 로그에서 찾기 어렵다."},
		Remedy: Text{EN: "remove --hostname-override from the kubelet's flags unless the cloud provider needs it", KO: "클라우드 공급자가 요구하지 않으면 kubelet 플래그에서 --hostname-override를 제거하십시오"},
	},
	{
		ID: "kubelet-event-qps", Face: Node, Kind: Measured, Level: L2,
		Title:  Text{EN: "The kubelet's rate of events suits the cluster", KO: "kubelet의 이벤트 전송률을 클러스터에 맞게 설정한다"},
		Why:    Text{EN: "Too low a rate loses events that an investigation needs; no limit at all can flood the API server.", KO: "전송률이 너무 낮으면 조사에 필요한 이벤트를 잃고, 제한이 없으면 API 서버에 과부하를 줄 수 있다."},
		Remedy: Text{EN: "set eventRecordQPS to the rate the cluster can take, such as 50; 0 means no limit", KO: "eventRecordQPS를 클러스터가 감당할 수 있는 값(예: 50)으로 설정하십시오(0은 무제한입니다)"},
	},
	{
		ID: "kubelet-tls-cert", Face: Node, Kind: Measured, Level: L1,
		Title:  Text{EN: "The kubelet serves with a certificate of the cluster", KO: "kubelet이 클러스터에서 발급한 서버 인증서를 사용한다"},
		Why:    Text{EN: "A self-signed certificate cannot be verified, so the connection can be intercepted.", KO: "자체 서명 인증서는 검증할 수 없으므로 연결을 가로챌 수 있다."},
		Remedy: Text{EN: "set tlsCertFile and tlsPrivateKeyFile, or set serverTLSBootstrap to true and have something in the cluster approve the kubelet's certificate requests", KO: "tlsCertFile과 tlsPrivateKeyFile을 지정하거나, serverTLSBootstrap을 true로 설정하고 클러스터에서 kubelet의 인증서 서명 요청을 승인하도록 하십시오"},
	},
	{
		ID: "kubelet-rotate-certificates", Face: Node, Kind: Measured, Level: L1,
		Title:  Text{EN: "The kubelet renews its client certificate", KO: "kubelet이 클라이언트 인증서를 자동으로 갱신한다"},
		Why:    Text{EN: "A certificate that nobody renews is either long-lived or takes the node out when it expires.", KO: "갱신하지 않는 인증서는 유효 기간이 지나치게 길거나, 만료되면 노드가 동작을 멈춘다."},
		Remedy: Text{EN: "set rotateCertificates to true in the kubelet's configuration", KO: "kubelet 구성에서 rotateCertificates를 true로 설정하십시오"},
	},
	{
		ID: "kubelet-rotate-server-cert", Face: Node, Kind: Measured, Level: L1,
		Title:  Text{EN: "The kubelet renews its serving certificate", KO: "kubelet이 서버 인증서를 자동으로 갱신한다"},
		Why:    Text{EN: "Only a renewed certificate of the cluster's CA lets clients verify the kubelet for good.", KO: "클러스터 CA가 서명한 서버 인증서가 제때 갱신되어야 클라이언트가 kubelet을 계속 검증할 수 있다."},
		Remedy: Text{EN: "set serverTLSBootstrap to true, have something in the cluster approve the kubelet's certificate requests, and do not switch off the feature gate RotateKubeletServerCertificate", KO: "serverTLSBootstrap을 true로 설정하고, 클러스터에서 kubelet의 인증서 서명 요청을 승인하도록 하고, RotateKubeletServerCertificate 기능 게이트를 끄지 마십시오"},
	},
	{
		ID: "kubelet-tls-ciphers", Face: Node, Kind: Measured, Level: L1,
		Title:  Text{EN: "The kubelet offers strong cipher suites only", KO: "kubelet이 강력한 암호 스위트만 제공한다"},
		Why:    Text{EN: "A weak suite on offer is one that a recorded or tampered connection can be broken with.", KO: "약한 암호 스위트를 제공하면 기록되거나 조작된 연결이 해독될 수 있다."},
		Remedy: Text{EN: "limit tlsCipherSuites to ECDHE suites with AES-GCM or ChaCha20-Poly1305, or set tlsMinVersion to VersionTLS13", KO: "tlsCipherSuites를 AES-GCM 또는 ChaCha20-Poly1305를 쓰는 ECDHE 스위트로 제한하거나 tlsMinVersion을 VersionTLS13으로 설정하십시오"},
	},
	{
		ID: "kubelet-pod-pids-limit", Face: Node, Kind: Measured, Level: L1,
		Title:  Text{EN: "The number of processes in a pod is limited", KO: "파드의 프로세스 수를 제한한다"},
		Why:    Text{EN: "A fork bomb in one pod otherwise uses up the process ids of the node.", KO: "제한이 없으면 한 파드의 포크 폭탄이 노드의 프로세스 ID를 모두 소진한다."},
		Remedy: Text{EN: "set podPidsLimit to a number above 0; -1 means no limit", KO: "podPidsLimit을 0보다 큰 값으로 설정하십시오(-1은 무제한입니다)"},
	},
	{
		ID: "kubelet-seccomp-default", Face: Node, Kind: Measured, Level: L1,
		Title:  Text{EN: "Pods get the runtime's seccomp profile by default", KO: "파드에 런타임의 기본 seccomp 프로파일을 적용한다"},
		Why:    Text{EN: "It covers the workloads that name no profile and would run unconfined.", KO: "프로파일을 지정하지 않아 제한 없이 실행될 워크로드까지 보호한다."},
		Remedy: Text{EN: "set seccompDefault to true in the kubelet's configuration", KO: "kubelet 구성에서 seccompDefault를 true로 설정하십시오"},
	},
	{
		ID: "kubelet-ip-address-deny", Face: Node, Kind: Measured, Level: L2,
		Title:  Text{EN: "The kubelet's unit limits the addresses it talks to", KO: "kubelet 유닛이 통신할 수 있는 주소를 제한한다"},
		Why:    Text{EN: "A kubelet that only the control plane and the node can reach is out of a pod's sight.", KO: "컨트롤 플레인과 노드만 접근할 수 있는 kubelet에는 파드가 접근할 수 없다."},
		Remedy: Text{EN: "set IPAddressDeny=any in kubelet.service, together with an IPAddressAllow for every peer", KO: "kubelet.service에 IPAddressDeny=any와 함께 모든 통신 상대에 대한 IPAddressAllow를 설정하십시오"},
	},
	{
		ID: "kube-proxy-metrics", Face: Node, Kind: Measured, Level: L1,
		Title:  Text{EN: "kube-proxy serves metrics on loopback only", KO: "kube-proxy 메트릭을 루프백에서만 제공한다"},
		Why:    Text{EN: "The metrics port has no login and shows the network's make-up to whoever reaches it.", KO: "메트릭 포트에는 인증이 없어 접근하는 누구에게나 네트워크 구성이 드러난다."},
		Remedy: Text{EN: "set metricsBindAddress to 127.0.0.1:10249 in kube-proxy's configuration, or remove it", KO: "kube-proxy 구성에서 metricsBindAddress를 127.0.0.1:10249로 설정하거나 제거하십시오"},
	},
}
