package grader_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cairn-learn/cairn/grader"
)

func TestFilesAndFingerprint(t *testing.T) {
	e := grader.Exercise{ID: "a", Edit: []string{"a.go"}, Given: map[string][]byte{"program/main.go": []byte("package main\n")}}
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	missing := grader.Fingerprint(e, dir)
	if _, err := grader.Files(e, dir); err == nil || !strings.HasPrefix(missing, "refused ") {
		t.Errorf("without its file: %v, %q", err, missing)
	}
	write("a.go", "package a\n")
	was := grader.Fingerprint(e, dir)
	if was == missing {
		t.Error("a file that came back changes nothing")
	}
	for _, name := range []string{"a_test.go", "notes.txt", "program/main.go", ".a.go.swp", "a.go~"} {
		if write(name, "something"); grader.Fingerprint(e, dir) != was {
			t.Errorf("%s decides nothing, and changes the fingerprint", name)
		}
	}
	write("more.go", "package a\n")
	if grader.Fingerprint(e, dir) == was {
		t.Error("one more Go file changes nothing")
	}
	files, err := grader.Files(e, dir)
	if err != nil || len(files) != 2 || string(files["a.go"]) != "package a\n" || string(files["more.go"]) != "package a\n" {
		t.Errorf("%q %v", files, err)
	}
}
