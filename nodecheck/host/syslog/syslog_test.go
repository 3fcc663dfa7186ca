package syslog_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
	"github.com/hardgate-dev/hardgate/nodecheck/host/syslog"
)

// show writes rules and notes as lines: "3 file /var/log/a auth.debug, authpriv.debug".
func show(r *syslog.Rsyslog) string {
	var b strings.Builder
	for _, rule := range r.Rules {
		what := rule.Messages.String()
		if rule.Messages == syslog.All() {
			what = "all"
		}
		fmt.Fprintf(&b, "%s %s %s %s\n", strings.TrimPrefix(rule.Where, "/etc/rsyslog.conf:"), rule.Target, rule.Text, what)
	}
	for _, n := range r.Unclear {
		word := "note"
		if n.Drops {
			word = "doubt"
		}
		fmt.Fprintf(&b, "%s %s %s\n", strings.TrimPrefix(n.Where, "/etc/rsyslog.conf:"), word, n.Detail)
	}
	return b.String()
}

func TestRules(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"selectors": {
			"auth,authpriv.*\t/var/log/auth.log\n*.*;auth,authpriv.none -/var/log/syslog\nkern.warn /k\nkern.=warn /k\nkern.*;kern.!=info;kern.!err /k\nlocal7.debug /l\nSecurity.Panic /s\n16.3 /n\n",
			"1 file /var/log/auth.log auth.debug, authpriv.debug\n" +
				"2 file /var/log/syslog kern.debug, user.debug, mail.debug, daemon.debug and others\n" +
				"3 file /k kern.warning\n4 file /k kern.warning\n5 file /k kern.debug\n6 file /l local7.debug\n7 file /s auth.emerg\n8 file /n local0.err\n",
		},
		"actions": {
			"*.* /f;template\n*.* -/f\n*.* ?dynamic\n*.* @server:514\n*.* @@server\n*.emerg :omusrmsg:*\n*.emerg *\nkern.* root,admin\n*.* |/run/pipe\n*.* ^program\n*.* /dev/console\n*.* /run/log\n*.* >db,name,user,secret\n",
			"1 file /f all\n2 file /f all\n3 file files named by the template dynamic all\n4 server the server server:514 all\n5 server the server server all\n" +
				"6 users users kern.emerg, user.emerg, mail.emerg, daemon.emerg and others\n7 users users kern.emerg, user.emerg, mail.emerg, daemon.emerg and others\n8 users users kern.debug\n" +
				"11 nobody /dev/console all\n12 nobody /run/log all\n9 note an action that is not understood\n10 note an action that is not understood\n13 note an action that is not understood\n",
		},
		"RainerScript": {
			"*.* action(type=\"omfile\" file=\"/f\")\naction(type=\"omfile\"\n  file=\"/g\" # why\n)\n*.* { action(type=\"omfwd\" target=\"host\" port=\"514\") stop }\n*.* /after\n",
			"1 file /f all\n2 file /g all\n5 server the server host all\n6 file /after \n",
		},
		"other actions": {
			"action(type=\"omelasticsearch\" server=\"x\")\naction(type=\"omfile\" dynaFile=\"d\")\naction(type=\"omusrmsg\" users=\"*\")\naction(type=\"omnull\")\n",
			"2 file files named by the template d all\n3 users users all\n4 nobody omnull all\n1 note an action of type omelasticsearch\n",
		},
		"stop": {
			"auth.* stop\nmail.* ~\n*.* /f\nauth.* /a\n",
			"3 file /f kern.debug, user.debug, daemon.debug, syslog.debug and others\n4 file /a \n",
		},
		"stop at once": {"stop\n*.* /f\n", "2 file /f \n"},
		"and": {
			"auth.* /a\n& @server\n& stop\n*.* /f\n",
			"1 file /a auth.debug\n2 server the server server auth.debug\n4 file /f kern.debug, user.debug, mail.debug, daemon.debug and others\n",
		},
		"property filters": {
			":msg, contains, \"cloud-init\" /c\n& stop\n:programname, isequal, \"noisy\" ~\n*.* /f\n",
			"4 file /f all\n",
		},
		"property filters that drop much": {
			":msg, contains, \"a\" stop\n:msg, !contains, \"noise\" ~\n:msg, regex, \"....\" stop\n*.* /f\n",
			"4 file /f all\n1 doubt it discards messages on a condition\n2 doubt it discards messages on a condition\n3 doubt it discards messages on a condition\n",
		},
		"conditions": {
			"if $syslogfacility-text == 'auth' and ($msg contains \"then\") then /a\nif $x == 1 then {\n  /b\n  stop\n} else if $y then stop else {\n*.* /d\n}\n*.* /f\n",
			"8 file /f all\n1 note a condition is not evaluated\n2 note a condition is not evaluated\n" +
				"4 doubt it discards messages on a condition\n5 note a condition is not evaluated\n5 doubt it discards messages on a condition\n",
		},
		"rule sets": {
			"ruleset(name=\"remote\") {\n  *.* /remote\n  stop\n}\ntemplate(name=\"t\" type=\"list\") {\n  constant(value=\"}\")\n  property(name=\"msg\")\n}\n$RuleSet other\n*.* /other\n$RuleSet RSYSLOG_DefaultRuleset\n*.* /f\n",
			"12 file /f all\n",
		},
		"called": {"call other\n*.* /f\n", "2 file /f all\n1 doubt it calls a rule set\n"},
		"blocks for programs": {
			"!sshd\n*.* /sshd\n!*\n+host\n*.* /host\n+*\n*.* /f\n",
			"7 file /f all\n1 doubt rules for one program or host are not evaluated\n4 doubt rules for one program or host are not evaluated\n",
		},
		"continued": {
			"*.=info;*.=notice;\\\n\tauth.none;\\\n\tmail.none\t-/m\n# *.* /no\\\n*.* /f\n/* *.* /no\n*/ kern.* /k\n",
			"1 file /m kern.info, user.info, daemon.info, syslog.info and others\n5 file /f all\n7 file /k kern.debug\n",
		},
		"not understood": {
			"nonsense /f\nauth.loud /f\nauth,nobody.* /f\nmail.*\n\n*.* /f\n",
			"1 note a line that is not understood\n2 note a line that is not understood\n3 note a line that is not understood\n4 note an action that is not understood\n",
		},
		"carriage returns": {"*.* /f\r\n& stop\r\n", "1 file /f all\n"},
		"other statements": {
			"global(workDirectory=\"/var/spool/rsyslog\")\nset $.a = \"b; c\";\nforeach ($.i in $!x) do {\n*.* /no\n}\nmain_queue(queue.size=\"1\")\nlookup_table(name=\"x\" file=\"y\")\n*.* /f\n",
			"8 file /f all\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			tree, err := hosttest.Text("")
			if err != nil {
				t.Fatal(err)
			}
			tree.Write("/etc/rsyslog.conf", test.text)
			r, err := syslog.ReadRsyslog(host.New(tree))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, show(r)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestIncludes(t *testing.T) {
	h := hosttest.Host(t, `-- etc/rsyslog.conf --
$ModLoad imuxsock.so
module(load="imjournal" StateFile="x")
$IncludeConfig /etc/rsyslog.d/*.conf
include(file="/etc/more/" mode="optional")
include(file="/etc/none.conf" mode="optional")
include(file="/etc/missing.conf")
include(text="*.* /x")
$IncludeConfig relative.conf
-- etc/rsyslog.d/20.conf --
*.* /twenty
-- etc/rsyslog.d/10.conf --
auth.* /ten
& stop
-- etc/rsyslog.d/30.conf.bak --
*.* /bak
-- etc/more/anything --
kern.* /more
`)
	r, err := syslog.ReadRsyslog(h)
	if err != nil {
		t.Fatal(err)
	}
	want := `/etc/rsyslog.d/10.conf:1 file /ten auth.debug
/etc/rsyslog.d/20.conf:1 file /twenty kern.debug, user.debug, mail.debug, daemon.debug and others
/etc/more/anything:1 file /more kern.debug
6 note it includes /etc/missing.conf, which does not exist
7 doubt it includes a text
8 doubt it includes a relative path
`
	if diff := cmp.Diff(want, show(r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"imuxsock": "/etc/rsyslog.conf:1", "imjournal": "/etc/rsyslog.conf:2"}, r.Inputs); diff != "" {
		t.Errorf("inputs (-want +got):\n%s", diff)
	}
	files := []string{"/etc/rsyslog.conf", "/etc/rsyslog.d/10.conf", "/etc/rsyslog.d/20.conf", "/etc/more/anything"}
	if diff := cmp.Diff(files, r.Files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if rule, ok := r.Keeps(syslog.Of("info", "auth")); !ok || rule.Text != "/ten" {
		t.Errorf("auth is kept by %+v", rule)
	}
	if lost := syslog.All().Without(r.Kept()); lost != (syslog.Messages{}) {
		t.Errorf("lost: %s", lost)
	}
}

func TestRsyslogErrors(t *testing.T) {
	for name, test := range map[string]struct {
		archive string
		want    error
	}{
		"absent":     {"", fs.ErrNotExist},
		"unreadable": {"-- etc/rsyslog.conf unreadable --\n", fs.ErrPermission},
		"included":   {"-- etc/rsyslog.conf --\n$IncludeConfig /etc/a.conf\n-- etc/a.conf unreadable --\n", fs.ErrPermission},
		"directory":  {"-- etc/rsyslog.conf --\n$IncludeConfig /etc/d/*.conf\n-- etc/d/ unreadable --\n", fs.ErrPermission},
		"loop":       {"-- etc/rsyslog.conf --\n$IncludeConfig /etc/rsyslog.conf\n", host.ErrLoop},
		"no text":    {"-- etc/rsyslog.conf nul --\n*.* /f\n", host.ErrMalformed},
		"blocks":     {"-- etc/rsyslog.conf --\n" + strings.Repeat("{", 1000) + "\n", host.ErrTooLarge},
		"conditions": {"-- etc/rsyslog.conf --\n" + strings.Repeat("if then ", 100000) + "\n", host.ErrTooLarge},
		"actions":    {"-- etc/rsyslog.conf --\n" + strings.Repeat("*.* /f\n", 5000), host.ErrTooLarge},
	} {
		if _, err := syslog.ReadRsyslog(hosttest.Host(t, test.archive)); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

func TestJournald(t *testing.T) {
	for name, test := range map[string]struct {
		archive    string
		want       syslog.Journald
		persistent bool
		err        error
	}{
		"default": {want: syslog.Journald{Storage: "auto"}},
		"default with the directory": {
			archive:    "-- var/log/journal/ --\n",
			want:       syslog.Journald{Storage: "auto", Directory: true},
			persistent: true,
		},
		"a file for the directory": {archive: "-- var/log/journal --\n", want: syslog.Journald{Storage: "auto"}},
		"drop-ins beat the main file": {
			archive: "-- etc/systemd/journald.conf --\n[Journal]\nStorage=persistent\n-- usr/lib/systemd/journald.conf.d/10.conf --\n[Journal]\nStorage=volatile\nForwardToSyslog=off\n",
			want: syslog.Journald{
				Storage: "volatile", StorageWhere: "/usr/lib/systemd/journald.conf.d/10.conf:2",
				Forward: "no", ForwardWhere: "/usr/lib/systemd/journald.conf.d/10.conf:3",
			},
		},
		"vendor's main file": {
			archive:    "-- usr/lib/systemd/journald.conf --\n[Journal]\nStorage = persistent \n",
			want:       syslog.Journald{Storage: "persistent", StorageWhere: "/usr/lib/systemd/journald.conf:2"},
			persistent: true,
		},
		"a local main file hides the vendor's": {
			archive: "-- usr/lib/systemd/journald.conf --\n[Journal]\nStorage=persistent\n-- etc/systemd/journald.conf --\n#Storage=persistent\n",
			want:    syslog.Journald{Storage: "auto"},
		},
		"what is passed over": {
			archive: "-- etc/systemd/journald.conf --\nStorage=none\n[Other]\nStorage=none\n[Journal]\nStorage=volatile\nStorage=Persistent\nStorage=\nstorage=none\n",
			want:    syslog.Journald{Storage: "volatile", StorageWhere: "/etc/systemd/journald.conf:5"},
		},
		"unreadable":         {archive: "-- etc/systemd/journald.conf unreadable --\n", err: fs.ErrPermission},
		"unreadable drop-in": {archive: "-- etc/systemd/journald.conf.d/a.conf unreadable --\n", err: fs.ErrPermission},
		"unreadable log":     {archive: "-- var/log/ unreadable --\n", err: fs.ErrPermission},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := syslog.ReadJournald(hosttest.Host(t, test.archive))
			if !errors.Is(err, test.err) {
				t.Fatalf("%v, want %v", err, test.err)
			}
			if err != nil {
				return
			}
			if diff := cmp.Diff(&test.want, got); diff != "" || got.Persistent() != test.persistent {
				t.Errorf("persistent is %v (-want +got):\n%s", got.Persistent(), diff)
			}
		})
	}
}

func FuzzRsyslog(f *testing.F) {
	for _, s := range []string{
		"auth,authpriv.* /a\n& stop\n*.*;auth.none\\\n;mail.none -/s\n", "if $msg == 'x' then { stop } else /b\n",
		"ruleset(name=\"r\"){action(type=\"omfile\" file=\"/f\")}\n", ":msg, contains, \"x\" ~\n", "template(name=\"t\" type=\"list\") {", "/* x */ action(", "$IncludeConfig /etc/rsyslog.conf",
		"module(load=\"imuxsock\" a=[\"b\"])", "foreach ($.i in $!x) do stop", "set $.a = 1;",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tree, err := hosttest.Text("")
		if err != nil {
			t.Fatal(err)
		}
		tree.Write("/etc/rsyslog.conf", text)
		r, err := syslog.ReadRsyslog(host.New(tree))
		if err != nil {
			return
		}
		lines := strings.Count(text, "\n") + 1
		for _, rule := range r.Rules {
			var n int
			if _, err := fmt.Sscanf(rule.Where, "/etc/rsyslog.conf:%d", &n); err != nil || n < 1 || n > lines {
				t.Errorf("a rule at %s of %d lines", rule.Where, lines)
			}
		}
	})
}
