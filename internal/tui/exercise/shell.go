package exercise

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os/exec"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/safe"
	"github.com/cairn-learn/cairn/internal/tui/nav"
)

// client is the program that talks to a kind of service, and the port on which
// that service listens inside its container.
type client struct {
	service string // as people call it
	key     string // chooses it where there are several
	program string
	flags   []string // before the address
	port    string
}

var clients = map[string]client{
	"postgres": {"PostgreSQL", "p", "psql", nil, "5432"},
	"redis":    {"Redis", "r", "redis-cli", []string{"--no-auth-warning", "-u"}, "6379"},
}

// reach is how long the service of a kept world, or Docker, may take to answer.
const reach = 5 * time.Second

// shellMsg brings the command that opens the kept world, or what is missing.
type shellMsg struct {
	to
	cmd *exec.Cmd
	err error
}

// leftShellMsg says that the client was closed.
type leftShellMsg struct {
	to
	err error
}

// shell looks for a client for what the last grade left. Of several services the
// learner chooses one.
func (s *Screen) shell() tea.Cmd {
	switch {
	case s.run != nil:
		return nav.Go(nav.Notice{Text: "A grade is using the " + s.services() + ". Look when it has ended."})
	case s.report == nil || s.report.Verdict == report.Passed:
		return nav.Go(nav.Notice{Text: "There is nothing to look at: only a grade that failed leaves its " + s.services() + "."})
	}
	switch worlds := s.report.Worlds(); len(worlds) {
	case 0:
		return nav.Go(nav.Notice{Text: "This grade left no " + s.services() + " to look at."})
	case 1:
		return s.look(worlds[0])
	default:
		s.choosing = worlds
		return nil
	}
}

// services is what this exercise is examined with, as the keys call it.
func (s *Screen) services() string { return s.keys.Shell.Help().Desc }

// look looks for a client for one service.
func (s *Screen) look(world report.World) tea.Cmd {
	ctx := s.ctx
	return func() tea.Msg {
		cmd, err := clientFor(ctx, world)
		return shellMsg{to: to{s}, cmd: cmd, err: err}
	}
}

// choose takes the key that follows when there are several services; any but
// theirs means none.
func (s *Screen) choose(msg tea.KeyPressMsg) tea.Cmd {
	worlds := s.choosing
	s.choosing = nil
	for _, w := range worlds {
		if msg.String() == clients[w.Service].key {
			return s.look(w)
		}
	}
	return nil
}

// clientFor returns the command that opens a world: the client of this machine,
// else the one in the container that the world lies in.
func clientFor(ctx context.Context, world report.World) (*exec.Cmd, error) {
	c, known := clients[world.Service]
	u, err := url.Parse(world.URL)
	if !known || err != nil || u.Port() == "" {
		return nil, fmt.Errorf("cairn knows no client for %s at its address", world.Service)
	}
	conn, err := net.DialTimeout("tcp", u.Host, reach)
	if err != nil {
		return nil, fmt.Errorf("what this grade left is gone, its %s does not answer: grade again (g)", c.service)
	}
	_ = conn.Close()
	if path, err := exec.LookPath(c.program); err == nil {
		return exec.Command(path, append(c.flags, world.URL)...), nil
	}
	return c.inContainer(ctx, u)
}

func (c client) inContainer(ctx context.Context, u *url.URL) (*exec.Cmd, error) {
	docker, err := exec.LookPath("docker")
	if err != nil {
		return nil, fmt.Errorf("%s is not installed, and neither is the docker command to run it in the container: install %s", c.program, c.program)
	}
	ctx, cancel := context.WithTimeout(ctx, reach)
	defer cancel()
	out, err := exec.CommandContext(ctx, docker, "ps", "--filter", "publish="+u.Port(), "--format", "{{.ID}}").Output()
	if err != nil {
		return nil, fmt.Errorf("%s is not installed, and docker ps failed (%w): install %s", c.program, err, c.program)
	}
	id, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if id == "" {
		return nil, fmt.Errorf("%s is not installed, and no container of this Docker serves port %s: install %s", c.program, u.Port(), c.program)
	}
	inside := *u
	inside.Host = net.JoinHostPort("127.0.0.1", c.port)
	args := append([]string{"exec", "-it", id, c.program}, c.flags...)
	return exec.Command(docker, append(args, inside.String())...), nil
}

// openShell hands the terminal to the client.
func (s *Screen) openShell(msg shellMsg) tea.Cmd {
	if msg.err != nil {
		return nav.Fail(msg.err)
	}
	run := &overheard{unhurried: unhurried{msg.cmd}}
	return tea.Exec(run, func(err error) tea.Msg {
		return leftShellMsg{to: to{s}, err: run.explain(err)}
	})
}

func (s *Screen) leftShell(msg leftShellMsg) tea.Cmd {
	if msg.err == nil {
		return nil
	}
	return nav.Fail(msg.err)
}

// overheard is a command whose complaints are remembered: they would be gone
// with the terminal that it had.
type overheard struct {
	unhurried
	said bytes.Buffer
}

// SetStderr lets the learner see the complaints as well.
func (o *overheard) SetStderr(w io.Writer) { o.Stderr = io.MultiWriter(w, &o.said) }

// explain adds the last thing said to an error of a client that never got to
// work. One that ends with another status had its say on the terminal.
func (o *overheard) explain(err error) error {
	var exit *exec.ExitError
	if err == nil || errors.As(err, &exit) && o.said.Len() == 0 {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(o.said.String()), "\n")
	return fmt.Errorf("the client ended with an error: %s", safe.Line(lines[len(lines)-1]))
}
