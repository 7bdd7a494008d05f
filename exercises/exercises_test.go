package exercises

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/cairn-learn/cairn/grader/build"
)

const goodManifest = `kind: program
stone: S4
lesson: sql/lost-update
title: The lost update
summary: Two withdrawals at once.
minutes: 35
edit: [transfer.go]
services:
  postgres: {version: 14, extensions: [vector], fixture: fixture.sql}
  redis: {version: 7}
limits: {start: 5s, check: 20s}
hints:
  - look
  - think
  - almost
`

const solution = `package transfer

func Sum(a, b int) int {
	return a + b
}

func Max(a, b int) int {
	if a > b {
		return a
	}
	return b
}
`

// folder is an exercises folder with one good exercise in it.
func folder() fstest.MapFS {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	return fstest.MapFS{
		"workspace/go.mod.tmpl":                      file("module " + Module + "\n"),
		"workspace/go.sum.tmpl":                      file("sum\n"),
		"transfer/exercise.yaml":                     file(goodManifest),
		"transfer/task.md":                           file("# Task\n"),
		"transfer/fixture.sql":                       file("select 1;\n"),
		"transfer/transfer.go":                       file(solution),
		"transfer/program/main.go":                   file("package main\n"),
		"transfer/starter/transfer.go":               file("package transfer\n"),
		"transfer/alternatives/branch/transfer.go":   file("package transfer // other\n"),
		"transfer/alternatives/README":               file("not an alternative\n"),
		"transfer/exam/exam.go":                      file("package exam\n"),
		"transfer/mutants/minus.diff":                file(minus),
		"transfer/mutants/minus.feedback":            file("golden\n"),
		"transfer/starter.feedback":                  file("golden\n"),
		"transfer/.hidden":                           file("x\n"),
		"notanexercise/readme.txt":                   file("x\n"),
		"transfer/alternatives/branch/task.md":       file("ignored"),
		"transfer/alternatives/branch/other_test.go": file("ignored"),
	}
}

const minus = `# check: sums
# also: maxima totals
# mistake: subtracts.
--- a/transfer.go
+++ b/transfer.go
@@ -1,5 +1,5 @@
 package transfer
 
 func Sum(a, b int) int {
-	return a + b
+	return a - b
 }
`

func mustLoad(t *testing.T, fsys fstest.MapFS) *Exercise {
	t.Helper()
	c, err := Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	e, ok := c.Get("transfer")
	if !ok {
		t.Fatal("the exercise is not in the catalogue")
	}
	return e
}

func TestLoad(t *testing.T) {
	e := mustLoad(t, folder())
	if e.Stone != "S4" || e.Lesson != "sql/lost-update" || e.Minutes != 35 || e.Task != "# Task\n" || len(e.Hints) != 3 {
		t.Errorf("manifest not read: %+v", e)
	}
	if e.Limits != (Limits{Start: 5 * time.Second, Check: 20 * time.Second}) {
		t.Errorf("limits: %+v", e.Limits)
	}
	if pg := e.Postgres; pg == nil || pg.Version != 14 || pg.Fixture != "select 1;\n" || !slices.Equal(pg.Extensions, []string{"vector"}) {
		t.Errorf("postgres: %+v", pg)
	}
	if got := e.Spec().Redis; got == nil || got.MinVersion != 7 || got.Name != e.ID {
		t.Errorf("redis: %+v", got)
	}
	if got := e.Services(); !slices.Equal(got, []string{"postgres", "redis"}) {
		t.Errorf("services: %v", got)
	}
}

func TestLayouts(t *testing.T) {
	e := mustLoad(t, folder())
	layout := []string{"program/main.go", "task.md", "transfer.go"}
	starter, err := e.Starter()
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(starter)); !slices.Equal(got, layout) || string(starter["transfer.go"]) != "package transfer\n" {
		t.Errorf("starter: %v %q", got, starter["transfer.go"])
	}
	reference, err := e.Solution()
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(reference)); !slices.Equal(got, layout) || string(reference["transfer.go"]) != solution {
		t.Errorf("solution: %v", got)
	}
	others, err := e.Alternatives()
	if err != nil {
		t.Fatal(err)
	}
	branch := others["branch"]
	if len(others) != 1 || !slices.Equal(slices.Sorted(maps.Keys(branch)), layout) || string(branch["task.md"]) != "# Task\n" {
		t.Errorf("alternatives: %v", others)
	}
}

func TestMissingFileIsNamed(t *testing.T) {
	fsys := folder()
	delete(fsys, "transfer/starter/transfer.go")
	_, err := mustLoad(t, fsys).Starter()
	if err == nil || err.Error() != "exercises/transfer/starter/transfer.go:1: exercise transfer needs this file" {
		t.Errorf("got %v", err)
	}
}

func TestContentFollowsWhatDecides(t *testing.T) {
	base := contentOf(t, folder())
	for _, name := range []string{"transfer/task.md", "transfer/exam/exam.go", "transfer/fixture.sql", "transfer/program/main.go", "transfer/exercise.yaml", "workspace/go.sum.tmpl"} {
		fsys := folder()
		fsys[name].Data = append(slices.Clone(fsys[name].Data), "# more\n"...)
		if contentOf(t, fsys) == base {
			t.Errorf("the hash does not change with %s", name)
		}
	}
	for _, name := range []string{"transfer/transfer.go", "transfer/starter/transfer.go", "transfer/mutants/minus.diff", "transfer/starter.feedback"} {
		fsys := folder()
		fsys[name].Data = append(slices.Clone(fsys[name].Data), "// more\n"...)
		if contentOf(t, fsys) != base {
			t.Errorf("the hash changes with %s", name)
		}
	}
}

