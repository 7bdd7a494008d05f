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
	for _, name := range []string{"VISUAL", "EDITOR", "TERM_PROGRAM"} {
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
	}{
		{"visual before editor", []string{"vim", "nano"}, map[string]string{"VISUAL": "vim", "EDITOR": "nano"}, []string{"vim"}, "VISUAL"},
		{"blank visual does not count", []string{"nano"}, map[string]string{"VISUAL": "  ", "EDITOR": "nano"}, []string{"nano"}, "EDITOR"},
		{"arguments are kept", []string{"vim"}, map[string]string{"EDITOR": `vim -c "set number"`}, []string{"vim", "-c", "set number"}, "EDITOR"},
		{"a window is waited for", []string{"code"}, map[string]string{"EDITOR": "code -n"}, []string{"code", "-n", "--wait"}, "EDITOR"},
		{"but asked only once", []string{"subl"}, map[string]string{"EDITOR": "subl -w"}, []string{"subl", "-w"}, "EDITOR"},
		{"each with its own word", []string{"gvim"}, map[string]string{"VISUAL": "gvim"}, []string{"gvim", "--nofork"}, "VISUAL"},
		{"a name with spaces", []string{"My Editor"}, map[string]string{"EDITOR": "My Editor"}, []string{"My Editor"}, "EDITOR"},
		{"the terminal of an editor", []string{"code", "nano"}, map[string]string{"TERM_PROGRAM": "vscode"}, []string{"code", "--wait"}, "TERM_PROGRAM"},
		{"the first installed", []string{"vi", "vim"}, nil, []string{"vim"}, "PATH"},
		{"vi when there is nothing else", []string{"vi"}, nil, []string{"vi"}, "PATH"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bin(t, tt.have...)
			for name, value := range tt.env {
				t.Setenv(name, value)
			}
			e, err := Find()
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
			if _, err := Find(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		bin(t)
		if _, err := Find(); !errors.Is(err, ErrNone) {
			t.Errorf("got %v, want ErrNone", err)
		}
	})
}

func TestCommandPassesFilesUnchanged(t *testing.T) {
	dir := bin(t, "code")
	t.Setenv("EDITOR", "'"+filepath.Join(dir, "code")+"'")
	cmd, err := Command("a b.go", "ü.go")
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(out), "--wait\na b.go\nü.go\n"; got != want {
		t.Errorf("the editor got %q, want %q", got, want)
	}
}
