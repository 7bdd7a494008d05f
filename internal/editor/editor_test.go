package editor

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// bin makes a PATH that holds nothing but the named programs, and no variable
// that chooses an editor.
func bin(t *testing.T, names ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "my programs")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\nprintf '%s\\n' \"$@\"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	for _, name := range []string{"VISUAL", "EDITOR", "TERM_PROGRAM", "DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"} {
		t.Setenv(name, "")
	}
	return dir
}

func TestFindChooses(t *testing.T) {
	tests := []struct {
		name string
		have []string
		env  map[string]string
		want []string // program and arguments
		from string
		set  string // in the settings
	}{
		{"visual before editor", []string{"vim", "nano"}, map[string]string{"VISUAL": "vim", "EDITOR": "nano"}, []string{"vim"}, "VISUAL", ""},
		{"blank visual does not count", []string{"nano"}, map[string]string{"VISUAL": "  ", "EDITOR": "nano"}, []string{"nano"}, "EDITOR", ""},
		{"arguments are kept", []string{"vim"}, map[string]string{"EDITOR": `vim -c "set number"`}, []string{"vim", "-c", "set number"}, "EDITOR", ""},
		{"a window is waited for", []string{"code"}, map[string]string{"EDITOR": "code -n"}, []string{"code", "-n", "--wait"}, "EDITOR", ""},
		{"but asked only once", []string{"subl"}, map[string]string{"EDITOR": "subl -w"}, []string{"subl", "-w"}, "EDITOR", ""},
		{"each with its own word", []string{"gvim"}, map[string]string{"VISUAL": "gvim"}, []string{"gvim", "--nofork"}, "VISUAL", ""},
		{"a name with spaces", []string{"My Editor"}, map[string]string{"EDITOR": "My Editor"}, []string{"My Editor"}, "EDITOR", ""},
		{"the settings", []string{"code", "vim"}, nil, []string{"code", "--wait"}, "settings", "code"},
		{"editor before the settings", []string{"nano", "vim"}, map[string]string{"EDITOR": "nano"}, []string{"nano"}, "EDITOR", "vim"},
		{"the settings before the terminal", []string{"code", "vim"}, map[string]string{"TERM_PROGRAM": "vscode"}, []string{"vim"}, "settings", "vim"},
		{"the terminal of an editor", []string{"code", "nano"}, map[string]string{"TERM_PROGRAM": "vscode"}, []string{"code", "--wait"}, "TERM_PROGRAM", ""},
		{"the first installed", []string{"vi", "vim"}, nil, []string{"vim"}, "PATH", ""},
		{"vi when there is nothing else", []string{"vi"}, nil, []string{"vi"}, "PATH", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bin(t, tt.have...)
			for name, value := range tt.env {
				t.Setenv(name, value)
			}
			e, err := Find(tt.set)
			if err != nil {
				t.Fatal(err)
			}
			if got := append([]string{filepath.Base(e.Path)}, e.Args...); !slices.Equal(got, tt.want) || e.Source != tt.from {
				t.Errorf("got %q from %s, want %q from %s", got, e.Source, tt.want, tt.from)
			}
		})
	}
}

func TestFindErrors(t *testing.T) {
	tests := []struct{ name, env, value, want string }{
		{"not installed", "VISUAL", "notthere --wait", "VISUAL=notthere --wait: notthere is no program on the PATH"},
		{"open quote", "EDITOR", `vim "`, "check its quotes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bin(t, "vim")
			t.Setenv(tt.env, tt.value)
			if _, err := Find(""); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
	t.Run("settings", func(t *testing.T) {
		bin(t, "vim")
		for line, want := range map[string]string{"notthere -w": "editor notthere -w: notthere is no program", `""`: "names no program", "'": "check its quotes"} {
			if _, err := Find(line); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want an error with %q", line, err, want)
			}
		}
	})
	t.Run("none", func(t *testing.T) {
		bin(t)
		if _, err := Find(""); !errors.Is(err, ErrNone) {
			t.Errorf("got %v, want ErrNone", err)
		}
	})
}

func TestCommandPassesFilesUnchanged(t *testing.T) {
	dir := bin(t, "code")
	t.Setenv("EDITOR", "'"+filepath.Join(dir, "code")+"'")
	e, err := Find("")
	if err != nil {
		t.Fatal(err)
	}
	out, err := e.Command("a b.go", "ü.go").Output()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(out), "--wait\na b.go\nü.go\n"; got != want {
		t.Errorf("the editor got %q, want %q", got, want)
	}
}

func TestChoicesOfThisMachine(t *testing.T) {
	tests := []struct {
		name string
		have []string
		env  map[string]string
		want []string // command and source
	}{
		{"wanted ones first", []string{"vi", "nano", "vim", "nvim"}, nil, []string{"nvim PATH", "nano PATH", "vim PATH", "vi PATH"}},
		{"windows need a display", []string{"vim", "code"}, nil, []string{"vim PATH"}},
		{"with one they come first", []string{"vim", "code"}, map[string]string{"WAYLAND_DISPLAY": "wayland-0"}, []string{"code --wait PATH", "vim PATH"}},
		{"the terminal's own once", []string{"vim", "code"}, map[string]string{"TERM_PROGRAM": "vscode", "DISPLAY": ":0"}, []string{"code --wait TERM_PROGRAM", "vim PATH"}},
		{"a variable before all", []string{"vim", "nano"}, map[string]string{"EDITOR": "vim"}, []string{"vim EDITOR", "nano PATH"}},
		{"also a wrong one", []string{"nano"}, map[string]string{"VISUAL": "nothere"}, []string{"nothere VISUAL wrong", "nano PATH"}},
		{"none", nil, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bin(t, tt.have...)
			for name, value := range tt.env {
				t.Setenv(name, value)
			}
			var got []string
			for _, c := range Choices() {
				line := c.Command + " " + c.Source
				if c.Err != nil {
					line += " wrong"
				}
				got = append(got, line)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
