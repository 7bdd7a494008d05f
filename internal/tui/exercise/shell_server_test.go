package exercise

import (
	"context"
	"errors"
	"image/color"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/services"
	"github.com/cairn-learn/cairn/internal/tui/terminal"
)

// kept is a Redis server as a failed grade leaves it, and whether it runs in a
// container.
func kept(t *testing.T) (world report.World, contained bool) {
	t.Helper()
	cfg := services.Config{StateDir: t.TempDir()}
	host, err := services.CheckHost(t.Context(), cfg)
	var un *services.Unavailable
	if errors.As(err, &un) && errors.Is(un, fs.ErrNotExist) {
		t.Skip("needs services: ", un)
	}
	p, err := services.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, err := services.Stop(context.Background(), cfg, true)
		if err := errors.Join(p.Close(), err); err != nil {
			t.Error(err)
		}
	})
	r, err := p.Redis(t.Context(), services.RedisFixture{Name: "shell"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Release(true)
	return report.World{Service: "redis", Name: r.Name, URL: r.ProgramURL("")}, host.Kind == "containers"
}

// TestShellLooksIntoRedis types commands into the client, as a learner does and
// with a learner's rights: the
// one of this machine, and the one in the container.
func TestShellLooksIntoRedis(t *testing.T) {
	world, contained := kept(t)
	u, err := url.Parse(world.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("redis-cli"); err == nil {
		t.Run("of this machine", func(t *testing.T) { lookInto(t, world, "127.0.0.1:"+u.Port()+">") })
	}
	if contained {
		t.Run("in the container", func(t *testing.T) {
			t.Setenv("PATH", dockerAlone(t))
			lookInto(t, world, "127.0.0.1:6379>")
		})
	}
}

func lookInto(t *testing.T, world report.World, prompt string) {
	t.Helper()
	cmd, err := clientFor(t.Context(), world)
	if err != nil {
		t.Fatal(err)
	}
	term, err := terminal.Start(cmd, 80, 24, color.Black)
	if err != nil {
		t.Fatal(err)
	}
	defer term.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, step := range []struct{ keys, shows string }{
		{"", prompt}, {"set seen:here by-me\r", "OK"}, {"keys *\r", `1) "seen:here"`}, {"acl whoami\r", "NOPERM"},
	} {
		if err := term.Type(step.keys); err != nil {
			t.Fatal(err)
		}
		if err := term.WaitText(ctx, step.shows); err != nil {
			t.Fatal(err)
		}
		// Between two prompts the terminal is a cooked one and turns enter into a
		// line feed, which the client does not take for enter.
		atPrompt := func(v terminal.View) bool { return strings.HasSuffix(strings.TrimSpace(v.Text), prompt) }
		if err := term.Wait(ctx, atPrompt); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(term.View().Text, "Warning") {
		t.Errorf("the client complains:\n%s", term.View().Text)
	}
	if err := term.Type("quit\r"); err != nil {
		t.Fatal(err)
	}
	if err := term.WaitExit(ctx); err != nil {
		t.Error(err)
	}
}

// dockerAlone is a PATH that has the docker command and nothing else.
func dockerAlone(t *testing.T) string {
	t.Helper()
	docker, err := exec.LookPath("docker")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(docker, filepath.Join(dir, "docker")); err != nil {
		t.Fatal(err)
	}
	return dir
}
