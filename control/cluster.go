package control

// clusterWide is what only the objects of a whole cluster together can show.
var clusterWide = []Control{
	{
		ID: "policy-control-active", Face: Cluster, Kind: Measured, Level: L1,
		Title:  Text{EN: "Every namespace is covered by a policy control", KO: "모든 네임스페이스에 정책 통제를 적용한다"},
		Why:    Text{EN: "In a namespace that no policy covers, whoever may create pods may take over the node.", KO: "정책이 적용되지 않는 네임스페이스에서는 파드를 생성할 수 있는 주체가 노드를 장악할 수 있다."},
		Remedy: Text{EN: "cover the namespace by a WorkloadPolicy or set its label pod-security.kubernetes.io/enforce", KO: "네임스페이스에 WorkloadPolicy를 적용하거나 pod-security.kubernetes.io/enforce 레이블을 설정하십시오"},
	},
	{
		ID: "cni-network-policy", Face: Cluster, Kind: Manual, Level: L1,
		Reason: Text{EN: "Objects show which plugin is installed, and not whether it drops a packet: what was found is the evidence.", KO: "오브젝트로는 어떤 플러그인이 설치되었는지만 알 수 있고 패킷이 실제로 차단되는지는 알 수 없으므로, 발견한 내용을 근거로 제시한다."},
		Title:  Text{EN: "The network plugin enforces network policies", KO: "네트워크 플러그인이 네트워크 정책을 지원한다"},
		Why:    Text{EN: "Where the plugin ignores network policies, they look in force and stop nothing.", KO: "플러그인이 네트워크 정책을 무시하면 정책이 적용된 것처럼 보여도 아무것도 막지 못한다."},
		Remedy: Text{EN: "install a network plugin that enforces NetworkPolicy for ingress and egress", KO: "인그레스와 이그레스 모두에 NetworkPolicy를 적용하는 네트워크 플러그인을 설치하십시오"},
	},
	{
		ID: "namespace-network-policy", Face: Cluster, Kind: Measured, Level: L2,
		Title:  Text{EN: "Every namespace has a network policy", KO: "모든 네임스페이스에 네트워크 정책을 둔다"},
		Why:    Text{EN: "Until a policy selects it, a pod accepts connections from every other pod in the cluster.", KO: "정책이 적용되기 전까지 파드는 클러스터의 모든 파드에서 오는 연결을 받아들인다."},
		Remedy: Text{EN: "create a NetworkPolicy in the namespace, starting with one that denies all ingress", KO: "모든 인그레스를 거부하는 정책부터 시작해 네임스페이스에 NetworkPolicy를 만드십시오"},
	},
	{
		ID: "external-secrets", Face: Cluster, Kind: Manual, Level: L2,
		Reason: Text{EN: "Whether a store fits what is kept in it is a question of its owners; hardgate shows which stores are connected and reads no secret.", KO: "어떤 저장소가 알맞은지는 소유자가 판단할 문제이며, hardgate는 연결된 저장소만 보여 주고 시크릿은 읽지 않는다."},
		Title:  Text{EN: "Secrets are kept in an external store", KO: "시크릿을 외부 저장소에 보관한다"},
		Why:    Text{EN: "A dedicated store brings rotation, access records and encryption that Secret objects lack by themselves.", KO: "전용 저장소는 시크릿 오브젝트만으로는 얻을 수 없는 교체, 접근 기록, 암호화 기능을 제공한다."},
		Remedy: Text{EN: "move the values to an external store and mount them through the Secrets Store CSI driver", KO: "값을 외부 저장소로 옮기고 Secrets Store CSI 드라이버로 마운트하십시오"},
	},
	{
		ID: "namespace-boundaries", Face: Cluster, Kind: Manual, Level: L1,
		Reason: Text{EN: "Which workloads belong together, only those who run them know; hardgate shows how they are spread.", KO: "어떤 워크로드가 함께 있어야 하는지는 운영자만 알 수 있으며, hardgate는 워크로드의 분포를 보여 준다."},
		Title:  Text{EN: "Namespaces separate teams and applications", KO: "팀과 애플리케이션을 네임스페이스로 분리한다"},
		Why:    Text{EN: "Rights, quotas and policies are given per namespace, so what shares one shares them all.", KO: "권한, 할당량, 정책은 네임스페이스 단위이므로 같은 네임스페이스의 리소스는 이를 모두 공유한다."},
		Remedy: Text{EN: "give each team or application a namespace of its own", KO: "팀이나 애플리케이션마다 별도의 네임스페이스를 만드십시오"},
	},
}
