package assets

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// skew is how many minor versions a kubectl may be older or newer than the API server
// (https://kubernetes.io/releases/version-skew-policy/#kubectl).
const skew = 1

// patience is for programs that say their version: some kubectls are scripts that look
// for another one first.
const patience = 20 * time.Second

// kubectlFor is the kubectl of the PATH, or "" where our own has to do. It says which one
// it is, and why. The server is one that was given; without one it is built, and of the
// same version as our own kubectl.
func kubectlFor(ctx context.Context, cfg Config, server, own string) string {
	path, version, err := kubectlForServer(ctx, server, own)
	if err != nil {
		cfg.Log("using our own kubectl %s: %v", own, err)
		return ""
	}
	cfg.Log("using kubectl %s, which is on the PATH: %s", version, path)
	return path
}

func kubectlForServer(ctx context.Context, server, own string) (path, version string, err error) {
	if server == "" {
		return kubectl(ctx, own)
	}
	given, err := serverVersion(ctx, server)
	if err != nil {
		return "", "", err
	}
	return kubectl(ctx, given)
}

// kubectl is the one of the PATH, if it is fit for an API server of a version, "v1.36.3".
// The error is why it is not.
func kubectl(ctx context.Context, server string) (path, version string, err error) {
	found, err := exec.LookPath(string(Kubectl))
	if err != nil {
		return "", "", fmt.Errorf("looking for kubectl: %w", err)
	}
	if path, err = filepath.Abs(found); err != nil {
		return "", "", fmt.Errorf("looking for kubectl: %w", err)
	}
	out, err := say(ctx, path, "version", "--client", "-o", "json")
	if err != nil {
		return "", "", err
	}
	var answer struct {
		ClientVersion struct{ Major, Minor, GitVersion string }
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		return "", "", fmt.Errorf("%s version: %w", path, err)
	}
	// Builds that somebody has changed are of a minor version such as "32+".
	client := answer.ClientVersion
	major, minor, err := numbers(client.Major, strings.TrimSuffix(client.Minor, "+"))
	if err != nil {
		return "", "", fmt.Errorf("%s version: %w", path, err)
	}
	serverMajor, serverMinor, err := split(server)
	if err != nil {
		return "", "", fmt.Errorf("the API server's version: %w", err)
	}
	if d := minor - serverMinor; major != serverMajor || d < -skew || d > skew {
		return "", "", fmt.Errorf("%s is %s, and the API server is %s: they may differ by %d minor version", path, client.GitVersion, server, skew)
	}
	return path, client.GitVersion, nil
}

// serverVersion is what an API server that was given calls itself, "v1.36.3".
func serverVersion(ctx context.Context, path string) (string, error) {
	out, err := say(ctx, path, "--version")
	if err != nil {
		return "", err
	}
	version, ok := strings.CutPrefix(strings.TrimSpace(string(out)), "Kubernetes ")
	if !ok {
		return "", fmt.Errorf("%s --version says %.60q", path, out)
	}
	return version, nil
}

// say returns what a program prints.
func say(ctx context.Context, path string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	// Whoever holds on to its output is not waited for.
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", path, args[0], err)
	}
	return out, nil
}

// split is 1 and 36 of "v1.36.3".
func split(version string) (major, minor int, err error) {
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	if len(parts) < 2 {
		return 0, 0, fmt.Errorf("%.60q is none", version)
	}
	return numbers(parts[0], parts[1])
}

func numbers(major, minor string) (a, b int, err error) {
	if a, err = strconv.Atoi(major); err != nil {
		return 0, 0, err
	}
	b, err = strconv.Atoi(minor)
	return a, b, err
}
