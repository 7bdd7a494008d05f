package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// held stands beside a submission to restcrud: the program says that it has been
// started, and goes on when it is let go.
const held = `package restcrud

import (
	"os"
	"time"
)

func init() {
	if err := os.WriteFile(STARTED, nil, 0o600); err != nil {
		panic(err)
	}
	for {
		if _, err := os.Stat(GO); err == nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}
`

// learner is somebody with a home and a workspace, and restcrud begun in it.
type learner struct {
	t          *testing.T
	home, work string
	started    string // made by a program that is held
	letGo      string // made to let it go
	env        []string
	grading    *os.Process // the cairn of midGrade
}

func newLearner(t *testing.T) *learner {
	t.Helper()
	dir := t.TempDir()
	l := &learner{t: t, home: filepath.Join(dir, "home"), work: filepath.Join(dir, "my work ä"), started: filepath.Join(dir, "started"), letGo: filepath.Join(dir, "go")}
	if err := os.Mkdir(l.home, 0o755); err != nil {
		t.Fatal(err)
	}
	l.env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + l.home, "LANG=C.UTF-8", "GOPROXY=off", "GOCACHE=" + goEnv(t, "GOCACHE"), "GOMODCACHE=" + goEnv(t, "GOMODCACHE")}
	l.must(0, dir, "init", l.work)
	l.must(0, l.work, "start", "restcrud")
	return l
}

// solve puts the reference solution in the place of the starter.
func (l *learner) solve() {
	l.t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "exercises", "restcrud", "restcrud.go"))
	if err == nil {
		err = os.WriteFile(filepath.Join(l.folder(), "restcrud.go"), data, 0o644)
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

// hold makes the program wait in the middle of a grade.
func (l *learner) hold() {
	l.t.Helper()
	source := strings.NewReplacer("STARTED", strconv.Quote(l.started), "GO)", strconv.Quote(l.letGo)+")").Replace(held)
	if err := os.WriteFile(filepath.Join(l.folder(), "held.go"), []byte(source), 0o644); err != nil {
		l.t.Fatal(err)
	}
}

func (l *learner) folder() string { return filepath.Join(l.work, "restcrud") }

// cairn is a command that has not begun, with what it says.
func (l *learner) cairn(dir string, args ...string) (cmd *exec.Cmd, stdout, stderr *bytes.Buffer) {
	cmd = exec.CommandContext(l.t.Context(), "cairn", args...)
	cmd.Dir, cmd.Env = dir, l.env
	stdout, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	return cmd, stdout, stderr
}

// must runs cairn, which must end with that status, and returns what it says.
func (l *learner) must(status int, dir string, args ...string) (stdout, stderr string) {
	l.t.Helper()
	cmd, out, said := l.cairn(dir, args...)
	l.ended(cmd.Run(), status, out, said)
	return out.String(), said.String()
}

func (l *learner) ended(err error, status int, stdout, stderr *bytes.Buffer) {
	l.t.Helper()
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		l.t.Fatal(err)
	}
	if got != status {
		l.t.Errorf("exit status %d, want %d\n%s\n%s", got, status, stdout, stderr)
	}
}

// midGrade grades a held program, does something as soon as it runs, and lets it go.
func (l *learner) midGrade(status int, do func()) (stdout, stderr string) {
	l.t.Helper()
	l.hold()
	cmd, out, said := l.cairn(l.folder(), "grade")
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	l.grading = cmd.Process
	l.await(l.started)
	do()
	l.release()
	l.ended(cmd.Wait(), status, out, said)
	return out.String(), said.String()
}

func (l *learner) release() {
	l.t.Helper()
	if err := os.WriteFile(l.letGo, nil, 0o600); err != nil {
		l.t.Fatal(err)
	}
}

