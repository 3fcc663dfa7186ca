package control

// rbac are the controls of section 5.1 that one role or one binding shows by itself, and
// that are therefore judged at admission.
var rbac = []Control{
	{
		ID: "cluster-admin-bindings", Face: Admission, Kind: Measured, Scope: Anywhere, Level: L1,
		Title:  Text{EN: "cluster-admin is bound only where it is needed", KO: "cluster-admin 역할을 꼭 필요한 곳에만 바인딩한다"},
		Why:    Text{EN: "Whoever is bound to cluster-admin can do everything, including undoing every other control.", KO: "cluster-admin에 바인딩된 주체는 다른 모든 통제를 해제하는 것까지 무엇이든 할 수 있다."},
		Remedy: Text{EN: "bind a narrower role, then delete the ClusterRoleBinding or RoleBinding to cluster-admin", KO: "더 좁은 역할을 바인딩한 뒤 cluster-admin에 대한 ClusterRoleBinding 또는 RoleBinding을 삭제하십시오"},
	},
	{
		ID: "secret-access", Face: Admission, Kind: Measured, Scope: Anywhere, Level: L1,
		Title:  Text{EN: "Few may read secrets", KO: "시크릿을 읽을 수 있는 주체를 최소화한다"},
		Why:    Text{EN: "Reading secrets, even by list or watch alone, hands out the credentials of every workload in reach.", KO: "list나 watch 권한만으로도 범위 안에 있는 모든 워크로드의 자격 증명을 읽을 수 있다."},
		Remedy: Text{EN: "remove get, list and watch on secrets from roles that do not need them", KO: "필요하지 않은 역할에서 secrets에 대한 get, list, watch 권한을 제거하십시오"},
	},
	{
		ID: "rbac-wildcards", Face: Admission, Kind: Measured, Scope: Anywhere, Level: L1,
		Title:  Text{EN: "Roles name their resources and verbs instead of wildcards", KO: "역할에 와일드카드 대신 리소스와 동사를 명시한다"},
		Why:    Text{EN: "A wildcard also grants what will be installed later and nobody has thought of yet.", KO: "와일드카드는 나중에 설치되어 아직 아무도 고려하지 않은 리소스에 대한 권한까지 부여한다."},
		Remedy: Text{EN: "replace * in apiGroups, resources and verbs of Roles and ClusterRoles by the names needed", KO: "Role과 ClusterRole의 apiGroups, resources, verbs에 있는 *를 필요한 이름으로 바꾸십시오"},
	},
	{
		ID: "pod-creation", Face: Admission, Kind: Measured, Scope: Anywhere, Level: L1,
		Title:  Text{EN: "Few may create pods", KO: "파드를 생성할 수 있는 주체를 최소화한다"},
		Why:    Text{EN: "Who creates a pod can take on any service account and mount any secret of the namespace.", KO: "파드를 생성하는 주체는 네임스페이스의 모든 서비스 어카운트와 시크릿을 이용할 수 있다."},
		Remedy: Text{EN: "remove create on pods and on workload kinds from roles that do not need it", KO: "필요하지 않은 역할에서 pods와 워크로드 리소스에 대한 create 권한을 제거하십시오"},
	},
	{
		ID: "system-masters", Face: Admission, Kind: Measured, Scope: Anywhere, Level: L1,
		Title:  Text{EN: "The group system:masters is not used", KO: "system:masters 그룹을 사용하지 않는다"},
		Why:    Text{EN: "Members of this group bypass RBAC, and removing a binding does not take their rights away.", KO: "이 그룹의 구성원은 RBAC을 우회하므로 바인딩을 삭제해도 권한이 회수되지 않는다."},
		Remedy: Text{EN: "issue credentials without the group system:masters and bind a role to the user instead", KO: "system:masters 그룹이 없는 자격 증명을 발급하고 대신 사용자에게 역할을 바인딩하십시오"},
	},
	{
		ID: "bind-impersonate-escalate", Face: Admission, Kind: Measured, Scope: Anywhere, Level: L1,
		Title:  Text{EN: "Few may bind, impersonate or escalate", KO: "bind, impersonate, escalate 권한을 제한한다"},
		Why:    Text{EN: "Each of these verbs lets a subject reach rights that it was never given.", KO: "이 동사들은 모두 주체가 부여받지 않은 권한까지 얻을 수 있게 한다."},
		Remedy: Text{EN: "remove the verbs bind, impersonate and escalate from roles outside the control plane", KO: "컨트롤 플레인 외의 역할에서 bind, impersonate, escalate 동사를 제거하십시오"},
	},
	{
		ID: "persistent-volume-creation", Face: Admission, Kind: Measured, Scope: ClusterOnly, Level: L1,
		Title:  Text{EN: "Few may create persistent volumes", KO: "퍼시스턴트볼륨을 생성할 수 있는 주체를 최소화한다"},
		Why:    Text{EN: "A persistent volume may point at a directory of a node, which goes around a ban on hostPath.", KO: "퍼시스턴트볼륨은 노드의 디렉터리를 가리킬 수 있어 hostPath 금지를 우회하는 통로가 된다."},
		Remedy: Text{EN: "remove create on persistentvolumes from roles other than the provisioner's", KO: "프로비저너 외의 역할에서 persistentvolumes에 대한 create 권한을 제거하십시오"},
	},
	{
		ID: "node-proxy", Face: Admission, Kind: Measured, Scope: ClusterOnly, Level: L1,
		Title:  Text{EN: "Few may use the proxy of nodes", KO: "nodes/proxy를 사용할 수 있는 주체를 최소화한다"},
		Why:    Text{EN: "nodes/proxy speaks to the kubelet past admission and audit, and even get is enough to run commands.", KO: "nodes/proxy는 어드미션과 감사를 거치지 않고 kubelet과 통신하며, get 권한만으로도 명령을 실행할 수 있다."},
		Remedy: Text{EN: "remove nodes/proxy from roles; grant nodes/metrics, nodes/stats or nodes/configz where those are enough", KO: "역할에서 nodes/proxy를 제거하고 nodes/metrics, nodes/stats, nodes/configz로 충분하면 그것만 부여하십시오"},
	},
	{
		ID: "csr-approval", Face: Admission, Kind: Measured, Scope: ClusterOnly, Level: L1,
		Title:  Text{EN: "Few may approve certificate signing requests", KO: "인증서 서명 요청을 승인할 수 있는 주체를 최소화한다"},
		Why:    Text{EN: "Who approves a request can have a client certificate made for any user or group.", KO: "요청을 승인하는 주체는 임의의 사용자나 그룹의 클라이언트 인증서를 만들 수 있다."},
		Remedy: Text{EN: "remove update on certificatesigningrequests/approval from roles that do not sign", KO: "서명을 맡지 않는 역할에서 certificatesigningrequests/approval에 대한 update 권한을 제거하십시오"},
	},
	{
		ID: "webhook-configurations", Face: Admission, Kind: Measured, Scope: ClusterOnly, Level: L1,
		Title:  Text{EN: "Few may change webhook configurations", KO: "웹훅 구성을 변경할 수 있는 주체를 최소화한다"},
		Why:    Text{EN: "A webhook sees and can alter every object it is registered for, and removing one switches a gate off.", KO: "웹훅은 등록된 모든 오브젝트를 보고 바꿀 수 있으며, 삭제하면 통제 자체가 사라진다."},
		Remedy: Text{EN: "remove create, update, patch and delete on webhook configurations from roles that do not install webhooks", KO: "웹훅을 설치하지 않는 역할에서 웹훅 구성에 대한 create, update, patch, delete 권한을 제거하십시오"},
	},
	{
		ID: "token-creation", Face: Admission, Kind: Measured, Scope: Anywhere, Level: L1,
		Title:  Text{EN: "Few may create service account tokens", KO: "서비스 어카운트 토큰을 발급할 수 있는 주체를 최소화한다"},
		Why:    Text{EN: "Who mints a token for an account acts with the rights of that account.", KO: "어떤 계정의 토큰을 발급하는 주체는 그 계정의 권한으로 행동할 수 있다."},
		Remedy: Text{EN: "remove create on serviceaccounts/token from roles that do not need it", KO: "필요하지 않은 역할에서 serviceaccounts/token에 대한 create 권한을 제거하십시오"},
	},
}
