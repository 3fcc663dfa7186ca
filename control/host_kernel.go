package control

import "fmt"

// hostModules are the kernel modules that rows 1.1.1.x and 3.5.x of the host
// document want out of the way. The document names no levels.
var hostModules = []Control{
	kernelModule("mod-cramfs", "cramfs", rareFilesystem),
	kernelModule("mod-freevxfs", "freevxfs", rareFilesystem),
	kernelModule("mod-jffs2", "jffs2", rareFilesystem),
	kernelModule("mod-hfs", "hfs", rareFilesystem),
	kernelModule("mod-hfsplus", "hfsplus", rareFilesystem),
	kernelModule("mod-dccp", "dccp", rareProtocol),
	kernelModule("mod-sctp", "sctp", rareProtocol),
	kernelModule("mod-rds", "rds", rareProtocol),
	kernelModule("mod-tipc", "tipc", rareProtocol),
}

var rareFilesystem = Text{
	EN: "A node has no use for this file system, and its parser runs in the kernel on whatever is mounted.",
	KO: "노드에 필요 없는 파일 시스템이며, 그 해석 코드는 마운트된 데이터를 커널 안에서 처리한다.",
}

var rareProtocol = Text{
	EN: "An unprivileged program can have this protocol loaded by opening a socket, and its code has often been flawed.",
	KO: "권한 없는 프로그램도 소켓을 열어 이 프로토콜을 적재시킬 수 있고, 그 코드에서는 결함이 자주 발견되었다.",
}

func kernelModule(id ID, name string, why Text) Control {
	return Control{
		ID: id, Face: Node, Kind: Measured,
		Title: Text{
			EN: fmt.Sprintf("The kernel module %s cannot be loaded", name),
			KO: fmt.Sprintf("커널 모듈 %s의 적재를 금지한다", name),
		},
		Why: why,
		Remedy: Text{
			EN: fmt.Sprintf(`write "install %[1]s /bin/false" and "blacklist %[1]s" to /etc/modprobe.d/%[1]s.conf and run modprobe -r %[1]s`, name),
			KO: fmt.Sprintf(`/etc/modprobe.d/%[1]s.conf에 "install %[1]s /bin/false"와 "blacklist %[1]s" 두 줄을 쓰고 modprobe -r %[1]s 명령을 실행하십시오`, name),
		},
	}
}

// hostSysctls are rows 3.1.2 to 3.3.1 of the host document.
var hostSysctls = []Control{
	sysctl("sysctl-send-redirects", "ipv4", "send_redirects", 0,
		Text{EN: "The node sends no ICMP redirects", KO: "노드가 ICMP 리디렉션을 보내지 않는다"},
		Text{EN: "A node that sends redirects can be used to steer the traffic of its neighbours.", KO: "리디렉션을 보내는 노드는 이웃의 트래픽 경로를 조작하는 데 악용될 수 있다."}),
	sysctl("sysctl-source-route", "ipv4", "accept_source_route", 0,
		Text{EN: "Source-routed packets are refused", KO: "소스 라우팅 패킷을 거부한다"},
		Text{EN: "The sender of such a packet chooses its way and so reaches networks that routing keeps apart.", KO: "이런 패킷은 보낸 쪽이 경로를 정하므로 라우팅으로 분리한 네트워크에 도달할 수 있다."}),
	sysctl("sysctl-icmp-redirects", "ipv4", "accept_redirects", 0,
		Text{EN: "ICMP redirects are ignored", KO: "ICMP 리디렉션을 받아들이지 않는다"},
		Text{EN: "A forged redirect makes the node send its traffic through the attacker.", KO: "위조된 리디렉션은 노드의 트래픽을 공격자를 거쳐 보내게 만든다."}),
	sysctl("sysctl-secure-redirects", "ipv4", "secure_redirects", 0,
		Text{EN: "ICMP redirects from known gateways are ignored too", KO: "알려진 게이트웨이의 ICMP 리디렉션도 받아들이지 않는다"},
		Text{EN: "A known gateway may be compromised, or its address forged.", KO: "알려진 게이트웨이도 침해되거나 그 주소가 위조될 수 있다."}),
	sysctl("sysctl-log-martians", "ipv4", "log_martians", 1,
		Text{EN: "Packets with impossible addresses are logged", KO: "주소가 비정상인 패킷을 기록한다"},
		Text{EN: "Such packets are an early sign of spoofing or of a broken route.", KO: "이런 패킷은 주소 위조나 잘못된 경로를 일찍 알려 주는 신호이다."}),
	sysctl("sysctl-accept-ra", "ipv6", "accept_ra", 0,
		Text{EN: "IPv6 router advertisements are ignored", KO: "IPv6 라우터 광고를 받아들이지 않는다"},
		Text{EN: "Any machine on the link can announce itself as router and take the node's traffic.", KO: "같은 링크의 어떤 장비든 라우터로 가장해 노드의 트래픽을 가로챌 수 있다."}),
}

// sysctl is the control that a key of net.<family>.conf has a value, for the
// interfaces that are there ("all"), for those to come ("default"), and for those
// that have a value of their own, as every one has with IPv6.
func sysctl(id ID, family, key string, value int, title, why Text) Control {
	conf := func(name string) string { return fmt.Sprintf("net.%s.conf.%s.%s", family, name, key) }
	var also Text
	switch key {
	case "accept_source_route", "accept_redirects":
		also = Text{EN: " (for CIS Ubuntu 22.04 those of net.ipv6 too)", KO: "(CIS Ubuntu 22.04 기준에서는 net.ipv6의 같은 키도)"}
	case "accept_ra":
		also = Text{EN: ", IPv6AcceptRA=no in the .network files of systemd-networkd,", KO: ", systemd-networkd를 쓰면 .network 파일에 IPv6AcceptRA=no를"}
	}
	return Control{
		ID: id, Face: Node, Kind: Measured,
		Title: title,
		Why:   why,
		Remedy: Text{
			EN: fmt.Sprintf("set %s, %s, and %s for each interface NAME with another value, to %d in a file in /etc/sysctl.d%s and run sysctl --system",
				conf("all"), conf("default"), conf("NAME"), value, also.EN),
			KO: fmt.Sprintf("/etc/sysctl.d의 파일에 %[1]s=%[4]d, %[2]s=%[4]d, 값이 다른 인터페이스 NAME마다 %[3]s=%[4]d을%[5]s 추가하고 sysctl --system을 실행하십시오",
				conf("all"), conf("default"), conf("NAME"), value, also.KO),
		},
	}
}