func (l *learner) await(file string) {
	l.t.Helper()
	for {
		if _, err := os.Stat(file); err == nil {
			return
		}
		if l.t.Context().Err() != nil {
			l.t.Fatalf("%s was never made", file)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// counted requires that so many attempts are remembered.
func (l *learner) counted(want int) {
	l.t.Helper()
	out, _ := l.must(0, l.home, "attempts", "--json")
	if got := strings.Count(out, `"verdict"`) - strings.Count(out, `"verdict": "ungraded"`); got != want {
		l.t.Errorf("%d attempts are remembered, want %d:\n%s", got, want, out)
	}
}

func (l *learner) store() string {
	return filepath.Join(l.home, ".local", "share", "cairn", "progress.db")
}

// TestWorkspaceMovedInMidGrade renames the workspace under a grade, and deletes
// it: the snapshot is graded, the attempt is remembered, and nothing comes back.
func TestWorkspaceMovedInMidGrade(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(from string) error{
		"renamed": func(from string) error { return os.Rename(from, from+" moved") },
		"deleted": os.RemoveAll,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLearner(t)
			l.solve()
			out, _ := l.midGrade(exitOK, func() {
				if err := do(l.work); err != nil {
					t.Fatal(err)
				}
			})
			if !strings.Contains(out, "\npassed · ") {
				t.Errorf("the grade says\n%s", out)
			}
			if _, err := os.Lstat(l.work); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the workspace came back: %v", err)
			}
			l.counted(1)
			if name == "renamed" {
				l.work += " moved"
				l.must(exitOK, l.folder(), "list")
			} else {
				l.must(exitOK, l.home, "init", l.work) // a new one in the old place
			}
		})
	}
}

// TestStoppedInMidGrade stops cairn for a while, as ctrl+z does.
func TestStoppedInMidGrade(t *testing.T) {
	t.Parallel()
	l := newLearner(t)
	l.solve()
	out, errs := l.midGrade(exitOK, func() {
		if err := l.grading.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second) // the fault itself
		if err := l.grading.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
	})
	first, second, again := strings.Cut(out, " in the middle of the grade; once more from the start\n")
	if !again || !strings.Contains(first, "\ncairn was stopped for ") || strings.Contains(second, "✗") || !strings.Contains(second, "\npassed · ") || errs != "" {
		t.Errorf("the grade says\n%s\n%s", out, errs)
	}
	l.counted(1)
}

