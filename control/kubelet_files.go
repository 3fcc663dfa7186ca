package control

// rootOwner is why a file that a component trusts must belong to root.
var rootOwner = Text{
	EN: "Whoever owns the file can change its mode and then its content.",
	KO: "파일의 소유자는 권한을 바꾼 뒤 내용까지 바꿀 수 있다.",
}

// kubeletFiles are the controls of section 4.1. Paths in remedies are those of
// kubeadm; the checks take the real ones from the kubelet's own configuration.
var kubeletFiles = []Control{
	{
		ID: "kubelet-service-mode", Face: Node, Kind: Measured, Level: L1,
		Title:  Text{EN: "The kubelet's unit files have mode 600 or stricter", KO: "kubelet 유닛 파일의 권한이 600이거나 그보다 엄격하다"},
		Why:    Text{EN: "The unit decides with which flags the kubelet runs, and it runs as root.", KO: "유닛 파일은 root로 실행되는 kubelet의 플래그를 결정한다."},
		Remedy: Text{EN: "run chmod 600 on the unit that starts the kubelet, such as kubelet.service, and on its drop-ins in kubelet.service.d", KO: "kubelet을 시작하는 유닛(예: kubelet.service)과 kubelet.service.d의 드롭인 파일에 chmod 600을 실행하십시오"},
	},
	{
		ID: "kubelet-service-owner", Face: Node, Kind: Measured, Level: L1,
		Title:  Text{EN: "The kubelet's unit files belong to root:root", KO: "kubelet 유닛 파일의 소유자가 root:root이다"},
		Why:    rootOwner,
		Remedy: Text{EN: "run chown root:root on the unit that starts the kubelet, such as kubelet.service, and on its drop-ins in kubelet.service.d", KO: "kubelet을 시작하는 유닛(예: kubelet.service)과 kubelet.service.d의 드롭인 파일에 chown root:root를 실행하십시오"},
	},
	{
		ID: "kube-proxy-kubeconfig-mode", Face: Node, Kind: Measured, Level: L1,
		Title:  Text{EN: "kube-proxy's kubeconfig, if any, has mode 600 or stricter", KO: "kube-proxy kubeconfig가 있으면 권한이 600이거나 그보다 엄격하다"},
		Why:    Text{EN: "The file holds the credential with which kube-proxy logs in to the API server.", KO: "이 파일에는 kube-proxy가 API 서버에 인증할 때 쓰는 자격 증명이 있다."},
		Remedy: Text{EN: "run chmod 600 on the file that kube-proxy's --kubeconfig names", KO: "kube-proxy의 --kubeconfig가 가리키는 파일에 chmod 600을 실행하십시오"},
	},
	{
		ID: "kube-proxy-kubeconfig-owner", Face: Node, Kind: Measured, Level: L1,
		Title:  Text{EN: "kube-proxy's kubeconfig, if any, belongs to root:root", KO: "kube-proxy kubeconfig가 있으면 소유자가 root:root이다"},
		Why:    rootOwner,
		Remedy: Text{EN: "run chown root:root on the file that kube-proxy's --kubeconfig names", KO: "kube-proxy의 --kubeconfig가 가리키는 파일에 chown root:root를 실행하십시오"},
	},
	{
		ID: "kubelet-kubeconfig-mode", Face: Node, Kind: Measured, Level: L1,
		Title:  Text{EN: "The kubelet's kubeconfig has mode 600 or stricter", KO: "kubelet kubeconfig의 권한이 600이거나 그보다 엄격하다"},
		Why:    Text{EN: "The file is or names the credential with which the node speaks to the API server.", KO: "이 파일에는 노드가 API 서버와 통신하는 자격 증명 또는 그 위치가 들어 있다."},
		Remedy: Text{EN: "run chmod 600 on the file that the kubelet's --kubeconfig names, such as /etc/kubernetes/kubelet.conf, on kubelet-client-current.pem in its --cert-dir, and on a file of --bootstrap-kubeconfig that holds a token", KO: "kubelet의 --kubeconfig가 가리키는 파일(예: /etc/kubernetes/kubelet.conf), --cert-dir의 kubelet-client-current.pem, 토큰이 들어 있는 --bootstrap-kubeconfig 파일에 chmod 600을 실행하십시오"},
	},
	{
		ID: "kubelet-kubeconfig-owner", Face: Node, Kind: Measured, Level: L1,
		Title:  Text{EN: "The kubelet's kubeconfig belongs to root:root", KO: "kubelet kubeconfig의 소유자가 root:root이다"},
		Why:    rootOwner,
		Remedy: Text{EN: "run chown root:root on the file that the kubelet's --kubeconfig names, such as /etc/kubernetes/kubelet.conf, on kubelet-client-current.pem in its --cert-dir, and on a file of --bootstrap-kubeconfig that holds a token", KO: "kubelet의 --kubeconfig가 가리키는 파일(예: /etc/kubernetes/kubelet.conf), --cert-dir의 kubelet-client-current.pem, 토큰이 들어 있는 --bootstrap-kubeconfig 파일에 chown root:root를 실행하십시오"},
	},
	{
		ID: "kubelet-client-ca-mode", Face: Node, Kind: Measured, Level: L1,
		Title:  Text{EN: "The kubelet's client CA file has a strict mode", KO: "kubelet 클라이언트 CA 파일의 권한이 엄격하다"},
		Why:    Text{EN: "Who can write this file chooses whose certificates the kubelet obeys.", KO: "이 파일에 쓸 수 있으면 kubelet이 신뢰할 인증서를 마음대로 정할 수 있다."},
		Remedy: Text{EN: "run chmod 600 on the file that clientCAFile names; editions from 1.11 on accept 644", KO: "clientCAFile이 가리키는 파일에 chmod 600을 실행하십시오(1.11판부터는 644도 허용합니다)"},
	},
	{
		ID: "kubelet-client-ca-owner", Face: Node, Kind: Measured, Level: L1,
		Title:  Text{EN: "The kubelet's client CA file belongs to root:root", KO: "kubelet 클라이언트 CA 파일의 소유자가 root:root이다"},
		Why:    rootOwner,
		Remedy: Text{EN: "run chown root:root on the file that clientCAFile names", KO: "clientCAFile이 가리키는 파일에 chown root:root를 실행하십시오"},
	},
	{
		ID: "kubelet-config-mode", Face: Node, Kind: Measured, Level: L1,
		Title:  Text{EN: "The kubelet's configuration files have mode 600 or stricter", KO: "kubelet 구성 파일의 권한이 600이거나 그보다 엄격하다"},
		Why:    Text{EN: "The configuration and its drop-ins decide who may use the kubelet and for what.", KO: "구성 파일과 드롭인은 누가 kubelet으로 무엇을 할 수 있는지를 결정한다."},
		Remedy: Text{EN: "run chmod 600 on the file that --config names and on the *.conf files in --config-dir", KO: "--config가 가리키는 파일과 --config-dir의 *.conf 파일에 chmod 600을 실행하십시오"},
	},
	{
		ID: "kubelet-config-owner", Face: Node, Kind: Measured, Level: L1,
		Title:  Text{EN: "The kubelet's configuration files belong to root:root", KO: "kubelet 구성 파일의 소유자가 root:root이다"},
		Why:    rootOwner,
		Remedy: Text{EN: "run chown root:root on the file that --config names and on the *.conf files in --config-dir", KO: "--config가 가리키는 파일과 --config-dir의 *.conf 파일에 chown root:root를 실행하십시오"},
	},
}
