package build

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestTakeKeepsWhatBelongsToTheProgram(t *testing.T) {
	r := submission(t, files{
		"greeter.go":              solution,
		"extra.go":                "package greeter\n",
		"store/store.go":          "package store\n",
		"greeter_test.go":         "package greeter\n",
		"program/main.go":         "package main\n\nfunc main() { println(\"PASS\") }\n",
		"program/more.go":         "package main\n",
		"task.md":                 "# Task\n",
		"go.mod":                  "module evil\n",
		"go.work":                 "go 1.99\n",
		"go.env":                  "GOFLAGS=-toolexec=/bin/false\n",
		"vendor/x/x.go":           "package x\n",
		"testdata/x.go":           "broken",
		".git/config":             "",
		".hidden.go":              "package hidden\n",
		"_draft.go":               "package draft\n",
		"node_modules/y/index.go": "package y\n",
		"page.html":               "<p>",
	})
	s, err := Take(r)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"extra.go", "greeter.go", "program/main.go", "store/store.go"}
	for _, name := range want {
		if _, ok := s.Files[name]; !ok {
			t.Errorf("%s is not in the snapshot", name)
		}
	}
	if len(s.Files) != len(want) {
		t.Errorf("snapshot holds %d files, want %d: %v", len(s.Files), len(want), s.Files)
	}
	if got := string(s.Files["program/main.go"]); got != program {
		t.Errorf("the given file is not the exercise's own:\n%s", got)
	}
}

func TestHashFollowsTheContent(t *testing.T) {
	hash := func(f files) string {
		t.Helper()
		s, err := Take(submission(t, f))
		if err != nil {
			t.Fatal(err)
		}
		return s.Hash
	}
	first := hash(files{"greeter.go": solution})
	if len(first) != 64 || first != hash(files{"greeter.go": solution, "task.md": "other"}) {
		t.Errorf("hash %q changes with a file that does not count", first)
	}
	for _, other := range []files{
		{"greeter.go": solution + "\n"},
		{"greeter.go": solution, "b.go": "package greeter\n"},
	} {
		if hash(other) == first {
			t.Errorf("%v has the same hash", other)
		}
	}
}

func TestSnapshotOutlivesAnEdit(t *testing.T) {
	r := submission(t, files{"greeter.go": solution})
	s, err := Take(r)
	if err != nil {
		t.Fatal(err)
	}
	put(t, r.Dir, "greeter.go", "package broken")
	b, err := Compile(t.Context(), s, r)
	if err != nil {
		t.Fatalf("an edit after the snapshot was compiled: %v", err)
	}
	b.Close()
}

func TestEmbeddedFilesAreTaken(t *testing.T) {
	embedding := strings.Replace(solution, `import "net/http"`, "import (\n\t_ \"embed\"\n\t\"net/http\"\n)\n\n//go:embed page.html\nvar page string", 1)
	if _, err := (files{"greeter.go": embedding, "page.html": "<p>", "big.bin": strings.Repeat("x", maxFile+1)}).build(t); err != nil {
		t.Error(err)
	}
	_, err := files{"greeter.go": embedding}.build(t)
	if d := diagnostics(t, err); d[0].File != "greeter.go" || d[0].Line != 8 || !strings.Contains(d[0].Message, "no matching files") || d[0].Help == "" {
		t.Errorf("%+v", d)
	}
	outside := strings.Replace(embedding, "page.html", "../../secret", 1)
	_, err = files{"greeter.go": outside}.build(t)
	if d := diagnostics(t, err); !strings.Contains(d[0].Message, "invalid pattern syntax") {
		t.Errorf("%+v", d)
	}
}