// TestTwoCairnsAtOnce grades one exercise of one workspace twice at the same time.
func TestTwoCairnsAtOnce(t *testing.T) {
	t.Parallel()
	l := newLearner(t)
	l.solve()
	l.hold()
	var cmds [2]*exec.Cmd
	var outs, said [2]*bytes.Buffer
	for i := range cmds {
		cmds[i], outs[i], said[i] = l.cairn(l.folder(), "grade")
		if err := cmds[i].Start(); err != nil {
			t.Fatal(err)
		}
		l.await(l.started) // both are in the middle of it when they are let go
		if err := os.Remove(l.started); err != nil {
			t.Fatal(err)
		}
	}
	l.release()
	for i, cmd := range cmds {
		l.ended(cmd.Wait(), exitOK, outs[i], said[i])
		if said[i].Len() > 0 {
			t.Errorf("cairn %d says %s", i+1, said[i])
		}
	}
	l.counted(2)
	left, err := os.ReadDir(filepath.Join(l.home, ".cache", "cairn", "run"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestDiskFull fills small disks: the one where programs are built, and the one
// that holds progress.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	l := newLearner(t)
	l.must(exitFailed, l.folder(), "grade")
	l.counted(1)

	l.small("XDG_CACHE_HOME", "512k")
	out, _ := l.must(exitUngraded, l.folder(), "grade")
	if !strings.Contains(out, "\nungraded: the disk is full\nFree some space and grade again.\n") {
		t.Errorf("with no room to build: %s", out)
	}
	l.counted(1)
	l.env = l.env[:len(l.env)-1]

	disk := l.small("XDG_DATA_HOME", "512k")
	data, err := os.ReadFile(l.store())
	if err == nil {
		err = os.Mkdir(filepath.Join(disk, "cairn"), 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(disk, "cairn", "progress.db"), data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	fill(t, disk)
	out, errs := l.must(exitFailed, l.folder(), "grade")
	if !strings.Contains(out, "\nfailed · ") || !strings.Contains(errs, "cairn: this grade was not remembered: nothing can be written to ") || !strings.Contains(errs, "the disk is full") {
		t.Errorf("with no room for progress: %s\n%s", out, errs)
	}
	l.counted(1) // can be read
	if err := os.Remove(filepath.Join(disk, "fill")); err != nil {
		t.Fatal(err)
	}
	l.must(exitFailed, l.folder(), "grade")
	l.counted(2)
}

// small gives the learner a disk of that size for what a variable names.
func (l *learner) small(variable, size string) (dir string) {
	l.t.Helper()
	dir = mountTmpfs(l.t, "size="+size)
	l.env = append(l.env, variable+"="+dir)
	return dir
}

// fill writes until nothing more goes in.
func fill(t *testing.T, disk string) {
	t.Helper()
	f, err := os.Create(filepath.Join(disk, "fill"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
}

// TestReadOnlyHome grades where nothing can be written: that is said, and what was
// there is still there, and can be read.
func TestReadOnlyHome(t *testing.T) {
	t.Parallel()
	l := newLearner(t)
	l.must(exitFailed, l.folder(), "grade")
	readOnly(t, l.home)
	if err := os.WriteFile(filepath.Join(l.home, "x"), nil, 0o600); !errors.Is(err, syscall.EROFS) {
		t.Fatalf("the home can be written to: %v", err)
	}
	_, errs := l.must(exitUngraded, l.folder(), "grade")
	if !strings.Contains(errs, "read-only file system (set XDG_CACHE_HOME to a folder that you may write)") {
		t.Errorf("grade says %s", errs)
	}
	cache := t.TempDir()
	l.env = append(l.env, "XDG_CACHE_HOME="+cache)
	out, errs := l.must(exitFailed, l.folder(), "grade")
	if !strings.Contains(out, "\nfailed · ") || !strings.Contains(errs, "this grade was not remembered: nothing can be written to ") {
		t.Errorf("with a cache elsewhere, grade says %s\n%s", out, errs)
	}
	l.counted(1)
}

// TestProgressLostInMidGrade does harm to the store while a grade runs.
func TestProgressLostInMidGrade(t *testing.T) {
	t.Parallel()
	l := newLearner(t)
	l.must(exitFailed, l.folder(), "grade")
	out, errs := l.midGrade(exitFailed, func() {
		if err := os.Truncate(l.store(), 5000); err != nil {
			t.Fatal(err)
		}
	})
	if !strings.Contains(out, "\nfailed · ") || !strings.Contains(errs, "this grade was not remembered: ") || !strings.Contains(errs, "is damaged; the next start of cairn puts it aside") {
		t.Errorf("grade says %s\n%s", out, errs)
	}
	_, errs = l.must(exitOK, l.folder(), "list")
	if aside, _ := filepath.Glob(l.store() + ".damaged-*"); len(aside) == 0 || !strings.Contains(errs, "it is kept as "+aside[0]) {
		t.Errorf("the next start says %s, and there is %v", errs, aside)
	}
}

// TestProgressOfANewerCairn grades with a store of a form that this cairn does not
// know.
func TestProgressOfANewerCairn(t *testing.T) {
	t.Parallel()
	l := newLearner(t)
	l.must(exitFailed, l.folder(), "grade")
	data, err := os.ReadFile(l.store())
	if err != nil {
		t.Fatal(err)
	}
	const version = 60 // where SQLite keeps user_version, big end first
	data[version] = 1
	if err := os.WriteFile(l.store(), data, 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs := l.must(exitFailed, l.folder(), "grade")
	if !strings.Contains(out, "\nfailed · ") || !strings.Contains(errs, "this grade was not remembered: ") || !strings.Contains(errs, "was written by a newer cairn") || !strings.Contains(errs, "upgrade cairn") {
		t.Errorf("grade says %s\n%s", out, errs)
	}
	if after, err := os.ReadFile(l.store()); err != nil || !bytes.Equal(after, data) {
		t.Errorf("the file was changed (%v)", err)
	}
}

// TestOutputOnAFullDisk writes a report where nothing goes in.
func TestOutputOnAFullDisk(t *testing.T) {
	t.Parallel()
	l := newLearner(t)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("needs /dev/full: ", err)
	}
	defer full.Close()
	cmd, _, errs := l.cairn(l.folder(), "grade", "--json")
	cmd.Stdout = full
	l.ended(cmd.Run(), exitFailed, &bytes.Buffer{}, errs)
	if !strings.HasPrefix(errs.String(), "cairn: write ") || !strings.Contains(errs.String(), "no space left on device") {
		t.Errorf("grade says %s", errs)
	}
	l.counted(1) // it was graded all the same
}
