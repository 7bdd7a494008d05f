package build

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestBuilds(t *testing.T) {
	tests := []struct {
		name  string
		files files
	}{
		{"plain", files{"greeter.go": solution}},
		{"CRLF", files{"greeter.go": strings.ReplaceAll(solution, "\n", "\r\n")}},
		{"UTF-8 mark", files{"greeter.go": "\xef\xbb\xbf" + solution}},
		{"own package", files{
			"greeter.go":     strings.Replace(solution, `import "net/http"`, "import (\n\t\"net/http\"\n\n\t_ \"github.com/cairn-learn/cairn/exercises/greeter/store\"\n)", 1),
			"store/store.go": "package store\n",
		}},
		{"draft beside", files{"greeter.go": solution, "draft.go": "//go:build ignore\n\npackage main\n\nfunc main() { broken\n"}},
		{"empty file beside", files{"greeter.go": solution, "later.go": ""}},
		{"own go.mod, go.work, vendor", files{
			"greeter.go":              solution,
			"go.mod":                  "module other\n\ngo 1.99\n\ntoolchain go1.99.0\n",
			"go.work":                 "go 1.99\n",
			"vendor/net/http/http.go": "package http\n",
		}},
		{"evil program", files{"greeter.go": solution, "program/main.go": "package main\n\nfunc main() { println(\"PASS\") }\n"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b, err := test.files.build(t)
			if err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command(b.Path).CombinedOutput()
			if err != nil || string(out) != "built true\n" {
				t.Errorf("the binary says %q, %v", out, err)
			}
			if entries, _ := os.ReadDir(filepath.Dir(b.Path)); len(entries) != 1 {
				t.Errorf("beside the binary: %v", entries)
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(b.Path); err == nil {
				t.Error("the binary is still there")
			}
		})
	}
}

// TestEnvironmentChangesNothing sets what a learner or a class may have set.
func TestEnvironmentChangesNothing(t *testing.T) {
	env := filepath.Join(t.TempDir(), "env")
	if err := os.WriteFile(env, []byte("GOFLAGS=-toolexec=/bin/false\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOENV", env)
	t.Setenv("GOFLAGS", "-overlay=/no/such/file -tags=evil")
	t.Setenv("GOWORK", "/no/such/go.work")
	t.Setenv("GOOS", "plan9")
	t.Setenv("CGO_ENABLED", "1")
	if _, err := (files{"greeter.go": solution}).build(t); err != nil {
		t.Error(err)
	}
}

func TestOddPaths(t *testing.T) {
	r := submission(t, nil)
	r.Dir = filepath.Join(r.Dir, "my wörk, 'quoted' $HOME")
	r.CacheDir = filepath.Join(r.CacheDir, "ein Ördner -x")
	put(t, r.Dir, "greeter.go", solution)
	if _, err := build(t, r); err != nil {
		t.Error(err)
	}
}

func TestDiagnosticsAreCappedAndSorted(t *testing.T) {
	f := files{"greeter.go": solution, "b.go": "package greeter\n"}
	for _, name := range strings.Fields("q w e r t z u i o p a s d f") {
		f["b.go"] += "\nvar _ = " + name + "nothing\n"
	}
	_, err := f.build(t)
	all := diagnostics(t, err)
	if len(all) != maxDiagnostics {
		t.Errorf("%d diagnostics", len(all))
	}
	for i := 1; i < len(all); i++ {
		if byPlace(all[i-1], all[i]) >= 0 {
			t.Errorf("%+v comes before %+v", all[i-1], all[i])
		}
	}
}

func TestTooLargeToBuild(t *testing.T) {
	huge := strings.Replace(solution, `"hello"`, `Huge[:5]`, 1) + "\nvar Huge = [512 << 20]byte{1<<29 - 1: 1}\n"
	_, err := files{"greeter.go": huge}.build(t)
	var limit *LimitError
	if !errors.As(err, &limit) || !strings.Contains(limit.What, "very large array") {
		t.Errorf("%v", err)
	}
}

func TestTimeout(t *testing.T) {
	r := submission(t, files{"greeter.go": solution})
	r.Timeout = time.Millisecond
	_, err := build(t, r)
	var limit *LimitError
	if !errors.As(err, &limit) || limit.What != "compiling took longer than 1ms" {
		t.Errorf("%v", err)
	}
	nothingLeft(t, r)
}

// TestCompilersMemory gives the compiler less than any compiler takes.
func TestCompilersMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("memory is not watched on this system")
		return
	}
	r := submission(t, files{"greeter.go": solution})
	r.MemoryLimit = 1 << 20
	_, err := build(t, r)
	var limit *LimitError
	if !errors.As(err, &limit) || !strings.Contains(limit.What, "too much memory") {
		t.Errorf("%v", err)
	}
	nothingLeft(t, r)
}

func TestCanceled(t *testing.T) {
	r := submission(t, files{"greeter.go": solution})
	s, err := Take(r)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Compile(ctx, s, r); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	nothingLeft(t, r)
}

