// Package editor finds the learner's own editor: $VISUAL, then $EDITOR, then
// the editor whose terminal cairn runs in, then the first known one installed.
package editor

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kballard/go-shellquote"
)

// ErrNone says that no editor is set and none of the known ones is installed.
var ErrNone = errors.New("no editor found: set EDITOR to the command that starts yours, for example EDITOR=nano")

// Editor is a command line that opens files and ends when they are closed.
type Editor struct {
	Path   string   // the program, resolved on the PATH
	Args   []string // its arguments, before the files
	Source string   // what chose it: "VISUAL", "EDITOR", "TERM_PROGRAM" or "PATH"
	Window bool     // it opens a window of its own and leaves the terminal alone
}

// installed are the editors tried when nothing is set, the kindest first.
var installed = []string{"nano", "micro", "vim", "nvim", "hx", "emacs", "vi"}

// windowed are editors with a window of their own. Started bare they return at
// once, so each has the flag that makes it wait; the first one is added.
var windowed = map[string][]string{
	"code":          {"--wait", "-w"},
	"code-insiders": {"--wait", "-w"},
	"codium":        {"--wait", "-w"},
	"cursor":        {"--wait", "-w"},
	"windsurf":      {"--wait", "-w"},
	"subl":          {"--wait", "-w"},
	"sublime_text":  {"--wait", "-w"},
	"zed":           {"--wait", "-w"},
	"zeditor":       {"--wait", "-w"},
	"goland":        {"--wait"},
	"idea":          {"--wait"},
	"gedit":         {"--wait", "-w"},
	"mate":          {"--wait", "-w"},
	"bbedit":        {"--wait", "-w"},
	"kate":          {"--block", "-b"},
	"gvim":          {"--nofork", "-f"},
	"mvim":          {"--nofork", "-f"},
}

// Find returns the learner's editor. A variable that is set but names no
// program is an error and not passed over in silence: somebody meant it.
// Returns ErrNone when nothing is set and nothing known is installed.
func Find() (Editor, error) {
	for _, name := range []string{"VISUAL", "EDITOR"} {
		if line := strings.TrimSpace(os.Getenv(name)); line != "" {
			return parse(name, line)
		}
	}
	if os.Getenv("TERM_PROGRAM") == "vscode" {
		if e, err := parse("TERM_PROGRAM", "code"); err == nil {
			return e, nil
		}
	}
	for _, name := range installed {
		if e, err := parse("PATH", name); err == nil {
			return e, nil
		}
	}
	return Editor{}, ErrNone
}

// Command returns the command that opens files and ends when the learner has
// closed them. Its standard streams are unset. Errors are those of Find.
func Command(files ...string) (*exec.Cmd, error) {
	e, err := Find()
	if err != nil {
		return nil, err
	}
	return e.Command(files...), nil
}

// Command returns the command that opens files in e.
func (e Editor) Command(files ...string) *exec.Cmd {
	return exec.Command(e.Path, append(slices.Clone(e.Args), files...)...)
}

// String returns the command line without files.
func (e Editor) String() string {
	return shellquote.Join(append([]string{e.Path}, e.Args...)...)
}

// parse splits a command line as a shell would and resolves its program. The
// whole line may also be the path of a program whose name holds spaces.
func parse(source, line string) (Editor, error) {
	words, err := shellquote.Split(line)
	if err != nil {
		return Editor{}, fmt.Errorf("%s=%s cannot be read as a command (%w): check its quotes", source, line, err)
	}
	path, err := exec.LookPath(words[0])
	if err != nil {
		if whole, werr := exec.LookPath(line); werr == nil && len(words) > 1 {
			path, words, err = whole, []string{line}, nil
		}
	}
	if err != nil {
		return Editor{}, fmt.Errorf("%s=%s: %s is no program on the PATH: install it or set %s to another editor", source, line, words[0], source)
	}
	e := Editor{Path: path, Args: words[1:], Source: source}
	name := strings.TrimSuffix(strings.ToLower(filepath.Base(path)), ".exe")
	waits, ok := windowed[name]
	e.Window = ok
	if ok && !slices.ContainsFunc(e.Args, func(a string) bool { return slices.Contains(waits, a) }) {
		e.Args = append(e.Args, waits[0])
	}
	return e, nil
}
