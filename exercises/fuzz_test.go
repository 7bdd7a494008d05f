package exercises

import (
	"bytes"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"testing"
)

var locatedForm = regexp.MustCompile(`^exercises/transfer/[a-z/.]+:[1-9][0-9]*: .`)

// FuzzManifest holds that a manifest is refused with its place, or is one that the
// rest of cairn can rely on.
func FuzzManifest(f *testing.F) {
	f.Add([]byte(goodManifest))
	f.Add([]byte("kind: program\nedit: [../x.go]\nhints: [a, b, c]\n"))
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("limits: {start: -1s}\nminutes: 99999999999999999999\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		fsys := folder()
		fsys["transfer/exercise.yaml"].Data = data
		c, err := Load(fsys)
		if err != nil {
			if !locatedForm.MatchString(err.Error()) {
				t.Errorf("the error names no place: %q", err)
			}
			return
		}
		e, ok := c.Get("transfer")
		if !ok {
			t.Fatal("the exercise was left out")
		}
		if e.Title == "" || e.Minutes < minMinutes || e.Minutes > maxMinutes || len(e.Hints) != hintSteps || len(e.Edit) == 0 {
			t.Errorf("accepted: %+v", e)
		}
		for _, name := range e.Edit {
			if !fs.ValidPath(name) || name == programFile {
				t.Errorf("the learner may edit %q", name)
			}
		}
		for _, d := range []int64{int64(e.Limits.Build), int64(e.Limits.Start), int64(e.Limits.Check), int64(e.Limits.Exam)} {
			if d < 0 || d > int64(maxLimit) {
				t.Errorf("limits %+v", e.Limits)
			}
		}
	})
}

// FuzzMutant holds that a patch is refused with its place, or changes files of the
// solution and nothing else.
func FuzzMutant(f *testing.F) {
	f.Add([]byte(minus))
	f.Add([]byte("# check: a\n# mistake: b\n--- a/transfer.go\n+++ b/../../x\n@@ -1 +1 @@\n-package transfer\n+package x\n"))
	f.Add([]byte("# check: a\n# mistake: b\n--- a/transfer.go\n+++ b/transfer.go\n@@ -99999999999,1 +0,0 @@\n-x\n"))
	f.Add([]byte("# check: a\n# mistake: b\ndiff --git a/transfer.go b/transfer.go\nGIT binary patch\nliteral 3\nKc${NkU|;|M00aO5\n\n"))
	f.Add([]byte("# check: a\n# mistake: b\n# mask: ((((\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m := Mutant{Name: "minus", Tries: 1, File: "exercises/transfer/mutants/minus.diff", patch: data}
		if err := m.readHeader(); err != nil {
			if !locatedForm.MatchString(err.Error()) {
				t.Errorf("the error names no place: %q", err)
			}
			return
		}
		original := map[string][]byte{"transfer.go": []byte(solution), programFile: []byte("package main\n")}
		given := map[string][]byte{}
		for name, content := range original {
			given[name] = bytes.Clone(content)
		}
		got, err := m.Apply(given)
		if !maps.EqualFunc(given, original, bytes.Equal) {
			t.Error("the solution itself was changed")
		}
		if err != nil {
			if !locatedForm.MatchString(err.Error()) {
				t.Errorf("the error names no place: %q", err)
			}
			return
		}
		if !slices.Equal(slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(original))) {
			t.Errorf("files %v", slices.Sorted(maps.Keys(got)))
		}
		if maps.EqualFunc(got, original, bytes.Equal) {
			t.Error("nothing was changed")
		}
	})
}
