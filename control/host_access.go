package control

import "fmt"

// hostBanners are rows 1.7.1.x of the host document.
var hostBanners = []Control{
	{
		ID: "banner-local", Face: Node, Kind: Measured,
		Title: Text{EN: "The local login banner has a text and no system escapes", KO: "로컬 로그인 배너에 시스템 정보 이스케이프 없이 문구를 표시한다"},
		Why:   Text{EN: "A banner with system versions helps an attacker choose a tool; one with a warning helps prosecute.", KO: "시스템 버전이 보이는 배너는 공격자를 돕고, 경고문이 있는 배너는 법적 대응을 돕는다."},
		Remedy: Text{
			EN: `write the site's warning to /etc/issue, and there and in /etc/issue.d use none of the escapes \m, \r, \s, \v and \S (for CIS Ubuntu 22.04 no name of the distribution either)`,
			KO: `/etc/issue에 조직의 경고문을 작성하고, /etc/issue와 /etc/issue.d에서 \m, \r, \s, \v, \S 이스케이프를 쓰지 마십시오(CIS Ubuntu 22.04 기준에서는 배포판 이름도 쓸 수 없습니다)`,
		},
	},
	{
		ID: "banner-remote", Face: Node, Kind: Measured,
		Title: Text{EN: "The remote login banner has a text and no system escapes", KO: "원격 로그인 배너에 시스템 정보 이스케이프 없이 문구를 표시한다"},
		Why:   Text{EN: "What is shown before login is shown to everyone who can reach the port.", KO: "로그인 전에 표시되는 내용은 포트에 접근할 수 있는 모두에게 보인다."},
		Remedy: Text{
			EN: `write the site's warning to /etc/issue.net, and to what sshd shows in its place, without the escapes \m, \r, \s, \v and \S (for CIS Ubuntu 22.04 without the name of the distribution either)`,
			KO: `/etc/issue.net이나 sshd가 대신 표시하는 파일에 \m, \r, \s, \v, \S 이스케이프 없이 조직의 경고문을 작성하십시오(CIS Ubuntu 22.04 기준에서는 배포판 이름도 쓸 수 없습니다)`,
		},
	},
	bannerFile("perm-issue", "/etc/issue"),
	bannerFile("perm-issue-net", "/etc/issue.net"),
}

func bannerFile(id ID, path string) Control {
	return Control{
		ID: id, Face: Node, Kind: Measured,
		Title: Text{
			EN: fmt.Sprintf("%s belongs to root and has mode 644 or stricter", path),
			KO: fmt.Sprintf("%s 파일의 소유자가 root이고 권한이 644이거나 그보다 엄격하다", path),
		},
		Why: Text{EN: "A banner that others can write may be turned into a lure.", KO: "다른 사용자가 쓸 수 있는 배너는 사용자를 속이는 데 악용될 수 있다."},
		Remedy: Text{
			EN: fmt.Sprintf("run chown root:root %[1]s and chmod 644 %[1]s", path),
			KO: fmt.Sprintf("chown root:root %[1]s 명령과 chmod 644 %[1]s 명령을 실행하십시오", path),
		},
	}
}

