package accounts

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
)

// hash is what must be nowhere but in a file.
const hash = "neverprintthishash"

func TestPassword(t *testing.T) {
	tests := map[string]Password{
		"":                            Empty,
		"*":                           Locked,
		"!":                           Locked,
		"!!":                          Locked,
		"!*":                          Locked,
		"*LK*":                        Locked,
		"x":                           Locked,
		"$":                           Locked,
		"$6$":                         Locked,
		"$6$salt":                     Locked,
		"$6$salt$":                    Locked,
		"$6$salt$" + hash:             Set,
		"$y$j9T$salt$" + hash:         Set,
		"$2b$05$abcdefghijklmnopqrst": Set,
		"!$6$salt$" + hash:            LockedSet,
		"!!$6$salt$" + hash:           LockedSet,
		"*$6$salt$" + hash:            LockedSet,
		"abJnggxhB/yWI":               Set,
		"!abJnggxhB/yWI":              LockedSet,
		"abJnggxhB/yW":                Locked,
		"_J9..rasmBYk8r9AiWNc":        Set,
		"abJnggxhB/yWIabJnggxhB/y":    Set,
		"no hash at al":               Locked,
	}
	for field, want := range tests {
		if got := password(field); got != want {
			t.Errorf("password(%q) is %v, want %v", field, got, want)
		}
	}
}

