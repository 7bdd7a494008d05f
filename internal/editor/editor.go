// Package editor finds the learner's own editor: $VISUAL, then $EDITOR, then
// the one of the settings, then the editor whose terminal cairn runs in, then
// the first known one installed.
package editor

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
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
	Source string   // what chose it: "VISUAL", "EDITOR", "settings", "TERM_PROGRAM" or "PATH"
	Window bool     // it opens a window of its own and leaves the terminal alone
}

// installed are the editors tried when nothing is set: first those that nobody
// has without having wanted them, then the kindest.
var installed = []string{"nvim", "hx", "micro", "emacs", "nano", "vim", "vi"}

// offered are the editors with a window that are looked for, when there can be
// windows.
var offered = []string{"code", "code-insiders", "codium", "cursor", "windsurf", "zed", "zeditor", "goland", "subl", "kate", "gedit", "gvim", "mvim", "bbedit", "mate"}

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

// Find returns the learner's editor; configured is the command of the settings,
// or "". A variable that is set but names no program is an error and not passed
// over in silence: somebody meant it. So is a command of the settings. Returns
// ErrNone when nothing is set and nothing known is installed.
func Find(configured string) (Editor, error) {
	if name, line := fromEnviron(); line != "" {
		return parse(name, line)
	}
	if configured = strings.TrimSpace(configured); configured != "" {
		return Parse(configured)
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

// fromEnviron is the variable that chooses an editor, and its value.
func fromEnviron() (name, line string) {
	for _, name := range []string{"VISUAL", "EDITOR"} {
		if line := strings.TrimSpace(os.Getenv(name)); line != "" {
			return name, line
		}
	}
	return "", ""
}

// Parse returns the editor that a command of the settings means. The error says
// what is wrong with it: there is no such program, or its quotes are open.
func Parse(line string) (Editor, error) { return parse(settingsSource, strings.TrimSpace(line)) }

const settingsSource = "settings"

// Choice is an editor that a learner may choose.
type Choice struct {
	Command string // as it is written down; "code --wait"
	Source  string // "VISUAL", "EDITOR", "TERM_PROGRAM" or "PATH"
	Err     error  // of a variable: why it names no editor
}

// Choices returns the editors of this machine, the likeliest first. One that a
// variable names comes before all others, also when it is none: then it has Err.
func Choices() []Choice {
	var all []Choice
	add := func(source, line string) {
		e, err := parse(source, line)
		if err != nil {
			return
		}
		name, _, _ := strings.Cut(line, " ")
		c := Choice{Command: shellquote.Join(append([]string{name}, e.Args...)...), Source: source}
		if !slices.ContainsFunc(all, func(o Choice) bool { return o.Command == c.Command }) {
			all = append(all, c)
		}
	}
	if name, line := fromEnviron(); line != "" {
		_, err := parse(name, line)
		all = append(all, Choice{Command: line, Source: name, Err: err})
	}
	if os.Getenv("TERM_PROGRAM") == "vscode" {
		add("TERM_PROGRAM", "code")
	}
	if windows() {
		for _, name := range offered {
			add("PATH", name)
		}
	}
	for _, name := range installed {
		add("PATH", name)
	}
	return all
}

// windows tells whether a program could open a window here.
func windows() bool {
	if runtime.GOOS == "darwin" {
		return os.Getenv("SSH_CONNECTION") == ""
	}
	for _, name := range []string{"DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"} {
		if os.Getenv(name) != "" {
			return true
		}
	}
	return false
}

// Command returns the command that opens files in e and ends when the learner
// has closed them. Its standard streams are unset.
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
	set := source + "=" + line
	if source == settingsSource {
		set = "editor " + line
	}
	if err != nil {
		return Editor{}, fmt.Errorf("%s cannot be read as a command (%w): check its quotes", set, err)
	}
	if len(words) == 0 || words[0] == "" {
		return Editor{}, fmt.Errorf("%s names no program: name the command that starts your editor", set)
	}
	path, err := exec.LookPath(words[0])
	if err != nil {
		if whole, werr := exec.LookPath(line); werr == nil && len(words) > 1 {
			path, words, err = whole, []string{line}, nil
		}
	}
	if err != nil {
		instead := "set " + source + " to another editor"
		if source == settingsSource {
			instead = "choose another editor"
		}
		return Editor{}, fmt.Errorf("%s: %s is no program on the PATH: install it or %s", set, words[0], instead)
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
