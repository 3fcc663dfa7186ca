package control

// apiserver are the controls of section 1.2. Paths in remedies are those of kubeadm.
var apiserver = []Control{
	{
		ID: "apiserver-anonymous-auth", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "The API server refuses anonymous requests", KO: "API 서버가 익명 요청을 거부한다"},
		Why:    Text{EN: "An anonymous caller leaves no name in the audit log.", KO: "익명 호출자는 감사 로그에 이름을 남기지 않는다."},
		Remedy: setFlag("kube-apiserver", "--anonymous-auth=false"),
	},
	{
		ID: "apiserver-token-auth-file", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "The API server reads no static token file", KO: "API 서버가 정적 토큰 파일을 사용하지 않는다"},
		Why:    Text{EN: "Tokens in a file never expire and change only with a restart.", KO: "파일에 있는 토큰은 만료되지 않으며 재시작해야만 바꿀 수 있다."},
		Remedy: dropFlag("kube-apiserver", "--token-auth-file"),
	},
	{
		ID: "apiserver-deny-service-external-ips", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "New externalIPs of Services are refused", KO: "서비스의 새 externalIPs 설정을 거부한다"},
		Why:    Text{EN: "With externalIPs, a tenant can draw traffic meant for another address to its own pods.", KO: "externalIPs를 쓰면 다른 주소로 갈 트래픽을 자신의 파드로 끌어올 수 있다."},
		Remedy: addPlugin("DenyServiceExternalIPs"),
	},
	{
		ID: "apiserver-kubelet-client-cert", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "The API server logs in to kubelets with a certificate", KO: "API 서버가 클라이언트 인증서로 kubelet에 인증한다"},
		Why:    Text{EN: "Without one, kubelets would have to serve callers they cannot identify.", KO: "인증서가 없으면 kubelet이 신원을 모르는 호출자에게도 응답해야 한다."},
		Remedy: setFlag("kube-apiserver", "--kubelet-client-certificate=/etc/kubernetes/pki/apiserver-kubelet-client.crt", "--kubelet-client-key=/etc/kubernetes/pki/apiserver-kubelet-client.key"),
	},
	{
		ID: "apiserver-kubelet-ca", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "The API server verifies kubelets' certificates", KO: "API 서버가 kubelet의 인증서를 검증한다"},
		Why:    Text{EN: "Logs and exec sessions otherwise go to whatever answers at the node's address.", KO: "검증하지 않으면 로그와 exec 세션이 노드 주소에서 응답하는 아무 대상에게나 전달된다."},
		Remedy: setFlag("kube-apiserver", "--kubelet-certificate-authority=/etc/kubernetes/pki/ca.crt"),
	},
	{
		ID: "apiserver-authorization-mode", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "The API server does not allow everything", KO: "API 서버가 모든 요청을 허용하지 않는다"},
		Why:    Text{EN: "Under AlwaysAllow every caller is an administrator.", KO: "AlwaysAllow에서는 모든 호출자가 관리자이다."},
		Remedy: dropValue("kube-apiserver", "--authorization-mode", "AlwaysAllow"),
	},
	{
		ID: "apiserver-node-authorizer", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "The API server uses the Node authorizer", KO: "API 서버가 Node 인가자를 사용한다"},
		Why:    Text{EN: "It keeps a kubelet from reading secrets of pods on other nodes.", KO: "kubelet이 다른 노드에 있는 파드의 시크릿을 읽지 못하게 한다."},
		Remedy: setFlag("kube-apiserver", "--authorization-mode=Node,RBAC"),
	},
	{
		ID: "apiserver-rbac", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "The API server uses RBAC", KO: "API 서버가 RBAC을 사용한다"},
		Why:    Text{EN: "Roles and bindings have no effect unless this authorizer is on.", KO: "이 인가자가 켜져 있지 않으면 역할과 바인딩은 효력이 없다."},
		Remedy: setFlag("kube-apiserver", "--authorization-mode=Node,RBAC"),
	},
	{
		ID: "apiserver-event-rate-limit", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "The rate of events is limited", KO: "이벤트 생성 속도를 제한한다"},
		Why:    Text{EN: "A flood of events from one source can fill etcd and stall the API server.", KO: "한 출처에서 쏟아지는 이벤트가 etcd를 채우고 API 서버를 멈추게 할 수 있다."},
		Remedy: addPlugin("EventRateLimit"),
	},
	{
		ID: "apiserver-always-admit", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "The AlwaysAdmit plugin is off", KO: "AlwaysAdmit 플러그인을 사용하지 않는다"},
		Why:    Text{EN: "The plugin judges nothing and is kept for old configurations only.", KO: "아무것도 판정하지 않으며 예전 구성을 위해서만 남아 있는 플러그인이다."},
		Remedy: dropValue("kube-apiserver", "--enable-admission-plugins", "AlwaysAdmit"),
	},
	{
		ID: "apiserver-always-pull-images", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "Images are pulled anew for every pod", KO: "파드마다 이미지를 새로 가져온다"},
		Why:    Text{EN: "A private image cached on a node is otherwise open to pods without credentials for it.", KO: "그렇지 않으면 노드에 캐시된 비공개 이미지를 자격 증명 없는 파드도 쓸 수 있다."},
		Remedy: addPlugin("AlwaysPullImages"),
	},
	{
		ID: "apiserver-security-context-deny", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "Risky security contexts are refused at admission", KO: "위험한 보안 컨텍스트를 어드미션에서 거부한다"},
		Why:    Text{EN: "It stood in for clusters without a pod policy; Kubernetes removed the plugin in 1.30.", KO: "파드 정책이 없는 클러스터를 위한 대안이었으며, 이 플러그인은 쿠버네티스 1.30에서 제거되었다."},
		Remedy: Text{EN: "enforce Pod Security Admission or a policy engine; before 1.30, SecurityContextDeny in --enable-admission-plugins also serves", KO: "Pod Security Admission이나 정책 엔진을 적용하십시오(1.30 이전에는 --enable-admission-plugins의 SecurityContextDeny도 쓸 수 있습니다)"},
	},
	{
		ID: "apiserver-service-account-plugin", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "The ServiceAccount plugin is on", KO: "ServiceAccount 플러그인을 사용한다"},
		Why:    Text{EN: "It gives pods an account and keeps them to the accounts of their namespace.", KO: "파드에 계정을 할당하고 해당 네임스페이스의 계정만 쓰게 한다."},
		Remedy: dropValue("kube-apiserver", "--disable-admission-plugins", "ServiceAccount"),
	},
	{
		ID: "apiserver-namespace-lifecycle", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "The NamespaceLifecycle plugin is on", KO: "NamespaceLifecycle 플러그인을 사용한다"},
		Why:    Text{EN: "It stops objects from being made in namespaces that are gone or going.", KO: "없거나 삭제 중인 네임스페이스에 오브젝트가 생성되지 않게 한다."},
		Remedy: dropValue("kube-apiserver", "--disable-admission-plugins", "NamespaceLifecycle"),
	},
	{
		ID: "apiserver-node-restriction", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "The NodeRestriction plugin is on", KO: "NodeRestriction 플러그인을 사용한다"},
		Why:    Text{EN: "It lets a kubelet change its own node and pods only, and not its taints.", KO: "kubelet이 자신의 노드와 파드만 변경하고 테인트는 바꾸지 못하게 한다."},
		Remedy: addPlugin("NodeRestriction"),
	},
	{
		ID: "apiserver-secure-port", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "The API server's TLS port is open", KO: "API 서버의 TLS 포트를 사용한다"},
		Why:    Text{EN: "With the TLS port switched off, older API servers answer in the clear.", KO: "TLS 포트를 끄면 이전 버전의 API 서버는 평문으로 응답한다."},
		Remedy: setFlag("kube-apiserver", "--secure-port=6443"),
	},
	{
		ID: "apiserver-profiling", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "Profiling of the API server is off", KO: "API 서버의 프로파일링을 끈다"},
		Why:    profilingWhy,
		Remedy: setFlag("kube-apiserver", "--profiling=false"),
	},
	{
		ID: "apiserver-audit-log-path", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "The API server writes an audit log", KO: "API 서버가 감사 로그를 기록한다"},
		Why:    Text{EN: "Nothing else records who changed what in the cluster.", KO: "클러스터에서 누가 무엇을 바꿨는지는 감사 로그에만 기록된다."},
		Remedy: setFlag("kube-apiserver", "--audit-log-path=/var/log/kubernetes/audit.log"),
	},
	{
		ID: "apiserver-audit-log-maxage", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "Audit logs are kept for 30 days or more", KO: "감사 로그를 30일 이상 보존한다"},
		Why:    auditKeptWhy,
		Remedy: setFlag("kube-apiserver", "--audit-log-maxage=30"),
	},
	{
		ID: "apiserver-audit-log-maxbackup", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "10 or more old audit logs are kept", KO: "이전 감사 로그 파일을 10개 이상 보존한다"},
		Why:    auditKeptWhy,
		Remedy: setFlag("kube-apiserver", "--audit-log-maxbackup=10"),
	},
	{
		ID: "apiserver-audit-log-maxsize", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "Audit logs rotate at 100 MB or a suitable size", KO: "감사 로그 파일이 100MB 또는 설정한 크기에 이르면 순환한다"},
		Why:    auditKeptWhy,
		Remedy: setFlag("kube-apiserver", "--audit-log-maxsize=100"),
	},
	{
		ID: "apiserver-request-timeout", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "Requests time out after a suitable time", KO: "요청 제한 시간을 적절하게 설정한다"},
		Why:    Text{EN: "Too long a timeout lets slow requests pile up; too short a one fails those that are right.", KO: "제한 시간이 길면 느린 요청이 쌓이고, 짧으면 정상 요청이 실패한다."},
		Remedy: setFlag("kube-apiserver", "--request-timeout=60s"),
	},
	{
		ID: "apiserver-service-account-lookup", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "Tokens of deleted service accounts are refused", KO: "삭제된 서비스 어카운트의 토큰을 거부한다"},
		Why:    Text{EN: "A signature stays valid after the account is gone, so the account must be looked up.", KO: "계정이 삭제되어도 서명은 유효하므로 계정의 존재를 확인해야 한다."},
		Remedy: setFlag("kube-apiserver", "--service-account-lookup=true"),
	},
	{
		ID: "apiserver-service-account-key-file", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "Service account tokens have a key of their own", KO: "서비스 어카운트 토큰에 전용 키를 사용한다"},
		Why:    Text{EN: "A key apart from the TLS key can be replaced without a new server certificate.", KO: "TLS 키와 분리된 키는 서버 인증서를 바꾸지 않고도 교체할 수 있다."},
		Remedy: setFlag("kube-apiserver", "--service-account-key-file=/etc/kubernetes/pki/sa.pub"),
	},
	{
		ID: "apiserver-etcd-cert", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "The API server logs in to etcd with a certificate", KO: "API 서버가 클라이언트 인증서로 etcd에 인증한다"},
		Why:    Text{EN: "etcd can then refuse everyone else.", KO: "그래야 etcd가 다른 모든 접속을 거부할 수 있다."},
		Remedy: setFlag("kube-apiserver", "--etcd-certfile=/etc/kubernetes/pki/apiserver-etcd-client.crt", "--etcd-keyfile=/etc/kubernetes/pki/apiserver-etcd-client.key"),
	},
	{
		ID: "apiserver-tls-cert", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "The API server serves with a certificate of its own", KO: "API 서버가 전용으로 발급된 TLS 인증서를 사용한다"},
		Why:    Text{EN: "Clients cannot verify a server that makes up its certificate at start.", KO: "시작할 때 임의로 만든 인증서로는 클라이언트가 서버를 검증할 수 없다."},
		Remedy: setFlag("kube-apiserver", "--tls-cert-file=/etc/kubernetes/pki/apiserver.crt", "--tls-private-key-file=/etc/kubernetes/pki/apiserver.key"),
	},
	{
		ID: "apiserver-client-ca", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "The API server verifies client certificates", KO: "API 서버가 클라이언트 인증서를 검증한다"},
		Why:    Text{EN: "The cluster's own components log in with certificates of this CA.", KO: "클러스터 구성 요소는 이 CA가 발급한 인증서로 인증한다."},
		Remedy: setFlag("kube-apiserver", "--client-ca-file=/etc/kubernetes/pki/ca.crt"),
	},
	{
		ID: "apiserver-etcd-ca", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "The API server verifies etcd's certificate", KO: "API 서버가 etcd의 인증서를 검증한다"},
		Why:    Text{EN: "Otherwise anything at etcd's address can collect the cluster's secrets.", KO: "검증하지 않으면 etcd 주소에서 응답하는 대상이 클러스터의 시크릿을 수집할 수 있다."},
		Remedy: setFlag("kube-apiserver", "--etcd-cafile=/etc/kubernetes/pki/etcd/ca.crt"),
	},
	{
		ID: "apiserver-encryption-config", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "Secrets are encrypted before they reach etcd", KO: "시크릿을 암호화해 etcd에 저장한다"},
		Why:    Text{EN: "A backup or disk of etcd then gives away no secrets.", KO: "그래야 etcd의 백업이나 디스크가 유출되어도 시크릿이 드러나지 않는다."},
		Remedy: setFlag("kube-apiserver", "--encryption-provider-config=/etc/kubernetes/encryption.yaml"),
	},
	{
		ID: "apiserver-encryption-providers", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "The first encryption provider is a strong one", KO: "첫 번째 암호화 공급자로 강력한 공급자를 사용한다"},
		Why:    Text{EN: "The first provider in the list encrypts, and identity does not encrypt at all.", KO: "목록의 첫 번째 공급자가 암호화를 맡는데 identity는 암호화하지 않는다."},
		Remedy: Text{EN: "put kms, secretbox or aescbc first among the providers for secrets in the EncryptionConfiguration", KO: "EncryptionConfiguration에서 secrets의 첫 번째 공급자를 kms, secretbox 또는 aescbc로 지정하십시오"},
	},
	{
		ID: "apiserver-tls-ciphers", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "The API server offers strong cipher suites only", KO: "API 서버가 강력한 암호 스위트만 제공한다"},
		Why:    Text{EN: "A client that asks for a weak suite would otherwise get it.", KO: "그렇지 않으면 약한 암호 스위트를 요청하는 클라이언트에 그대로 제공된다."},
		Remedy: Text{EN: "limit --tls-cipher-suites of kube-apiserver to ECDHE suites with AES-GCM or ChaCha20-Poly1305", KO: "kube-apiserver의 --tls-cipher-suites를 AES-GCM 또는 ChaCha20-Poly1305를 쓰는 ECDHE 스위트로 제한하십시오"},
	},
	{
		ID: "apiserver-token-expiration", Face: ControlPlane, Kind: Attested, Level: L1, Reason: byProvider,
		Title:  Text{EN: "Service account tokens are not extended to a year", KO: "서비스 어카운트 토큰의 수명을 1년으로 연장하지 않는다"},
		Why:    Text{EN: "The extension helps clients that never reload a token and thieves that stole one.", KO: "연장은 토큰을 다시 읽지 않는 클라이언트뿐 아니라 토큰을 훔친 공격자에게도 도움이 된다."},
		Remedy: setFlag("kube-apiserver", "--service-account-extend-token-expiration=false"),
	},
}

var auditKeptWhy = Text{
	EN: "An intrusion is often found weeks later, when the log of that day must still be there.",
	KO: "침입은 몇 주 뒤에 발견되는 일이 많으므로 그날의 로그가 남아 있어야 한다.",
}
