package control

// workloads are the controls of section 5 that one object shows by itself, and
// that are therefore judged at admission; the last is our own. Their Remedy is read in denial
// messages: it names the field and the value. "Container" means init, sidecar,
// main and ephemeral containers alike.
var workloads = []Control{
	{
		ID: "default-service-account", Face: Admission, Kind: Measured, Level: L1,
		Title:  Text{EN: "Workloads do not use the default service account", KO: "워크로드에 기본 서비스 어카운트를 사용하지 않는다"},
		Why:    Text{EN: "Rights given to a shared account reach every pod of the namespace and can be traced to none.", KO: "공용 계정에 준 권한은 네임스페이스의 모든 파드에 미치며, 누가 사용했는지 추적할 수 없다."},
		Remedy: Text{EN: "set serviceAccountName to an account of the workload's own; on the ServiceAccount named default set automountServiceAccountToken to false", KO: "serviceAccountName에 워크로드 전용 계정을 지정하고, default 서비스 어카운트에는 automountServiceAccountToken을 false로 설정하십시오"},
	},
	{
		ID: "service-account-token", Face: Admission, Kind: Measured, Level: L1,
		Title:  Text{EN: "Service account tokens are mounted only where needed", KO: "서비스 어카운트 토큰을 필요한 곳에만 마운트한다"},
		Why:    Text{EN: "A token in a container is a login to the API server for whoever breaks into that container.", KO: "컨테이너에 든 토큰은 그 컨테이너에 침입한 공격자가 API 서버에 인증하는 수단이 된다."},
		Remedy: Text{EN: "set automountServiceAccountToken to false in the pod and remove serviceAccountToken from projected volumes", KO: "파드의 automountServiceAccountToken을 false로 설정하고 projected 볼륨에서 serviceAccountToken을 제거하십시오"},
	},
	{
		ID: "privileged", Face: Admission, Kind: Measured, Level: L1,
		Title:  Text{EN: "Containers are not privileged", KO: "컨테이너를 특권 모드로 실행하지 않는다"},
		Why:    Text{EN: "A privileged container holds every capability and every device of the node, so it is root on the node.", KO: "특권 컨테이너는 노드의 모든 캐퍼빌리티와 장치에 접근하므로 사실상 노드의 root와 같다."},
		Remedy: Text{EN: "set securityContext.privileged to false or remove it", KO: "securityContext.privileged를 false로 설정하거나 제거하십시오"},
	},
	{
		ID: "host-pid", Face: Admission, Kind: Measured, Level: L1,
		Title:  Text{EN: "Pods do not join the node's process namespace", KO: "파드가 노드의 프로세스 네임스페이스를 공유하지 않는다"},
		Why:    Text{EN: "Seen from the node's process namespace, the environment and memory of other processes come within reach.", KO: "노드의 프로세스 네임스페이스에 들어가면 다른 프로세스의 환경 변수와 메모리까지 노출될 수 있다."},
		Remedy: Text{EN: "set hostPID to false or remove it", KO: "hostPID를 false로 설정하거나 제거하십시오"},
	},
	{
		ID: "host-ipc", Face: Admission, Kind: Measured, Level: L1,
		Title:  Text{EN: "Pods do not join the node's IPC namespace", KO: "파드가 노드의 IPC 네임스페이스를 공유하지 않는다"},
		Why:    Text{EN: "Shared memory and semaphores of the node's own processes would be open to the pod.", KO: "노드 프로세스의 공유 메모리와 세마포어에 파드가 접근할 수 있게 된다."},
		Remedy: Text{EN: "set hostIPC to false or remove it", KO: "hostIPC를 false로 설정하거나 제거하십시오"},
	},
	{
		ID: "host-network", Face: Admission, Kind: Measured, Level: L1,
		Title:  Text{EN: "Pods do not join the node's network namespace", KO: "파드가 노드의 네트워크 네임스페이스를 공유하지 않는다"},
		Why:    Text{EN: "On the node's network a pod reaches services bound to loopback and escapes network policies.", KO: "노드 네트워크를 쓰는 파드는 루프백에만 열린 서비스에 닿고 네트워크 정책의 적용을 벗어난다."},
		Remedy: Text{EN: "set hostNetwork to false or remove it", KO: "hostNetwork를 false로 설정하거나 제거하십시오"},
	},
	{
		ID: "privilege-escalation", Face: Admission, Kind: Measured, Level: L1,
		Title:  Text{EN: "Containers cannot gain more privileges than they start with", KO: "컨테이너가 시작할 때보다 높은 권한을 얻지 못하게 한다"},
		Why:    Text{EN: "Unless the field is set, a setuid program in the image can lift a process to root.", KO: "이 필드를 설정하지 않으면 이미지에 있는 setuid 프로그램으로 프로세스가 root 권한을 얻을 수 있다."},
		Remedy: Text{EN: "set securityContext.allowPrivilegeEscalation to false in every container; leaving it out allows it", KO: "모든 컨테이너의 securityContext.allowPrivilegeEscalation을 false로 설정하십시오(생략하면 허용됩니다)"},
	},
	{
		ID: "run-as-root", Face: Admission, Kind: Measured, Level: L2,
		Title:  Text{EN: "Containers do not run as root", KO: "컨테이너를 root로 실행하지 않는다"},
		Why:    Text{EN: "A flaw in the runtime or kernel hurts most when the process inside is already user 0.", KO: "런타임이나 커널에 결함이 있을 때 컨테이너 프로세스가 이미 UID 0이면 피해가 가장 크다."},
		Remedy: Text{EN: "set securityContext.runAsNonRoot to true, or securityContext.runAsUser to 1 or above", KO: "securityContext.runAsNonRoot를 true로 설정하거나 securityContext.runAsUser를 1 이상으로 지정하십시오"},
	},
	{
		ID: "net-raw", Face: Admission, Kind: Measured, Level: L1,
		Title:  Text{EN: "Containers do not hold the NET_RAW capability", KO: "컨테이너에 NET_RAW 캐퍼빌리티를 주지 않는다"},
		Why:    Text{EN: "Container runtimes may grant raw sockets by default, and these let a pod forge packets and impersonate its neighbours.", KO: "런타임이 기본으로 허용할 수 있는 raw 소켓을 쓰면 패킷을 위조해 이웃 파드로 가장할 수 있다."},
		Remedy: Text{EN: "list NET_RAW or ALL, without the CAP_ prefix, in securityContext.capabilities.drop and neither of them in add", KO: "securityContext.capabilities.drop에 NET_RAW 또는 ALL을 CAP_ 접두사 없이 넣고 add에는 둘 다 넣지 마십시오"},
	},
	{
		ID: "added-capabilities", Face: Admission, Kind: Measured, Level: L1,
		Title:  Text{EN: "Containers add no capabilities", KO: "컨테이너에 캐퍼빌리티를 추가하지 않는다"},
		Why:    Text{EN: "Each capability beyond the runtime's default set opens another part of the kernel to the container.", KO: "런타임 기본 집합을 넘는 캐퍼빌리티는 하나하나 커널의 또 다른 부분을 컨테이너에 열어 준다."},
		Remedy: Text{EN: "remove every entry from securityContext.capabilities.add", KO: "securityContext.capabilities.add의 항목을 모두 제거하십시오"},
	},
	{
		ID: "assigned-capabilities", Face: Admission, Kind: Measured, Level: L2,
		Title:  Text{EN: "Containers drop all capabilities", KO: "컨테이너의 모든 캐퍼빌리티를 제거한다"},
		Why:    Text{EN: "Most programs need no capability at all, and even the runtime's default set is material for an attacker.", KO: "대부분의 프로그램에는 캐퍼빌리티가 필요 없으며, 런타임의 기본 집합만으로도 공격에 악용될 수 있다."},
		Remedy: Text{EN: `set securityContext.capabilities.drop to ["ALL"] and add at most NET_BIND_SERVICE`, KO: `securityContext.capabilities.drop을 ["ALL"]로 설정하고 add에는 NET_BIND_SERVICE만 허용하십시오`},
	},
	{
		ID: "windows-host-process", Face: Admission, Kind: Measured, Level: L1,
		Title:  Text{EN: "Windows pods do not run as host processes", KO: "윈도우 파드를 호스트 프로세스로 실행하지 않는다"},
		Why:    Text{EN: "A host process container runs on the Windows node itself, with no wall between them.", KO: "호스트 프로세스 컨테이너는 격리 없이 윈도우 노드에서 직접 실행된다."},
		Remedy: Text{EN: "set securityContext.windowsOptions.hostProcess to false or remove it", KO: "securityContext.windowsOptions.hostProcess를 false로 설정하거나 제거하십시오"},
	},
	{
		ID: "host-path", Face: Admission, Kind: Measured, Level: L1,
		Title:  Text{EN: "Pods mount no hostPath volumes", KO: "파드가 hostPath 볼륨을 마운트하지 않는다"},
		Why:    Text{EN: "A directory of the node inside a pod exposes credentials, sockets and other pods' data.", KO: "노드의 디렉터리를 파드에 마운트하면 자격 증명, 소켓, 다른 파드의 데이터가 노출된다."},
		Remedy: Text{EN: "replace the hostPath volume with a persistentVolumeClaim, emptyDir, configMap or projected volume; where the path is allowed read-only, set readOnly: true on its mounts", KO: "hostPath 볼륨을 persistentVolumeClaim, emptyDir, configMap 또는 projected 볼륨으로 바꾸십시오(읽기 전용으로 허용된 경로라면 마운트에 readOnly: true를 설정하십시오)"},
	},
	{
		ID: "host-ports", Face: Admission, Kind: Measured, Level: L1,
		Title:  Text{EN: "Containers bind no ports of the node", KO: "컨테이너가 노드의 포트를 사용하지 않는다"},
		Why:    Text{EN: "Traffic to a port of the node can pass by network policies, and the port ties the pod to the node.", KO: "노드 포트로 들어오는 트래픽은 네트워크 정책을 우회할 수 있고, 파드가 특정 노드에 묶이게 된다."},
		Remedy: Text{EN: "remove hostPort from the container's ports and expose the pod through a Service", KO: "컨테이너 ports에서 hostPort를 제거하고 서비스(Service)로 파드를 노출하십시오"},
	},
	{
		ID: "secrets-as-env", Face: Admission, Kind: Measured, Level: L2,
		Title:  Text{EN: "Secrets are not passed in environment variables", KO: "시크릿을 환경 변수로 전달하지 않는다"},
		Why:    Text{EN: "Environments end up in crash dumps, logs and child processes, where a secret does not belong.", KO: "환경 변수는 크래시 덤프, 로그, 자식 프로세스에 남으므로 시크릿을 두기에 알맞지 않다."},
		Remedy: Text{EN: "mount the Secret as a volume; remove env[].valueFrom.secretKeyRef and envFrom[].secretRef", KO: "시크릿을 볼륨으로 마운트하고 env[].valueFrom.secretKeyRef와 envFrom[].secretRef를 제거하십시오"},
	},
	{
		ID: "image-provenance", Face: Admission, Kind: Measured, Level: L2,
		Title:  Text{EN: "Images come from allowed registries and are pinned by digest", KO: "허용된 레지스트리의 이미지를 다이제스트로 고정해 사용한다"},
		Why:    Text{EN: "A tag can be moved to other content after review; a digest from a known registry cannot.", KO: "태그는 검토한 뒤에도 다른 내용을 가리킬 수 있지만, 알려진 레지스트리의 다이제스트는 바뀌지 않는다."},
		Remedy: Text{EN: "use an image of an allowed registry and name it by digest, as in registry.example/app@sha256:…", KO: "허용된 레지스트리의 이미지를 registry.example/app@sha256:… 형식의 다이제스트로 지정하십시오"},
	},
	{
		ID: "seccomp", Face: Admission, Kind: Measured, Level: L2,
		Title:  Text{EN: "Containers run under a seccomp profile", KO: "컨테이너에 seccomp 프로파일을 적용한다"},
		Why:    Text{EN: "Without a profile every system call is open, including those that most kernel exploits need.", KO: "프로파일이 없으면 커널 취약점 공격에 주로 쓰이는 호출을 포함한 모든 시스템 호출이 열려 있다."},
		Remedy: Text{EN: "set securityContext.seccompProfile.type to RuntimeDefault or Localhost; leaving it out means unconfined", KO: "securityContext.seccompProfile.type을 RuntimeDefault 또는 Localhost로 설정하십시오(생략하면 제한이 없습니다)"},
	},
	{
		ID: "security-context", Face: Admission, Kind: Measured, Level: L2,
		Title:  Text{EN: "Pods and containers declare a security context", KO: "파드와 컨테이너에 보안 컨텍스트를 선언한다"},
		Why:    Text{EN: "Where nothing is declared, user, capabilities and profiles are whatever image and runtime happen to choose.", KO: "아무것도 선언하지 않으면 사용자, 캐퍼빌리티, 프로파일이 이미지와 런타임의 기본값에 맡겨진다."},
		Remedy: Text{EN: "give the pod or each of its containers a securityContext with at least one field set", KO: "파드 또는 각 컨테이너에 필드를 하나 이상 설정한 securityContext를 추가하십시오"},
	},
	{
		ID: "default-namespace", Face: Admission, Kind: Measured, Level: L2,
		Title:  Text{EN: "Nothing is deployed to the default namespace", KO: "default 네임스페이스에 리소스를 배포하지 않는다"},
		Why:    Text{EN: "Objects of unrelated owners in one namespace cannot be given separate rights, quotas or policies.", KO: "소유자가 다른 오브젝트가 한 네임스페이스에 섞이면 권한, 할당량, 정책을 나누어 적용할 수 없다."},
		Remedy: Text{EN: "set metadata.namespace to a namespace made for the workload", KO: "metadata.namespace를 워크로드용으로 만든 네임스페이스로 지정하십시오"},
	},
	{
		ID: "tainted-node-toleration", Face: Admission, Kind: Measured, Level: L1,
		Title:  Text{EN: "Workloads do not settle on nodes that hardgate has tainted", KO: "hardgate가 테인트를 설정한 노드에 워크로드를 배치하지 않는다"},
		Why:    Text{EN: "A pod that names its node, or tolerates the taint, runs on a node that has drifted or has never been checked.", KO: "노드를 직접 지정하거나 테인트를 용인하는 파드는 보안 설정이 어긋났거나 아직 점검하지 않은 노드에서도 실행된다."},
		Remedy: Text{EN: "remove nodeName and choose nodes by nodeSelector or nodeAffinity; tolerate only taints that are named by their key, and none of hardgate's", KO: "nodeName을 제거하고 nodeSelector나 nodeAffinity로 노드를 선택하며, 톨러레이션에는 항상 key를 지정하고 hardgate의 테인트를 용인하는 항목은 제거하십시오"},
	},
}