func contentOf(t *testing.T, fsys fstest.MapFS) string {
	t.Helper()
	return mustLoad(t, fsys).Content
}

func TestManifestRefusals(t *testing.T) {
	const file = "exercises/transfer/exercise.yaml"
	for name, c := range map[string]struct{ old, new, want string }{
		"unknown key":      {"minutes: 35", "minuets: 35", `:6: unknown key "minuets"`},
		"kind":             {"kind: program", "kind: poem", `:1: kind "poem" is not known; there are program, sql, tests, image, workflow`},
		"SQL in Go":        {"kind: program", "kind: sql", `:7: transfer.go is no SQL of the learner's`},
		"stone":            {"stone: S4", "stone: 4", `:2: stone "4" is not a letter and a number, such as S4`},
		"lesson":           {"lesson: sql/lost-update", "lesson: lost-update", `:3: lesson "lost-update" is not <track>/<lesson>`},
		"title":            {"title: The lost update\n", "", `:1: the exercise has no title`},
		"minutes":          {"minutes: 35", "minutes: 1", `:6: 1 minutes; 5 to 240 are sane`},
		"edit nothing":     {"edit: [transfer.go]", "edit: []", `:7: the learner has nothing to edit`},
		"edit outside":     {"edit: [transfer.go]", "edit: [../x.go]", `:7: "../x.go" is not a path inside the exercise's folder`},
		"edit given":       {"edit: [transfer.go]", "edit: [program/main.go]", `:7: program/main.go is given and can't be edited`},
		"edit not Go":      {"edit: [transfer.go]", "edit: [go.mod]", `:7: go.mod is no Go file`},
		"fixture":          {"fixture: fixture.sql", "fixture: fixtrue.sql", `:9: the fixture fixtrue.sql is not in the exercise's folder`},
		"unknown service":  {"  postgres:", "  postgrse:", `:9: unknown key "postgrse"`},
		"limit":            {"start: 5s", "start: 5h", `:11: limit start is "5h", which is no time between 0 and 10m0s, such as 20s`},
		"duration":         {"start: 5s", "start: soon", `:11: limit start is "soon", which is no time between 0 and 10m0s, such as 20s`},
		"two hints":        {"  - almost\n", "", `:13: a hint ladder has 3 steps (where to look, what to think, almost the code); this one has 2`},
		"an empty hint":    {"  - think", `  - ""`, `:14: hint 2 of exercise transfer is empty`},
		"not YAML":         {"kind: program", "kind: [", `:1: sequence end token ']' not found`},
		"the same twice":   {"stone: S4", "kind: program", `:2: mapping key "kind" already defined at [1:1]`},
		"summary of lines": {"summary: Two withdrawals at once.", "summary: \"a\\nb\"", `:5: the exercise needs a summary of one line`},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := folder()
			text := strings.Replace(goodManifest, c.old, c.new, 1)
			if text == goodManifest {
				t.Fatalf("the manifest does not hold %q", c.old)
			}
			fsys["transfer/exercise.yaml"].Data = []byte(text)
			_, err := Load(fsys)
			if err == nil {
				t.Fatal("loaded without an error")
			}
			if err.Error() != file+c.want {
				t.Errorf("got  %s\nwant %s%s", err, file, c.want)
			}
		})
	}
}

func TestFolderNames(t *testing.T) {
	fsys := folder()
	fsys["two-words/exercise.yaml"] = fsys["transfer/exercise.yaml"]
	_, err := Load(fsys)
	want := `exercises/two-words/exercise.yaml:1: the folder of an exercise is its package name: lower-case letters only, not "two-words"`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestUnknownExercise(t *testing.T) {
	c, err := Load(folder())
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Get("transfr"); ok {
		t.Error("found an exercise that does not exist")
	}
	if got := c.Nearest("transfr"); got != "transfer" {
		t.Errorf("nearest is %q", got)
	}
}

// TestSQLExercise: there is no program, and the learner writes SQL.
func TestSQLExercise(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	fsys := folder()
	text := strings.Replace(goodManifest, "kind: program", "kind: sql", 1)
	fsys["transfer/exercise.yaml"] = file(strings.Replace(text, "edit: [transfer.go]", "edit: [schema.sql]", 1))
	delete(fsys, "transfer/program/main.go")
	for _, dir := range []string{"", "starter/", "alternatives/branch/"} {
		fsys["transfer/"+dir+"schema.sql"] = file("select 1; -- " + dir)
	}
	e := mustLoad(t, fsys)
	if spec := e.Spec(); spec.Kind != build.SQL || spec.Fixture == nil || len(spec.Given) != 0 || len(spec.Packages) != 0 {
		t.Errorf("%+v", spec)
	}
	files, err := e.Starter()
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(files)); !slices.Equal(got, []string{"schema.sql", "task.md"}) {
		t.Errorf("the starter is %v", got)
	}
	fsys["transfer/exercise.yaml"] = file(strings.Replace(text, "edit: [transfer.go]", "edit: [fixture.sql]", 1))
	if _, err := Load(fsys); err == nil || !strings.Contains(err.Error(), "fixture.sql is no SQL of the learner's") {
		t.Errorf("a fixture to edit: %v", err)
	}
}