func TestRefused(t *testing.T) {
	many := files{"greeter.go": solution}
	for i := range maxFiles + 1 {
		many["store/f"+strings.Repeat("x", i%100)+string(rune('a'+i/100))+".go"] = "package store\n"
	}
	heavy := files{"greeter.go": solution}
	for i := range 9 {
		heavy[fmt.Sprintf("m%d.go", i+1)] = "package greeter\n//" + strings.Repeat(" ", 1_000_000)
	}
	tests := []struct {
		name  string
		files files
		mess  func(t *testing.T, dir string)
		file  string
		line  int
		says  string
	}{
		{name: "large in all", files: heavy, file: "m9.go", says: "makes the submission larger than 8 MB"},
		{name: "missing", files: files{"task.md": ""}, file: "greeter.go", says: "is missing"},
		{name: "empty", files: files{"greeter.go": " \n"}, file: "greeter.go", line: 1, says: "is empty"},
		{name: "other folder", files: files{"src/greeter.go": solution}, file: "src/greeter.go", says: "the file must be greeter.go"},
		{name: "beside the given file", files: files{"program/greeter.go": solution}, file: "program/greeter.go", says: "the file must be greeter.go"},
		{name: "other case", files: files{"Greeter.go": solution}, file: "Greeter.go", says: "the file must be greeter.go"},
		{name: "text file", files: files{"greeter.go.txt": solution}, file: "greeter.go.txt", says: "the file must be greeter.go"},
		{name: "build ignore", files: files{"greeter.go": "//go:build ignore\n\n" + solution}, file: "greeter.go", line: 1, says: "//go:build ignore"},
		{name: "other system", files: files{"greeter.go": "// about\n\n//go:build windows && arm\n\n" + solution}, file: "greeter.go", line: 3, says: "is not part of the program"},
		{name: "wrong package", files: files{"greeter.go": strings.Replace(solution, "package greeter", "package main", 1)}, file: "greeter.go", line: 1, says: "it says package main"},
		{name: "wrong package beside", files: files{"greeter.go": solution, "more.go": "// x\npackage more\n"}, file: "more.go", line: 2, says: "it says package more"},
		{name: "utf-16", files: files{"greeter.go": utf16(solution, true)}, file: "greeter.go", says: "saved as UTF-16"},
		{name: "utf-16 without mark", files: files{"greeter.go": utf16(solution, false)}, file: "greeter.go", says: "saved as UTF-16"},
		{name: "linkname", files: files{"greeter.go": solution + "\n//go:linkname now time.now\nfunc now()\n"}, file: "greeter.go", line: 14, says: "//go:linkname is not allowed here"},
		{name: "linkname below", files: files{"greeter.go": solution, "store/x.go": "package store\n//go:linkname a b\n"}, file: "store/x.go", line: 2, says: "//go:linkname"},
		{name: "cgo directive", files: files{"greeter.go": solution + "\n//go:cgo_ldflag \"-x\"\n"}, file: "greeter.go", line: 14, says: "//go:cgo_"},
		{name: "line", files: files{"greeter.go": solution + "\n//line /etc/passwd:1\nvar x = 1 // line 3: of 4\n//line of thought\n"}, file: "greeter.go", line: 14, says: "//line is not allowed here"},
		{name: "line in a comment", files: files{"greeter.go": solution + "\nvar x = /*line x.go:7*/ 1\n"}, file: "greeter.go", line: 14, says: "//line is not allowed here"},
		{name: "latin-1", files: files{"greeter.go": solution + "\n// gr\xfc\xdfe\n"}, file: "greeter.go", line: 14, says: "saved as Latin-1"},
		{name: "cgo", files: files{"greeter.go": solution, "c.go": "package greeter\n\n// int x;\nimport \"C\"\n"}, file: "c.go", line: 4, says: `import "C" is not allowed`},
		{name: "cgo as raw string", files: files{"greeter.go": solution, "c.go": "package greeter\n\nimport `C`\n"}, file: "c.go", line: 3, says: `import "C" is not allowed`},
		{name: "assembler", files: files{"greeter.go": solution, "asm_amd64.s": ""}, file: "asm_amd64.s", says: "is assembler code, which is not allowed here"},
		{name: "assembler, capital", files: files{"greeter.go": solution, "asm.S": ""}, file: "asm.S", says: "is assembler code"},
		{name: "object", files: files{"greeter.go": solution, "store/x.syso": ""}, file: "store/x.syso", says: "is an object file"},
		{name: "C", files: files{"greeter.go": solution, "x.c": ""}, file: "x.c", says: "is C code"},
		{name: "large", files: files{"greeter.go": solution + "//" + strings.Repeat("x", maxFile)}, file: "greeter.go", says: "larger than 1 MB"},
		{name: "many", files: many, says: "one file too many"},
		{name: "deep", files: files{"greeter.go": solution, strings.Repeat("a/", maxDepth+1) + "x.go": "package a\n"}, file: strings.Repeat("a/", maxDepth) + "a", says: "nested more than"},
		{name: "odd name", files: files{"greeter.go": solution, "a\nb.go": "package greeter\n"}, file: "a b.go", says: "Go does not accept"},
		{name: "symlink", files: files{}, file: "greeter.go", says: "is a symbolic link", mess: func(t *testing.T, dir string) {
			put(t, dir, "../real.go", solution)
			must(t, os.Symlink("../real.go", filepath.Join(dir, "greeter.go")))
		}},
		{name: "symlink to a folder", files: files{"greeter.go": solution}, file: "store", says: "is a symbolic link", mess: func(t *testing.T, dir string) {
			must(t, os.Symlink("/etc", filepath.Join(dir, "store")))
		}},
		{name: "symlinked given folder", files: files{"greeter.go": solution}, file: "program", says: "is a symbolic link", mess: func(t *testing.T, dir string) {
			must(t, os.Symlink("/etc", filepath.Join(dir, "program")))
		}},
		{name: "hard link", files: files{"greeter.go": solution}, file: "more.go", says: "is a hard link", mess: func(t *testing.T, dir string) {
			put(t, dir, "../other.go", "package greeter\n")
			must(t, os.Link(filepath.Join(dir, "../other.go"), filepath.Join(dir, "more.go")))
		}},
		{name: "pipe", files: files{"greeter.go": solution}, file: "pipe.go", says: "is a named pipe", mess: func(t *testing.T, dir string) {
			must(t, syscall.Mkfifo(filepath.Join(dir, "pipe.go"), 0o644))
		}},
		{name: "socket", files: files{"greeter.go": solution}, file: "s", says: "is a socket", mess: func(t *testing.T, dir string) {
			t.Chdir(dir) // the path of a socket must be short
			l, err := net.Listen("unix", "s")
			must(t, err)
			t.Cleanup(func() { l.Close() })
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := submission(t, test.files)
			if test.mess != nil {
				test.mess(t, r.Dir)
			}
			_, err := Take(r)
			d := diagnostics(t, err)
			for _, one := range d {
				if (test.file == "" || one.File == test.file) && one.Line == test.line && strings.Contains(one.Message, test.says) {
					return
				}
			}
			t.Errorf("got %+v", d)
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// utf16 encodes ASCII as little-endian UTF-16, as Notepad does.
func utf16(text string, mark bool) string {
	var b strings.Builder
	if mark {
		b.WriteString("\xff\xfe")
	}
	for _, c := range []byte(text) {
		b.WriteByte(c)
		b.WriteByte(0)
	}
	return b.String()
}

func TestNoFolder(t *testing.T) {
	_, err := Take(Request{ID: "greeter", Dir: filepath.Join(t.TempDir(), "none")})
	var trouble *TroubleError
	if !errors.As(err, &trouble) || !errors.Is(err, fs.ErrNotExist) || trouble.Do != "run cairn start greeter to get it" {
		t.Errorf("%v", err)
	}
}

func TestRefusalsAreSafeToShow(t *testing.T) {
	_, err := Take(submission(t, files{"greeter.go": solution, "\x1b[31mred\u202e.c": ""}))
	if d := diagnostics(t, err); d[0].File != "red‹U+202E›.c" {
		t.Errorf("%q", d[0].File)
	}
}
