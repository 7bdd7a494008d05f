package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cairn-learn/cairn/internal/gate"
)

func TestWhatASaveTouches(t *testing.T) {
	solution := func(name string) bool { return name == "books.go" }
	item := func(kind gate.Kind, name string) string { return gate.Item{Kind: kind, Name: name}.String() }
	items := []string{
		item(gate.Structure, ""), item(gate.Starter, ""), item(gate.Solution, ""), item(gate.Alternative, "list"), item(gate.Race, "solution"),
		item(gate.Race, "list"), item(gate.Mutant, "a"), item(gate.Mutant, "a-b"),
	}
	for _, test := range []struct {
		saved string
		want  []string // nil for all
		exam  bool
	}{
		{"task.md", items[:1], false},
		{"starter/books.go", []string{items[0], items[1]}, false},
		{"starter.feedback", []string{items[0], items[1]}, false},
		{"alternatives/list/books.go", []string{items[0], items[3], items[5]}, false},
		{"mutants/a.diff", []string{items[0], items[6]}, false},
		{"mutants/a-b.feedback", []string{items[0], items[7]}, false},
		{"books.go", []string{items[0], items[2], items[4], items[6], items[7]}, false},
		{"exercise.yaml", nil, false},
		{"fixture.sql", nil, false},
		{"program/main.go", nil, false},
		{"exam/count.go", items[:1], true},
	} {
		got := touchedBy([]string{test.saved}, solution)
		if got.exam != test.exam || got.all != (test.want == nil) {
			t.Errorf("%s: %+v", test.saved, got)
		}
		only := got.only()
		if test.want == nil {
			if only != nil {
				t.Errorf("%s: tries %s, want all", test.saved, only)
			}
			continue
		}
		for _, i := range items {
			want := false
			for _, w := range test.want {
				want = want || w == i
			}
			if only.MatchString(i) != want {
				t.Errorf("%s: tries %q is %t, want %t", test.saved, i, !want, want)
			}
		}
	}
}

func TestTouchIsKeptUntilItIsLookedAt(t *testing.T) {
	both := touch{items: []string{"starter"}}.and(touchedBy([]string{"mutants/a.diff"}, nil))
	for item, want := range map[string]bool{"starter": true, "mutant a": true, "mutant b": false} {
		if both.only().MatchString(item) != want {
			t.Errorf("%s: %t", item, !want)
		}
	}
}

func TestPrintsTellFilesApart(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("a", "1")
	write("b/c", "2")
	before := prints(dir)
	if now := prints(dir); now.sum() != before.sum() || len(now.differences(before)) > 0 {
		t.Error("the same files are told apart")
	}
	write("b/c", "3")
	write("d", "4")
	if err := os.Remove(filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	now := prints(dir)
	got := now.differences(before)
	if len(got) != 3 || got[0] != "a" || got[1] != "b/c" || got[2] != "d" || now.sum() == before.sum() {
		t.Errorf("changed: %q", got)
	}
}
