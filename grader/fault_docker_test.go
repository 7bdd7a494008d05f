package grader

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := tryDocker(args...)
	if err != nil {
		t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func tryDocker(args ...string) (string, error) {
	cmd := exec.Command("docker", args...)
	cmd.Env = append(os.Environ(), "DOCKER_HOST="+realEngine())
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}
