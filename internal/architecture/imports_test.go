// Package architecture holds the rules of docs/architecture.md that a compiler
// does not: which package may import which.
package architecture

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/cairn-learn/cairn"

// pkg is what go list says of a package of this module.
type pkg struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

// rule forbids imports. Paths are relative to the module; "x/..." covers x and
// all below it; "*" stands for one path element.
type rule struct {
	why    string
	from   []string // the packages it speaks of
	except []string // but not these
	deny   []string // what they may not import; foreign paths are written in full
	tests  bool     // the rule speaks of test files too
}

var rules = []rule{
	{
		why:  "the grader judges any exercise and knows none",
		from: []string{"grader/..."},
		deny: []string{"exercises/...", "lessons/...", "content/...", "internal/...", "cmd/..."},
	},
	{
		why:  "an exam is written against the toolkit alone",
		from: []string{"exercises/*/exam"},
		deny: []string{"grader", "grader/services/...", "grader/build/...", "grader/process/...", "lessons/...", "content/...", "internal/...", "cmd/..."},
	},
	{
		why:  "lessons and exercises are joined by id, in internal/road",
		from: []string{"lessons/..."},
		deny: []string{"exercises/...", "grader/...", "content/..."},
	},
	{
		why:  "lessons and exercises are joined by id, in internal/road",
		from: []string{"exercises/..."},
		deny: []string{"lessons/...", "content/..."},
	},
	{
		why:    "what is read comes as an fs.FS; only commands decide that it is the embedded one",
		from:   []string{"..."},
		except: []string{"cmd/...", "content"},
		deny:   []string{"content"},
	},
	{
		why:    "one package talks to the container engine",
		from:   []string{"..."},
		except: []string{"grader/services/..."},
		deny:   []string{"github.com/testcontainers/...", "github.com/docker/...", "github.com/moby/moby/..."},
		tests:  true,
	},
	{
		why:    "one package knows how Dockerfiles are read",
		from:   []string{"..."},
		except: []string{"grader/dockerfile"},
		deny:   []string{"github.com/moby/buildkit/...", "github.com/moby/patternmatcher/..."},
		tests:  true,
	},
	{
		why:    "one package talks to the database that keeps progress",
		from:   []string{"..."},
		except: []string{"internal/progress/sqlite"},
		deny:   []string{"modernc.org/...", "github.com/pressly/..."},
		tests:  true,
	},
	{
		why:    "screens and the workspace know progress by its interface; only commands choose the file",
		from:   []string{"..."},
		except: []string{"internal/progress/sqlite", "cmd/..."},
		deny:   []string{"internal/progress/sqlite"},
	},
	{
		why:    "the screen is drawn in one place",
		from:   []string{"..."},
		except: []string{"internal/tui/..."},
		deny:   []string{"charm.land/bubbletea/...", "charm.land/bubbles/..."},
		tests:  true,
	},
	{
		why:    "commands use the packages, never the other way round",
		from:   []string{"..."},
		except: []string{"cmd/..."},
		deny:   []string{"cmd/..."},
		tests:  true,
	},
	{
		why:    "only commands draw screens",
		from:   []string{"..."},
		except: []string{"cmd/...", "internal/tui/..."},
		deny:   []string{"internal/tui/..."},
	},
}

func TestImports(t *testing.T) {
	packages := list(t)
	if len(packages) < 10 {
		t.Fatalf("go list found %d packages; the rules would hold of nothing", len(packages))
	}
	for _, r := range rules {
		spoken := 0
		for _, p := range packages {
			if !matchAny(r.from, p.ImportPath) || matchAny(r.except, p.ImportPath) {
				continue
			}
			spoken++
			imports := p.Imports
			if r.tests {
				imports = append(append(imports[:len(imports):len(imports)], p.TestImports...), p.XTestImports...)
			}
			for _, imported := range imports {
				if matchAny(r.deny, imported) {
					t.Errorf("%s imports %s: %s", p.ImportPath, imported, r.why)
				}
			}
		}
		if spoken == 0 {
			t.Errorf("no package matches %v; the rule %q holds of nothing", r.from, r.why)
		}
	}
}

func list(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", module+"/...")
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var packages []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); err == io.EOF {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

func matchAny(patterns []string, path string) bool {
	for _, p := range patterns {
		if match(p, path) {
			return true
		}
	}
	return false
}

// match tells whether an import path falls under a pattern. A pattern whose
// first element has a dot names a foreign module, any other one a package of
// this module.
func match(pattern, path string) bool {
	if pattern == "..." {
		return strings.HasPrefix(path, module)
	}
	if first, _, _ := strings.Cut(pattern, "/"); !strings.Contains(first, ".") {
		pattern = module + "/" + pattern
	}
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	for i, w := range want {
		switch {
		case w == "...":
			return true
		case i >= len(got) || w != "*" && w != got[i]:
			return false
		}
	}
	return len(want) == len(got)
}

func TestMatch(t *testing.T) {
	tests := []struct {
		pattern, path string
		want          bool
	}{
		{"...", module + "/grader", true},
		{"...", "fmt", false},
		{"grader", module + "/grader", true},
		{"grader", module + "/grader/exam", false},
		{"grader/...", module + "/grader", true},
		{"grader/...", module + "/grader/exam", true},
		{"exercises/*/exam", module + "/exercises/restcrud/exam", true},
		{"exercises/*/exam", module + "/exercises/restcrud", false},
		{"charm.land/bubbletea/...", "charm.land/bubbletea/v2", true},
		{"content", module + "/contents", false},
	}
	for _, tt := range tests {
		if got := match(tt.pattern, tt.path); got != tt.want {
			t.Errorf("match(%q, %q) = %v, want %v", tt.pattern, tt.path, got, tt.want)
		}
	}
}