// hostSSH are rows 5.2.x of the host document. sshd takes the first value that
// it reads, so remedies go to a file that sorts first; OpenSSH before 8.2 includes
// none, and an image may include others only. A Match block overrides them all.
var hostSSH = []Control{
	sshd("ssh-x11", Text{EN: "X11Forwarding no (for CIS Ubuntu 22.04 DisableForwarding yes too)", KO: "X11Forwarding no(CIS Ubuntu 22.04 기준에서는 DisableForwarding yes도)"},
		Text{EN: "SSH forwards no X11", KO: "SSH의 X11 전달을 사용하지 않는다"},
		Text{EN: "A forwarded display lets the server's side read and send the keystrokes of the client.", KO: "X11 전달을 허용하면 서버 쪽에서 클라이언트의 키 입력을 읽거나 보낼 수 있다."}),
	sshd("ssh-maxauthtries", same("MaxAuthTries 4"),
		Text{EN: "SSH allows at most 4 tries per connection", KO: "SSH 연결당 인증 시도를 4회 이하로 제한한다"},
		Text{EN: "Fewer tries per connection slow down guessing and show it earlier in the log.", KO: "연결당 시도 횟수가 적으면 추측 공격이 느려지고 로그에 더 일찍 드러난다."}),
	sshd("ssh-root-login", same("PermitRootLogin no"),
		Text{EN: "root cannot log in through SSH", KO: "SSH로 root 로그인을 허용하지 않는다"},
		Text{EN: "Logging in by name and then becoming root leaves a record of who it was.", KO: "개인 계정으로 로그인한 뒤 root가 되면 누구였는지 기록이 남는다."}),
	sshd("ssh-user-env", same("PermitUserEnvironment no"),
		Text{EN: "SSH users set no environment for their session", KO: "SSH 사용자가 세션 환경 변수를 설정하지 못하게 한다"},
		Text{EN: "Variables such as LD_PRELOAD let a user step around restrictions on the login.", KO: "LD_PRELOAD와 같은 변수로 로그인에 걸린 제한을 우회할 수 있다."}),
	sshd("ssh-macs", same("MACs hmac-sha2-512-etm@openssh.com,hmac-sha2-256-etm@openssh.com,hmac-sha2-512,hmac-sha2-256"),
		Text{EN: "SSH uses approved MAC algorithms only", KO: "SSH에서 승인된 MAC 알고리즘만 사용한다"},
		Text{EN: "MACs built on MD5 or SHA-1, or cut to 64 bits, protect a session poorly against tampering.", KO: "MD5나 SHA-1에 기반하거나 64비트로 줄인 MAC은 세션 변조를 제대로 막지 못한다."}),
	sshd("ssh-idle", Text{EN: "ClientAliveInterval 300 and ClientAliveCountMax 3", KO: "ClientAliveInterval 300, ClientAliveCountMax 3"},
		Text{EN: "SSH sessions end when the client no longer answers", KO: "클라이언트가 응답하지 않는 SSH 세션을 종료한다"},
		Text{EN: "A session that outlives its client keeps its rights and its place, and nobody is left to end it.", KO: "클라이언트가 사라진 뒤에도 남은 세션은 권한과 자원을 계속 차지하며, 끝낼 사람이 없다."}),
	sshd("ssh-login-grace-time", same("LoginGraceTime 60"),
		Text{EN: "An SSH login must finish within one minute", KO: "SSH 로그인을 1분 안에 마치게 한다"},
		Text{EN: "Unfinished logins hold connection slots, and an attacker can take them all; 0 means no limit.", KO: "끝나지 않은 로그인은 연결 슬롯을 차지하므로 공격자가 모두 소진할 수 있다(0은 무제한)."}),
	sshd("ssh-banner", same("Banner /etc/issue.net"),
		Text{EN: "SSH shows a warning before login", KO: "SSH 로그인 전에 경고 배너를 표시한다"},
		Text{EN: "sshd shows no banner unless it is told which file to show.", KO: "sshd는 파일을 지정하지 않으면 배너를 표시하지 않는다."}),
}

func sshd(id ID, setting, title, why Text) Control {
	return Control{
		ID: id, Face: Node, Kind: Measured,
		Title: title,
		Why:   why,
		Remedy: Text{
			EN: fmt.Sprintf("set %s in a file of /etc/ssh/sshd_config.d that sorts first, or at the top of /etc/ssh/sshd_config where that includes no such file, "+
				"mend Match blocks that say otherwise and reload sshd", setting.EN),
			KO: fmt.Sprintf("/etc/ssh/sshd_config.d에서 가장 먼저 읽히는 파일(Include하지 않는 경우 /etc/ssh/sshd_config 파일의 맨 앞)에 다음을 설정하고, "+
				"이와 다른 Match 블록을 고친 뒤 sshd를 다시 로드하십시오: %s", setting.KO),
		},
	}
}

// same is a setting that is written alike in every language.
func same(setting string) Text { return Text{EN: setting, KO: setting} }

