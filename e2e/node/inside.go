package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hardgate-dev/hardgate/e2e/enclosure"
	"github.com/hardgate-dev/hardgate/e2e/pki"
	"github.com/hardgate-dev/hardgate/e2e/process"
)

// inside is the first process of the enclosure: when it ends, all ends.
func inside(ctx context.Context, cfg config) error {
	if err := errors.Join(enclosure.SetUp(), harden()); err != nil {
		return err
	}
	runtime, err := StartRuntime(ctx, cfg.Pause)
	if err != nil {
		return err
	}
	// A pod that is bound before its image is there would wait for another try.
	if err := runtime.ImportCommand(ctx, cfg.Agent, AgentImage); err != nil {
		return err
	}
	kubelet, err := startKubelet(ctx, cfg)
	if err != nil {
		return err
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		for _, p := range []*process.Running{runtime.running, kubelet} {
			if running, err := p.Running(); err != nil || !running {
				return errors.Join(fmt.Errorf("%s has ended; the end of its log:\n%s", p.Name, p.LogTail()), err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// startKubelet starts one as packages and kubeadm have it: the agent looks for its
// unit, too.
func startKubelet(ctx context.Context, cfg config) (*process.Running, error) {
	const program = "/usr/bin/kubelet"
	args := append(Flags(), "--config="+ConfigFile)
	unit := "[Unit]\nDescription=kubelet\n\n[Service]\nIPAddressDeny=any\nIPAddressAllow=localhost\nExecStart=" + program + " " + strings.Join(args, " ") + "\n"
	authority, err := os.ReadFile(filepath.Join(cfg.Dir, "pki", "ca.crt"))
	if err != nil {
		return nil, fmt.Errorf("preparing the kubelet: %w", err)
	}
	err = errors.Join(
		LayOut(cfg.Kubeconfig), pki.Write(PKIDir, map[string][]byte{filepath.Base(ClientCAFile): authority}),
		os.WriteFile(ConfigFile, []byte(ConfigHead+Hardened), 0o600),
		os.WriteFile("/etc/systemd/system/kubelet.service", []byte(unit), 0o600),
		os.RemoveAll(program), os.Symlink(cfg.Kubelet, program),
	)
	if err != nil {
		return nil, fmt.Errorf("preparing the kubelet: %w", err)
	}
	return process.Program{Name: "kubelet", Path: program, Args: args, Dir: enclosure.Dir()}.Start(ctx)
}
