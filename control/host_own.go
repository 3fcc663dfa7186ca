package control

// hostOwn are controls without a row: the host document asks for both in its
// notes.
var hostOwn = []Control{
	{
		ID: "mod-unnecessary", Face: Node, Kind: Measured,
		Title:  Text{EN: "Kernel modules that a node does not need cannot be loaded", KO: "노드에 필요 없는 커널 모듈의 적재를 금지한다"},
		Why:    Text{EN: "A driver for hardware that a node lacks (USB storage, FireWire, floppy disks, Bluetooth) is attack surface and nothing else.", KO: "노드에 없는 하드웨어(USB 저장 장치, FireWire, 플로피 디스크, 블루투스)의 드라이버는 공격 표면만 넓힌다."},
		Remedy: Text{EN: `write "install NAME /bin/false" and "blacklist NAME" for each of them to a file in /etc/modprobe.d and run modprobe -r NAME`, KO: `각 모듈에 대해 "install NAME /bin/false"와 "blacklist NAME" 두 줄을 /etc/modprobe.d의 파일에 쓰고 modprobe -r NAME 명령을 실행하십시오`},
	},
	{
		ID: "reboot-required", Face: Node, Kind: Measured,
		Title:  Text{EN: "No installed update waits for a reboot", KO: "재시작을 기다리는 업데이트가 없다"},
		Why:    Text{EN: "A patched kernel or library protects nothing until the node has restarted with it.", KO: "패치한 커널이나 라이브러리는 노드를 재시작해야 비로소 효력이 있다."},
		Remedy: Text{EN: "drain the node and restart it, or let a reboot daemon do so", KO: "노드를 드레인한 뒤 재시작하거나 재시작 데몬에 맡기십시오"},
	},
}
