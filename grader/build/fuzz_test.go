package build

import (
	"bytes"
	"errors"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// FuzzTake holds that whatever lies beside the learner's file, the snapshot is
// refused, or holds what is on the disk, inside the folder and inside the limits,
// and the given files as they are.
func FuzzTake(f *testing.F) {
	f.Add("more.go", []byte("package greeter\n"))
	f.Add("program/main.go", []byte("package main\n\nfunc main() { println(\"PASS\") }\n"))
	f.Add("store/x.go", []byte("//go:linkname a b\npackage store\nimport \"C\"\n"))
	f.Add("a.s", []byte("TEXT"))
	f.Add("x_windows.go", []byte("//go:build linux\n\npackage greeter\n"))
	f.Add("page.html", []byte("\xff\xfep\x00"))
	f.Add("a\x1b[31m/\xff.go", []byte("package other\n//go:embed *\n"))
	f.Add("greeter.go", []byte("\xef\xbb\xbfpackage greeter\n//go:embed ../..\n"))
	f.Add("go.mod", []byte("module x\n"))
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		r := submission(t, files{"greeter.go": solution})
		if !filepath.IsLocal(name) {
			return
		}
		target := filepath.Join(r.Dir, name)
		if os.MkdirAll(filepath.Dir(target), 0o755) != nil || os.WriteFile(target, content, 0o644) != nil {
			return // no name that this system takes
		}
		s, err := Take(r)
		if err != nil {
			for _, d := range diagnostics(t, err) {
				if strings.ContainsFunc(d.File+d.Message+d.Help, unicode.IsControl) {
					t.Errorf("control characters in %+v", d)
				}
			}
			return
		}
		for given, want := range r.Given {
			if !bytes.Equal(s.Files[given], want) {
				t.Errorf("%s is not the given one", given)
			}
		}
		for taken, got := range s.Own {
			onDisk, err := os.ReadFile(filepath.Join(r.Dir, filepath.FromSlash(taken)))
			if err != nil || !bytes.Equal(onDisk, got) || !fs.ValidPath(taken) {
				t.Errorf("%q: %v", taken, err)
			}
			if path.Ext(taken) == ".go" {
				holdsGo(t, taken, got)
			}
		}
		if again, err := Take(r); err != nil || again.Hash != s.Hash {
			t.Errorf("taken again: %v", err)
		}
	})
}

// holdsGo checks a file that was taken against the rules, by other means.
func holdsGo(t *testing.T, name string, content []byte) {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), name, content, parser.ImportsOnly|parser.ParseComments)
	if err != nil || tree == nil {
		return // the compiler refuses it
	}
	if path.Dir(name) == "." && tree.Name.Name != "greeter" {
		t.Errorf("%s is of package %s", name, tree.Name.Name)
	}
	for _, spec := range tree.Imports {
		if imported, _ := strconv.Unquote(spec.Path.Value); imported == "C" {
			t.Errorf("%s imports C", name)
		}
	}
	for _, group := range tree.Comments {
		for _, c := range group.List {
			if strings.HasPrefix(c.Text, "//go:linkname") {
				t.Errorf("%s has %s", name, c.Text)
			}
		}
	}
}

// FuzzComplaint holds that whatever the compiler prints becomes complaints that are
// safe to show and whose marks stand below their lines, or cairn's own trouble.
func FuzzComplaint(f *testing.F) {
	f.Add("greeter/greeter.go:9:3: undefined: x\n\thave (int)\n", solution)
	f.Add("package a\n\timports b\n\tgreeter/greeter.go:1:1: use of internal package c not allowed\n", "x")
	f.Add("greeter/greeter.go:99999999999999999999:1: x\nimport cycle not allowed\n", "")
	f.Add("# x\n../../etc/passwd.go:1:2: no space left on device\x1b[2J\n", "a\tb\x1b]0;\xff\n日本")
	f.Fuzz(func(t *testing.T, output, source string) {
		r := Request{ID: "greeter", Given: map[string][]byte{"program/main.go": []byte(program)}}
		s := &Snapshot{Files: map[string][]byte{"greeter.go": []byte(source), "program/main.go": []byte(program)}}
		err := complaint(output, s, r)
		if trouble := (*TroubleError)(nil); errors.As(err, &trouble) {
			return
		}
		all := diagnostics(t, err)
		if len(all) == 0 || len(all) > maxDiagnostics {
			t.Errorf("%d complaints", len(all))
		}
		for _, d := range all {
			if strings.ContainsFunc(d.File+d.Source+strings.ReplaceAll(d.Message, "\n", ""), unicode.IsControl) {
				t.Errorf("control characters in %+v", d)
			}
			if d.MarkAt < 0 || d.MarkLen < 0 || d.MarkLen > 0 && d.MarkAt > 4*len(d.Source) {
				t.Errorf("the mark of %+v is beside it", d)
			}
		}
	})
}