// nothingLeft checks that a build that failed has cleaned up.
func nothingLeft(t *testing.T, r Request) {
	t.Helper()
	if entries, err := os.ReadDir(filepath.Join(r.CacheDir, "apps")); err != nil || len(entries) > 0 {
		t.Errorf("left in the cache: %v, %v", entries, err)
	}
}

func TestTroubles(t *testing.T) {
	tests := []struct {
		name string
		mess func(t *testing.T, r *Request)
		what string
		do   string
	}{
		{"module not in the cache", func(t *testing.T, r *Request) {
			r.GoMod = append(r.GoMod, "\nrequire example.com/nowhere v1.0.0\n"...)
			r.GoSum = []byte("example.com/nowhere v1.0.0 h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nexample.com/nowhere v1.0.0/go.mod h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")
			put(t, r.Dir, "more.go", "package greeter\n\nimport _ \"example.com/nowhere\"\n")
		}, "not on this machine yet", "cairn doctor"},
		{"no go", func(t *testing.T, r *Request) {
			t.Setenv("PATH", t.TempDir())
			r.GoMod = append(r.GoMod, "\n// no go\n"...)
		}, "", ""},
		{"Go too old", func(t *testing.T, r *Request) {
			r.GoMod = []byte("module " + Module + "\n\ngo 1.99\n")
			t.Setenv("GOTOOLCHAIN", "local")
		}, "too old", "go.dev/dl"},
		{"no build cache", func(t *testing.T, r *Request) {
			r.GoMod = append(r.GoMod, "\n// no cache\n"...)
			t.Setenv("GOCACHE", "/dev/null/cache")
		}, "cannot write its build cache", "go env GOCACHE"},
		{"cache is a file", func(t *testing.T, r *Request) {
			r.CacheDir = filepath.Join(t.TempDir(), "file")
			put(t, filepath.Dir(r.CacheDir), "file", "")
		}, "cannot prepare the build", "cairn doctor"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := submission(t, files{"greeter.go": solution})
			test.mess(t, &r)
			_, err := build(t, r)
			if test.name == "no go" {
				// Where Go's installers put it counts too.
				if _, found := findGo(); found == nil {
					if err != nil {
						t.Errorf("go is in its usual place, yet: %v", err)
					}
					return
				}
				test.what, test.do = "Go is not installed", "go.dev/dl"
			}
			var trouble *TroubleError
			if !errors.As(err, &trouble) || !strings.Contains(trouble.What, test.what) || !strings.Contains(trouble.Do, test.do) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestTroubleInOutput(t *testing.T) {
	tests := []struct{ output, what string }{
		{"go: writing go.mod cache: write /x: no space left on device\n", "the disk is full"},
		{"open /home/x: read-only file system\n", "read-only"},
		{"greeter/greeter.go:3:1: undefined: no space left on device\n", ""},
		{"# x\n/usr/lib/go/link: mapping output file failed: cannot allocate memory\n", "out of memory"},
	}
	for _, test := range tests {
		got := troubleIn(test.output)
		switch {
		case test.what == "" && got != nil:
			t.Errorf("%q is taken for %v", test.output, got)
		case test.what != "" && (got == nil || !strings.Contains(got.What, test.what)):
			t.Errorf("%q gives %v", test.output, got)
		}
	}
}

func TestWarm(t *testing.T) {
	r := submission(t, nil)
	if err := Warm(t.Context(), r, "encoding/xml"); err != nil {
		t.Fatal(err)
	}
	if err := Warm(t.Context(), r, "no/such/package"); err == nil {
		t.Error("a package that does not exist was compiled")
	}
	nothingLeft(t, r)
}

func TestRace(t *testing.T) {
	// Without net/http, so that not much has to be compiled for the first time.
	r := submission(t, files{"greeter.go": "package greeter\n\nfunc New() bool { return true }\n"})
	r.Given["program/main.go"] = []byte("package main\n\nimport \"github.com/cairn-learn/cairn/exercises/greeter\"\n\nfunc main() { println(\"built\", greeter.New()) }\n")
	r.Race = true
	b, err := build(t, r)
	if _, noCompiler := exec.LookPath("gcc"); noCompiler != nil {
		var trouble *TroubleError
		if !errors.As(err, &trouble) || !strings.Contains(trouble.What, "C compiler") {
			t.Errorf("without a C compiler: %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(b.Path).CombinedOutput()
	if err != nil || string(out) != "built true\n" {
		t.Errorf("the binary says %q, %v", out, err)
	}
}

func BenchmarkCompile(b *testing.B) {
	r := submission(b, files{"greeter.go": solution})
	if _, err := build(b, r); err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		// An edit, as before every grade.
		put(b, r.Dir, "greeter.go", solution+"\nvar edit = "+strings.Repeat("1+", i)+"1\n")
		s, err := Take(r)
		if err != nil {
			b.Fatal(err)
		}
		binary, err := Compile(b.Context(), s, r)
		if err != nil {
			b.Fatal(err)
		}
		binary.Close()
	}
}