func TestReadShadow(t *testing.T) {
	tests := map[string]struct {
		shadow string
		want   Shadow
		err    string
	}{
		"fields": {
			shadow: "root:$6$s$" + hash + ":19000:0:90:7:30::\n\n# comment\n+::::::::\ndaemon:*:19000:0:99999:7:::\n",
			want: Shadow{
				{Name: "root", Password: Set, LastChange: new(19000), MaxDays: new(90), InactiveDays: new(30), Where: "/etc/shadow:1"},
				{Name: "daemon", Password: Locked, LastChange: new(19000), MaxDays: new(99999), Where: "/etc/shadow:5"},
			},
		},
		"minus one":  {shadow: "a:!:1:0:-1:7:-1::", want: Shadow{{Name: "a", Password: Locked, LastChange: new(1), MaxDays: new(-1), InactiveDays: new(-1), Where: "/etc/shadow:1"}}},
		"short":      {shadow: "a:$6$s$" + hash + ":1", err: "/etc/shadow:1: malformed: 3 fields, want 9"},
		"shifted":    {shadow: "a:x:1:0:$6$s$" + hash + ":7:::", err: "/etc/shadow:1: malformed: field 5 is no number of days"},
		"huge":       {shadow: "a:x:1:0:99999999999999999999:7:::", err: "/etc/shadow:1: malformed: field 5 is no number of days"},
		"no name":    {shadow: ":x:1:0:9:7:::", err: "/etc/shadow:1: malformed: 9 fields, want 9"},
		"only a key": {shadow: hash, err: "/etc/shadow:1: malformed: 1 fields, want 9"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ReadShadow(hosttest.Host(t, "-- etc/shadow --\n"+tt.shadow))
			if fmt.Sprint(err) != tt.err && (err != nil || tt.err != "") {
				t.Errorf("error %v, want %q", err, tt.err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("shadow (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAbsent(t *testing.T) {
	h := hosttest.Host(t, "")
	_, users := ReadUsers(h)
	_, groups := ReadGroups(h)
	_, shadow := ReadShadow(h)
	for _, err := range []error{users, groups, shadow} {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("error %v, want that the file does not exist", err)
		}
	}
	if d, err := ReadDefs(h); err != nil || d.Path != "" {
		t.Errorf("defs %+v, error %v", d, err)
	}
	if u, err := ReadUseradd(h); err != nil || u.Path != "" || u.Days() != -1 {
		t.Errorf("useradd %+v, error %v", u, err)
	}
	if ages, err := PasswordAges(h); err != nil || len(ages) != 0 {
		t.Errorf("ages %+v, error %v", ages, err)
	}
}

func TestReadUsersAndGroups(t *testing.T) {
	h := hosttest.Host(t, "-- etc/passwd --\nroot:x:0:0:root:/root:/bin/bash\nold:abJnggxhB/yWI:5:6::/:\nnone::7:7::/:\n-- etc/group --\nroot:x:0:\nwheel:x:10:al, bob,,\n")
	users, err := ReadUsers(h)
	if err != nil {
		t.Fatal(err)
	}
	want := Users{
		{Name: "root", Password: Shadowed, Where: "/etc/passwd:1"},
		{Name: "old", Password: Set, UID: 5, GID: 6, Where: "/etc/passwd:2"},
		{Name: "none", Password: Empty, UID: 7, GID: 7, Where: "/etc/passwd:3"},
	}
	if diff := cmp.Diff(want, users); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	groups, err := ReadGroups(h)
	if err != nil {
		t.Fatal(err)
	}
	if wheel, ok := groups.Get("wheel"); !ok || !cmp.Equal(wheel, Group{Name: "wheel", GID: 10, Members: []string{"al", "bob"}, Where: "/etc/group:2"}) {
		t.Errorf("group wheel is %+v, found %v", wheel, ok)
	}
	if root, ok := groups.ByID(0); !ok || root.Name != "root" {
		t.Errorf("group 0 is %+v, found %v", root, ok)
	}
}

func TestPasswordAges(t *testing.T) {
	h := hosttest.Host(t, "-- etc/passwd --\nroot:x:0:0::/:\nold:abJnggxhB/yWI:5:6::/:\nboth:*:7:7::/:\nopen::8:8::/:\n"+
		"-- etc/shadow --\nroot:$6$s$"+hash+":1:0:90:7:::\nroot:$6$s$"+hash+":1:0:1:7:::\nold:$6$s$"+hash+":1:0:90:7:::\nboth:$6$s$"+hash+":1:0:90:7:::\nlocked:!$6$s$"+hash+":1:::::::\nghost:$6$s$"+hash+":1:0:::::\n")
	got, err := PasswordAges(h)
	if err == nil {
		t.Fatalf("a line of ten fields is read: %+v", got)
	}
	h = hosttest.Host(t, "-- etc/passwd --\nroot:x:0:0::/:\nold:abJnggxhB/yWI:5:6::/:\nboth:*:7:7::/:\nopen::8:8::/:\nsigns:##signs:9:9::/:\n"+
		"-- etc/shadow --\nroot:$6$s$"+hash+":1:0:90:7:::\nroot:$6$s$"+hash+":1:0:1:7:::\nold:$6$s$"+hash+":1:0:90:7:::\nboth:$6$s$"+hash+":1:0:90:7:::\nlocked:!$6$s$"+hash+":1::::::\nsigns:$6$s$"+hash+":::::::\nghost:$6$s$"+hash+":1::::::\n")
	if got, err = PasswordAges(h); err != nil {
		t.Fatal(err)
	}
	want := Shadow{
		{Name: "old", Password: Set, Where: "/etc/passwd:2"},
		{Name: "open", Password: Empty, Where: "/etc/passwd:4"},
		{Name: "root", Password: Set, LastChange: new(1), MaxDays: new(90), Where: "/etc/shadow:1"},
		{Name: "signs", Password: Set, Where: "/etc/shadow:6"},
		{Name: "ghost", Password: Set, LastChange: new(1), Where: "/etc/shadow:7"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ages (-want +got):\n%s", diff)
	}
}

// TestNoHash: whatever is wrong with the files, nothing that the package returns has
// a part of a password field.
func TestNoHash(t *testing.T) {
	for _, line := range []string{
		"root:$6$salt$" + hash + ":1:0:90:7:::",
		"root:!$6$salt$" + hash + ":1:0:90:7:::",
		"root:" + hash + ":1:0:90:7:::",
		"root:$6$salt$" + hash,
		"$6$salt$" + hash,
		"root::$6$salt$" + hash + ":1:0:90:7::",
		"root:x:1:0:$6$salt$" + hash + ":7:::",
		"root:x:1:0:9:7:$6$salt$" + hash + "::",
		"root:$6$salt$" + hash + ":0:0:root:/root:/bin/sh",
		"root:x:$6$salt$" + hash + ":0:root:/root:/bin/sh",
		"root:$6$salt$" + hash + "\xff:1:0:90:7:::",
	} {
		files, err := hosttest.Text("")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"/etc/passwd", "/etc/shadow", "/etc/group"} {
			files.Write(name, line+"\n")
		}
		h := host.New(files)
		users, err1 := ReadUsers(h)
		shadow, err2 := ReadShadow(h)
		ages, err3 := PasswordAges(h)
		groups, err4 := ReadGroups(h)
		said := fmt.Sprintf("%+v %+v %+v %+v %v %v %v %v", users, shadow, ages, groups, err1, err2, err3, err4)
		for _, g := range groups {
			// The list of a group's members is names, whatever they look like.
			said = strings.ReplaceAll(said, fmt.Sprint(g.Members), "")
		}
		if strings.Contains(said, hash) || strings.Contains(said, "$6$") {
			// A name is what stands in the first field: only there may it be repeated.
			if !strings.HasPrefix(line, "$6$") || err2 == nil {
				t.Errorf("%q comes out as %s", line, said)
			}
		}
	}
}

func TestReadDefs(t *testing.T) {
	h := hosttest.Host(t, "-- etc/login.defs --\n# UMASK 000\nUMASK\t\t022\n  UMASK 027 \nPASS_MAX_DAYS \"90\"\nEMPTY\nSPACED  a b # c\n")
	d, err := ReadDefs(h)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]Value{
		"UMASK":         {Text: "027", Where: "/etc/login.defs:3"},
		"PASS_MAX_DAYS": {Text: "90", Where: "/etc/login.defs:4"},
		"EMPTY":         {},
		"SPACED":        {Text: "a b # c", Where: "/etc/login.defs:6"},
	} {
		if got, _ := d.Get(name); got != want {
			t.Errorf("%s is %+v, want %+v", name, got, want)
		}
	}
	if got := d.All("UMASK"); len(got) != 2 || got[0].Text != "022" {
		t.Errorf("UMASK lines are %+v", got)
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{"root:$6$s$h:1:0:90:7:::\n", "root:x:0:0::/:\n", "PASS_MAX_DAYS 90\n", "INACTIVE=30\n", ":::::::::", "\x00", "a:b:c:d:e:f:g:h:i"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content string) {
		files, err := hosttest.Text("")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"/etc/passwd", "/etc/shadow", "/etc/group", "/etc/login.defs", "/etc/default/useradd"} {
			files.Write(name, content)
		}
		h := host.New(files)
		ages, err := PasswordAges(h)
		if err != nil && len(ages) > 0 {
			t.Error("a result beside an error")
		}
		if _, err := ReadGroups(h); err != nil && !strings.HasPrefix(err.Error(), "/etc/group") {
			t.Errorf("an error without its place: %v", err)
		}
		if u, err := ReadUseradd(h); err == nil && u.Days() < -1 {
			t.Error("fewer days than never")
		}
		if d, err := ReadDefs(h); err == nil {
			v, _ := d.Get("PASS_MAX_DAYS")
			v.Int()
		}
	})
}
