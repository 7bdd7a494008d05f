// Package settings keeps what a learner has chosen: path, editor, theme. It is
// one small YAML file that people write in, so cairn changes no more of it than
// the one line that it was asked to, and nothing at all where it can't read it.
package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/adrg/xdg"
	"github.com/goccy/go-yaml"

	"github.com/cairn-learn/cairn/internal/atomicfile"
	"github.com/cairn-learn/cairn/internal/strictyaml"
)

// Version is the version of the file's form. A file of a higher version was
// written for a newer cairn.
const Version = 1

// Settings are the values of the file; a zero value was not set.
type Settings struct {
	Version int    `yaml:"version"`
	Path    string `yaml:"path"`   // id of a path of the course
	Editor  string `yaml:"editor"` // a command, arguments allowed
	Theme   string `yaml:"theme"`  // "light", "dark" or "auto"

	file *strictyaml.File
}

// NewerError says that a settings file was written for a newer cairn.
type NewerError struct {
	File    string
	Version int
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("%s is of a newer cairn: upgrade it (settings version %d, this one knows %d)", e.File, e.Version, Version)
}

// File is where the settings are, or "" where nothing says where home is.
func File() string {
	if os.Getenv("HOME") == "" && os.Getenv("XDG_CONFIG_HOME") == "" {
		return ""
	}
	return filepath.Join(xdg.ConfigHome, "cairn", "config.yaml")
}

// Load reads a settings file. Where there is none, the error is
// fs.ErrNotExist; otherwise it is *NewerError, or begins with file and line.
func Load(name string) (Settings, error) {
	if name == "" {
		return Settings{}, fs.ErrNotExist
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return Settings{}, fmt.Errorf("read the settings: %w", err)
	}
	return parse(name, data)
}

// comment matches a line that says nothing to a program.
var comment = regexp.MustCompile(`(?m)^[ \t]*(#.*)?\r?$`)

func parse(name string, data []byte) (Settings, error) {
	var s Settings
	if strings.TrimSpace(string(comment.ReplaceAll(data, nil))) == "" {
		return s, nil // everything is left to cairn
	}
	// What a newer cairn knows may be unknown here, so its version is read first.
	var newer struct {
		Version int `yaml:"version"`
	}
	if err := yaml.Unmarshal(data, &newer); err == nil && newer.Version > Version {
		return s, &NewerError{File: name, Version: newer.Version}
	}
	file, err := strictyaml.Read(name, data, &s)
	if err != nil {
		return Settings{}, err
	}
	s.file = file
	switch s.Theme {
	case "", "light", "dark", "auto":
	default:
		return Settings{}, file.Errorf("$.theme", "theme is %q, and cairn knows light, dark and auto", s.Theme)
	}
	return s, nil
}

// Complain returns an error about the value of a key, with its file and line.
func (s Settings) Complain(key, format string, args ...any) error {
	if s.file == nil {
		return fmt.Errorf(format, args...)
	}
	return s.file.Errorf("$."+key, format, args...)
}

// Create writes the commented settings file. One that is there stays as it is,
// and the error is fs.ErrExist.
func Create(name string, s Settings) error {
	if name == "" {
		return errors.New("write the settings: HOME is not set, so there is no place for them")
	}
	made, err := atomicfile.Create(name, []byte(s.text()))
	switch {
	case err != nil:
		return fmt.Errorf("write the settings: %w", err)
	case !made:
		return fmt.Errorf("write the settings: %s: %w", name, fs.ErrExist)
	}
	return nil
}

// pathLine is the line that names the path, up to a comment behind it.
var pathLine = regexp.MustCompile(`(?m)^path[ \t]*:[ \t]*("[^"\n]*"|'[^'\n]*'|[^\s#]*)`)

// SetPath changes the path and leaves everything else in the file as it is. It
// makes the file where there is none. A file that can't be read, or not be
// changed so, stays untouched; the errors are those of Load, or say so.
func SetPath(name, path string) error {
	old, err := Load(name)
	if errors.Is(err, fs.ErrNotExist) {
		return Create(name, Settings{Path: path})
	}
	if err != nil {
		return err
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("read the settings: %w", err)
	}
	text := string(data)
	if at := pathLine.FindStringIndex(text); at != nil {
		text = text[:at[0]] + "path: " + path + text[at[1]:]
	} else {
		if text != "" && !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		text += "path: " + path + "\n"
	}
	want := old
	want.Path = path
	got, err := parse(name, []byte(text))
	if got.file, want.file = nil, nil; err != nil || got != want {
		return fmt.Errorf("%s is written in a way that cairn does not change: set path to %s there yourself", name, path)
	}
	if whole, err := filepath.EvalSymlinks(name); err == nil {
		name = whole // people keep their settings elsewhere and link to them
	}
	if err := atomicfile.Write(name, []byte(text)); err != nil {
		return fmt.Errorf("write the settings: %w", err)
	}
	return nil
}

// text is a whole settings file with a word on every key.
func (s Settings) text() string {
	set := func(key, value, example string) string {
		if value == "" {
			return "# " + key + ": " + example
		}
		return key + ": '" + strings.ReplaceAll(value, "'", "''") + "'"
	}
	path := "# path: self-paced"
	if s.Path != "" {
		path = "path: " + s.Path
	}
	return `# Settings of cairn. They are yours to change. cairn itself changes the line
# with the path, when you choose another (cairn path, or p on the road).
#
# The environment goes first: VISUAL and EDITOR before editor, CAIRN_THEME
# before theme. A line with # before it leaves the choice to cairn.
version: 1

# The path you walk. It decides where n leads; cairn path lists them.
` + path + `

# The command that opens your editor, arguments allowed.
` + set("editor", s.Editor, "code --wait") + `

# The colours: light, dark, or auto, which asks the terminal.
` + set("theme", s.Theme, "auto") + "\n"
}
