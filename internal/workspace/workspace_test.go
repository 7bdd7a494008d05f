package workspace_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cairn-learn/cairn/exercises"
	"github.com/cairn-learn/cairn/internal/workspace"
)

const manifest = `kind: program
stone: S4
lesson: sql/lost-update
title: The lost update
summary: Two withdrawals at once.
minutes: 35
edit: [transfer.go]
hints: [look, think, almost]
`

func catalogue(t *testing.T) *exercises.Catalogue {
	t.Helper()
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	c, err := exercises.Load(fstest.MapFS{
		"workspace/go.mod.tmpl":        file("module " + exercises.Module + "\n\ngo 1.26.0\n"),
		"workspace/go.sum.tmpl":        file("sum\n"),
		"transfer/exercise.yaml":       file(manifest),
		"transfer/task.md":             file("# Task\n"),
		"transfer/transfer.go":         file("package transfer // solved\n"),
		"transfer/program/main.go":     file("package main\n"),
		"transfer/starter/transfer.go": file("package transfer\n"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func transfer(t *testing.T) *exercises.Exercise {
	t.Helper()
	e, ok := catalogue(t).Get("transfer")
	if !ok {
		t.Fatal("no exercise")
	}
	return e
}

func initialised(t *testing.T) *workspace.Workspace {
	t.Helper()
	w, err := workspace.Init(filepath.Join(t.TempDir(), "my cairn é"), catalogue(t), "1.0")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func read(t *testing.T, elem ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func write(t *testing.T, text string, elem ...string) {
	t.Helper()
	name := filepath.Join(elem...)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestInit(t *testing.T) {
	w := initialised(t)
	if got := read(t, w.Dir, "go.mod"); !strings.HasPrefix(got, "module "+exercises.Module+"\n") {
		t.Errorf("go.mod: %s", got)
	}
	if read(t, w.Dir, "go.sum") != "sum\n" || read(t, w.Dir, "README.md") == "" {
		t.Error("go.sum or README.md is wrong")
	}
	if got := read(t, w.Dir, ".cairn", "workspace.json"); !strings.Contains(got, `"version": 1`) || !strings.Contains(got, `"cairn": "1.0"`) {
		t.Errorf("workspace.json: %s", got)
	}
}

func TestInitTwiceChangesNothing(t *testing.T) {
	w := initialised(t)
	write(t, "my notes", w.Dir, "README.md")
	before := tree(t, w.Dir)
	if _, err := workspace.Init(w.Dir, catalogue(t), "1.0"); err != nil {
		t.Fatal(err)
	}
	if after := tree(t, w.Dir); !slices.Equal(before, after) {
		t.Errorf("before %q\nafter  %q", before, after)
	}
}

func TestInitUpgradesTheModule(t *testing.T) {
	w := initialised(t)
	want := read(t, w.Dir, "go.mod")
	write(t, "module old\n", w.Dir, "go.mod")
	if _, err := workspace.Init(w.Dir, catalogue(t), "1.1"); err != nil {
		t.Fatal(err)
	}
	if got := read(t, w.Dir, "go.mod"); got != want {
		t.Errorf("go.mod: %s", got)
	}
	kept, err := filepath.Glob(filepath.Join(w.Dir, ".cairn", "backups", "go.mod-*"))
	if err != nil || len(kept) != 1 || read(t, kept[0]) != "module old\n" {
		t.Errorf("backups of go.mod: %v %v", kept, err)
	}
	if got := read(t, w.Dir, ".cairn", "workspace.json"); !strings.Contains(got, "1.1") {
		t.Errorf("workspace.json: %s", got)
	}
}

func TestInitRefusesForeignFolders(t *testing.T) {
	dir := t.TempDir()
	write(t, "x", dir, "thesis.tex")
	_, err := workspace.Init(dir, catalogue(t), "1.0")
	var foreign *workspace.ForeignError
	if !errors.As(err, &foreign) || foreign.Find != "thesis.tex" {
		t.Fatalf("got %v", err)
	}
	want := dir + " is not empty (it holds thesis.tex) and no workspace; choose another folder, for example: cairn init " + filepath.Join(dir, "cairn")
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
	if got := tree(t, dir); len(got) != 1 {
		t.Errorf("the folder was changed: %q", got)
	}
}

func TestInitRefusesAWorkspaceInAWorkspace(t *testing.T) {
	w := initialised(t)
	inner := filepath.Join(w.Dir, "inner")
	_, err := workspace.Init(inner, catalogue(t), "1.0")
	var nested *workspace.NestedError
	want := inner + " lies in the workspace " + w.Dir + " already; use that one, or choose a folder outside of it"
	if !errors.As(err, &nested) || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if _, err := os.Stat(inner); err == nil {
		t.Error("the folder was made all the same")
	}
}

func TestInitAcceptsAGitRepository(t *testing.T) {
	dir := t.TempDir()
	write(t, "ref: refs/heads/main\n", dir, ".git", "HEAD")
	if _, err := workspace.Init(dir, catalogue(t), "1.0"); err != nil {
		t.Error(err)
	}
}

func TestNewerWorkspace(t *testing.T) {
	w := initialised(t)
	write(t, `{"version": 2, "cairn": "9.0"}`, w.Dir, ".cairn", "workspace.json")
	want := "the workspace " + w.Dir + " was made by a newer cairn (9.0, layout 2; this one knows layout 1): upgrade cairn"
	var newer *workspace.NewerError
	for name, err := range map[string]error{
		"Find": second(workspace.Find(filepath.Join(w.Dir, "transfer"))),
		"Init": second(workspace.Init(w.Dir, catalogue(t), "1.0")),
	} {
		if !errors.As(err, &newer) || err.Error() != want {
			t.Errorf("%s: got  %v\nwant %s", name, err, want)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestDamagedWorkspace(t *testing.T) {
	w := initialised(t)
	write(t, `{"versi`, w.Dir, ".cairn", "workspace.json")
	_, err := workspace.Find(w.Dir)
	want := filepath.Join(w.Dir, ".cairn", "workspace.json") + " is damaged; remove it and run: cairn init " + w.Dir
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestFind(t *testing.T) {
	w := initialised(t)
	deep := filepath.Join(w.Dir, "transfer", "program")
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{w.Dir, deep} {
		found, err := workspace.Find(from)
		if err != nil || found.Dir != w.Dir {
			t.Errorf("from %s: %v %v", from, found, err)
		}
	}
	elsewhere := t.TempDir()
	_, err := workspace.Find(elsewhere)
	var none *workspace.NoneError
	if !errors.As(err, &none) || err.Error() != elsewhere+" is not in a workspace; make one with: cairn init" {
		t.Errorf("got %v", err)
	}
}

func TestStart(t *testing.T) {
	w, e := initialised(t), transfer(t)
	made, err := w.Start(e)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"program/main.go", "task.md", "transfer.go"}; !slices.Equal(made, want) {
		t.Errorf("made %q, want %q", made, want)
	}
	dir := w.ExerciseDir("transfer")
	if got := read(t, dir, "transfer.go"); got != "package transfer\n" {
		t.Errorf("transfer.go: %q", got)
	}

	write(t, "package transfer // mine\n", dir, "transfer.go")
	if err := os.Remove(filepath.Join(dir, "task.md")); err != nil {
		t.Fatal(err)
	}
	made, err = w.Start(e)
	if err != nil || !slices.Equal(made, []string{"task.md"}) {
		t.Errorf("made %q, %v", made, err)
	}
	if got := read(t, dir, "transfer.go"); got != "package transfer // mine\n" {
		t.Errorf("the learner's file was overwritten: %q", got)
	}
}

func TestStartLeavesDanglingLinksAlone(t *testing.T) {
	w := initialised(t)
	outside := filepath.Join(t.TempDir(), "outside.go")
	if err := os.Mkdir(w.ExerciseDir("transfer"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(w.ExerciseDir("transfer"), "transfer.go")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Start(transfer(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(outside); err == nil {
		t.Error("wrote through a link to outside the workspace")
	}
}

func TestReset(t *testing.T) {
	w, e := initialised(t), transfer(t)
	if _, err := w.Reset(e); err == nil || !strings.Contains(err.Error(), "cairn start transfer") {
		t.Errorf("reset of what was not started: %v", err)
	}
	backupsOf := map[string]string{}
	for _, text := range []string{"// first", "// second"} {
		if _, err := w.Start(e); err != nil {
			t.Fatal(err)
		}
		write(t, text, w.ExerciseDir("transfer"), "transfer.go")
		write(t, "kept too", w.ExerciseDir("transfer"), "notes.txt")
		backup, err := w.Reset(e)
		if err != nil {
			t.Fatal(err)
		}
		backupsOf[backup] = text
		if got := read(t, w.ExerciseDir("transfer"), "transfer.go"); got != "package transfer\n" {
			t.Errorf("after reset: %q", got)
		}
	}
	if len(backupsOf) != 2 {
		t.Fatalf("two resets share a backup: %v", backupsOf)
	}
	for backup, text := range backupsOf {
		if read(t, backup, "transfer.go") != text || read(t, backup, "notes.txt") != "kept too" {
			t.Errorf("backup %s does not hold what was there", backup)
		}
	}
}

func TestExerciseAt(t *testing.T) {
	w, c := initialised(t), catalogue(t)
	if _, err := w.Start(transfer(t)); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(w.Dir, link); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{w.ExerciseDir("transfer"), filepath.Join(w.Dir, "transfer", "program"), filepath.Join(link, "transfer")} {
		if e, ok := w.ExerciseAt(dir, c); !ok || e.ID != "transfer" {
			t.Errorf("at %s: %v %v", dir, e, ok)
		}
	}
	for _, dir := range []string{w.Dir, filepath.Dir(w.Dir), filepath.Join(w.Dir, "other")} {
		if e, ok := w.ExerciseAt(dir, c); ok {
			t.Errorf("at %s: found %v", dir, e)
		}
	}
}

// tree lists every file below dir with its content.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		all = append(all, name+" "+string(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
