package check

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGettyOptions(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		want getty
	}{
		"packaged":            {[]string{"-o", `-p -- \u`, "--noclear", "-", "linux"}, getty{}},
		"long packaged":       {[]string{"--login-options", "-i -a root", "--keep-baud", "115200,38400"}, getty{}},
		"silent":              {[]string{"--noissue", "tty1"}, getty{silent: true}},
		"silent, short":       {[]string{"-Ji", "tty1"}, getty{silent: true}},
		"abbreviated":         {[]string{"--noi", "tty1"}, getty{silent: true}},
		"clear is not silent": {[]string{"--noc", "--no", "tty1"}, getty{}},
		"files":               {[]string{"--issue-file=/a:/b"}, getty{issue: []string{"/a", "/b"}}},
		"files apart":         {[]string{"--issue-file", "/a", "-i"}, getty{issue: []string{"/a"}, silent: true}},
		"files, short":        {[]string{"-8f/a"}, getty{issue: []string{"/a"}}},
		"autologin":           {[]string{"--autologin", "root", "--noclear"}, getty{autologin: true}},
		"autologin, short":    {[]string{"-8a", "-i"}, getty{autologin: true}},
		"no value":            {[]string{"-f"}, getty{issue: []string{""}}},
		"behind the options":  {[]string{"--", "-i"}, getty{}},
	} {
		t.Run(name, func(t *testing.T) {
			var got getty
			got.options(tt.args)
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(getty{})); diff != "" {
				t.Errorf("options (-want +got):\n%s", diff)
			}
		})
	}
}