// hostAccounts are the rows of the host document on logins, passwords, logging
// and cron.
var hostAccounts = []Control{
	{
		ID: "single-user-auth", Face: Node, Kind: Measured,
		Title: Text{EN: "Single-user mode asks for a password", KO: "단일 사용자 모드에서 인증을 요구한다"},
		Why:   Text{EN: "Without it, whoever reaches the console can restart the machine and be root.", KO: "인증이 없으면 콘솔에 접근할 수 있는 누구나 시스템을 재시작해 root가 될 수 있다."},
		Remedy: Text{
			EN: "set a password for root with passwd root, and take away what asks for none: SYSTEMD_SULOGIN_FORCE, an automatic login on a console, a rescue or emergency unit without sulogin",
			KO: "passwd root 명령으로 root 비밀번호를 설정하고, 비밀번호 없이 들어갈 수 있게 하는 설정(SYSTEMD_SULOGIN_FORCE, 콘솔 자동 로그인, sulogin을 쓰지 않는 rescue 또는 emergency 유닛)을 제거하십시오",
		},
	},
	{
		ID: "logging-configured", Face: Node, Kind: Measured,
		Title:  Text{EN: "System logs are written and kept", KO: "시스템 로그를 기록하고 보존한다"},
		Why:    Text{EN: "What happened on a node can only be told later from logs that were kept.", KO: "노드에서 일어난 일은 보존된 로그가 있어야 나중에 확인할 수 있다."},
		Remedy: Text{EN: "enable rsyslog with rules for auth, emergencies and the rest, or set Storage=persistent in journald.conf", KO: "auth, 긴급 메시지와 나머지 로그에 대한 규칙을 두어 rsyslog를 활성화하거나 journald.conf에 Storage=persistent를 설정하십시오"},
	},
	{
		ID: "perm-crontab", Face: Node, Kind: Measured,
		Title:  Text{EN: "/etc/crontab belongs to root and has mode 600 or stricter", KO: "/etc/crontab 파일의 소유자가 root이고 권한이 600이거나 그보다 엄격하다"},
		Why:    Text{EN: "Its jobs run as root, so who can write it is root, and who can read it learns what runs when.", KO: "작업이 root로 실행되므로 쓰기 권한은 곧 root 권한이며, 읽기만 해도 실행 일정이 드러난다."},
		Remedy: Text{EN: "run chown root:root /etc/crontab and chmod 600 /etc/crontab", KO: "chown root:root /etc/crontab 명령과 chmod 600 /etc/crontab 명령을 실행하십시오"},
	},
	{
		ID: "pw-creation", Face: Node, Kind: Measured,
		Title:  Text{EN: "New passwords must be long and mixed", KO: "새 비밀번호에 길이와 복잡도를 요구한다"},
		Why:    Text{EN: "Short or simple passwords fall to guessing.", KO: "짧거나 단순한 비밀번호는 추측 공격에 뚫린다."},
		Remedy: Text{EN: "install pam_pwquality.so (libpam-pwquality on Debian and Ubuntu), set minlen=14 and dcredit, ucredit, ocredit and lcredit to -1 in /etc/security/pwquality.conf and call it as requisite before pam_unix.so in the password stack", KO: "pam_pwquality.so(Debian과 Ubuntu에서는 libpam-pwquality)를 설치하고, /etc/security/pwquality.conf에서 minlen을 14로, dcredit, ucredit, ocredit, lcredit을 -1로 설정한 뒤 password 스택에서 pam_unix.so보다 먼저 이 모듈을 requisite로 호출하십시오"},
	},
	{
		ID: "pw-max-age", Face: Node, Kind: Measured,
		Title:  Text{EN: "Passwords expire after 90 days at most (newer editions: 365)", KO: "비밀번호를 최대 90일(최신 판은 365일)마다 만료시킨다"},
		Why:    Text{EN: "A password that leaked unnoticed stays useful only until it is changed.", KO: "모르는 사이 유출된 비밀번호는 변경되기 전까지만 쓸모가 있다."},
		Remedy: Text{EN: "set PASS_MAX_DAYS to 90 in /etc/login.defs and run chage --maxdays 90 for every user with a password", KO: "/etc/login.defs에서 PASS_MAX_DAYS를 90으로 설정하고 비밀번호가 있는 모든 사용자에게 chage --maxdays 90을 실행하십시오"},
	},
	{
		ID: "pw-inactive", Face: Node, Kind: Measured,
		Title:  Text{EN: "Accounts lock 30 days after password expiry (newer editions: 45)", KO: "비밀번호 만료 후 30일(최신 판은 45일) 안에 계정을 잠근다"},
		Why:    Text{EN: "An account that nobody uses is one whose misuse nobody notices.", KO: "아무도 쓰지 않는 계정은 악용되어도 알아차리기 어렵다."},
		Remedy: Text{EN: "run useradd -D -f 30, and chage --inactive 30 for every user with a password", KO: "useradd -D -f 30을 실행하고 비밀번호가 있는 모든 사용자에게 chage --inactive 30을 실행하십시오"},
	},
	{
		ID: "umask-default", Face: Node, Kind: Measured,
		Title:  Text{EN: "The default umask is 027 or stricter", KO: "기본 umask가 027이거나 그보다 엄격하다"},
		Why:    Text{EN: "Files made with a wider mask can be read by every account on the node.", KO: "umask가 느슨하면 새 파일을 노드의 모든 계정이 읽을 수 있다."},
		Remedy: Text{EN: "set umask 027 in /etc/bash.bashrc, /etc/profile and /etc/profile.d, and UMASK 027 in /etc/login.defs", KO: "/etc/bash.bashrc, /etc/profile, /etc/profile.d에 umask 027을, /etc/login.defs에 UMASK 027을 설정하십시오"},
	},
	{
		ID: "su-restricted", Face: Node, Kind: Measured,
		Title: Text{EN: "Only members of a group may use su", KO: "지정한 그룹의 구성원만 su를 사용할 수 있다"},
		Why:   Text{EN: "Where anyone may try su, root's password can be guessed from any account.", KO: "누구나 su를 시도할 수 있으면 어떤 계정에서든 root 비밀번호를 추측할 수 있다."},
		Remedy: Text{
			EN: "put auth required pam_wheel.so use_uid before any sufficient line but pam_rootok.so in /etc/pam.d/su, and in /etc/pam.d/su-l where that does not include su (for CIS Ubuntu 22.04 with group= and a group without members)",
			KO: "/etc/pam.d/su에서(/etc/pam.d/su-l이 su를 include하지 않으면 그 파일에서도) pam_rootok.so를 제외한 sufficient 줄보다 앞에 auth required pam_wheel.so use_uid를 넣으십시오(CIS Ubuntu 22.04 기준에서는 group=에 구성원이 없는 그룹도 지정해야 합니다)",
		},
	},
}
