package workflow

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"strconv"
	"time"
)

// Machine is where steps run: a Linux with bash, GNU coreutils, tar, git and Go, in which the home
// of the user, /tmp and nothing else can be written to. It belongs to one run.
type Machine interface {
	// Exec runs a command to its end and returns what it printed to standard output, and its exit
	// status. Errors are the machine's, never the command's.
	Exec(ctx context.Context, args []string, stdin []byte) (stdout []byte, status int, err error)

	// EndAll ends everything that commands have left running.
	EndAll(ctx context.Context) error
}

// Where things are on a machine. Warm is a build cache of Go that can be read and not be written
// to; it may be missing.
const (
	Home    = "/home/runner"
	Scratch = "/tmp"
	Warm    = "/cairn/gocache"
)

// maxOutput is how much of the end of a step's output is kept, and maxCommands how much a step may
// hand on to later ones, in bytes.
const (
	maxOutput   = 64 << 10
	maxCommands = 1 << 20
)

// freshScript makes the machine as new for the next job: the user's folders are empty. The build
// cache is a forest of links, so that each job begins with a full one that is nevertheless its own.
const freshScript = `
home=${1:?} workspace=${2:?} scratch=${3:?} warm=$4
shopt -s dotglob nullglob
cd "$home" && chmod -R u+rwX . 2>/dev/null
rm -rf "$home"/* "$scratch"/*
mkdir -p "$home/work/_temp" "$home/.cache" "$workspace" && tar -x -C "$home" || exit 1
if [ -d "$warm" ]; then cp -rs "$warm" "$home/.cache/go-build"; fi
`

// checkoutScript does what the action does, as far as files go: a repository with one commit.
const checkoutScript = `
mkdir -p -- "$1" && cd -- "$1" || exit 1
shopt -s dotglob nullglob
rm -rf ./*
tar -x || exit 1
export HOME=$2 GIT_AUTHOR_NAME=$3 GIT_AUTHOR_EMAIL=$3@example.com GIT_COMMITTER_NAME=$3 GIT_COMMITTER_EMAIL=$3@example.com
git init -q -b "$4" && git add -A && git commit -q -m "$5" && git rev-parse HEAD
`

// stepScript runs one script as the runner does, in a folder, with a limit in seconds, and ends as
// the script does. It hands back what the script has written for later steps, and the end of what
// it printed. A script that leaves something running does not keep the next one waiting.
const stepScript = `
temp=$1 dir=$2 limit=$3 most=$4 end=$5
shift 5
mkdir -p "$temp/commands" && cat >"$temp/script.sh" || exit 1
rm -f "$temp"/commands/*
: >"$temp/commands/env" && : >"$temp/commands/path" && : >"$temp/commands/output" && : >"$temp/commands/summary"
if cd -- "$dir" 2>"$temp/log"; then
	timeout --signal=KILL "$limit" "$@" </dev/null >"$temp/log" 2>&1
	status=$?
else
	status=1
fi
cd / && mkdir -p "$temp/back"
for f in env path output; do head -c "$most" "$temp/commands/$f" >"$temp/back/$f" 2>/dev/null; done
tail -c "$end" "$temp/log" >"$temp/back/log" 2>/dev/null
tar -c -C "$temp/back" env path output log 2>/dev/null
exit $status
`

// machine is a Machine with the folders of a run.
type machine struct {
	Machine
	home, scratch, warm string
	workspace           string
}

func (m machine) temp() string { return m.home + "/work/_temp" }

func (m machine) bash(ctx context.Context, script string, stdin []byte, args ...string) ([]byte, int, error) {
	return m.Exec(ctx, append([]string{"/bin/bash", "--noprofile", "--norc", "-c", script, "cairn"}, args...), stdin)
}

// fresh begins a job.
func (m machine) fresh(ctx context.Context, modules []byte) error {
	if err := m.EndAll(ctx); err != nil {
		return err
	}
	_, status, err := m.bash(ctx, freshScript, modules, m.home, m.workspace, m.scratch, m.warm)
	if err == nil && status != 0 {
		err = fmt.Errorf("the machine for the steps could not be cleared (exit status %d)", status)
	}
	return err
}

// checkout puts the repository into a folder of the workspace.
func (m machine) checkout(ctx context.Context, folder string, files []byte, r Repository) error {
	out, status, err := m.bash(ctx, checkoutScript, files, path.Join(m.workspace, folder), m.home, r.Owner, "main", cmp.Or(r.Title, "A change"))
	if err == nil && status != 0 {
		err = fmt.Errorf("the repository could not be checked out (exit status %d): %s", status, out)
	}
	return err
}

// script is one run step.
type script struct {
	text    string
	command []string // with {0} replaced
	env     []string
	dir     string
	limit   time.Duration
}

// outcome is what a script has left.
type outcome struct {
	status            int
	env, path, output []byte
	log               []byte
}

func (m machine) run(ctx context.Context, s script) (outcome, error) {
	seconds := strconv.FormatFloat(math.Max(s.limit.Seconds(), 0.1), 'f', 1, 64)
	args := []string{m.temp(), s.dir, seconds, strconv.Itoa(maxCommands), strconv.Itoa(maxOutput), "env", "-i"}
	args = append(append(args, s.env...), s.command...)
	out, status, err := m.bash(ctx, stepScript, []byte(s.text), args...)
	o := outcome{status: status}
	if err != nil {
		return o, err
	}
	for t := tar.NewReader(bytes.NewReader(out)); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return o, nil
		}
		if err != nil { // a script that has destroyed the runner's folder
			o.status = max(o.status, 1)
			return o, nil
		}
		data, _ := io.ReadAll(io.LimitReader(t, maxCommands))
		switch h.Name {
		case "env":
			o.env = data
		case "path":
			o.path = data
		case "output":
			o.output = data
		case "log":
			o.log = data
		}
	}
}
