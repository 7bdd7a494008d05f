package tui

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// save replaces a file as editors do: a new one takes the place of the old.
func save(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file+"~", []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+"~", file); err != nil {
		t.Fatal(err)
	}
}

// shows delivers messages until the screen shows a text. What watches never
// comes to rest, so send would wait for ever.
func (r *rig) shows(text string) {
	r.t.Helper()
	r.until(func() bool { return strings.Contains(r.text(), text) })
}

func TestEverySaveIsGraded(t *testing.T) {
	road := fixture(t)
	ws := graded(t, road, "failed.json")
	g := gated("failed.json")
	r := newRig(t, Options{Road: road, Workspace: ws, Grader: g, Environ: []string{"NO_COLOR=1", "LANG=C.UTF-8"}}, 80, 24)
	r.press("n")
	r.take(keyPress("w"))
	r.shows("Watching: every save is graded")
	r.take(keyPress("home")) // a key ends the notice
	golden(t, "exercise-watching-80x24-plain", r.frame())
	fits(t, r.frame(), 80, 24)

	file := filepath.Join(ws.ExerciseDir("lostupdate"), "lostupdate.go")
	save(t, file, "package lostupdate\n\n// one\n")
	await(r, g.began)
	r.shows("watching · saved ")
	r.wants("grading: ")

	save(t, file, "package lostupdate\n\n// two\n")
	if err := await(r, g.ended); !errors.Is(err, context.Canceled) {
		t.Errorf("the grade of older files ended with %v", err)
	}
	await(r, g.began)
	close(g.gate)
	if err := await(r, g.ended); err != nil {
		t.Errorf("the grade of the newest files ended with %v", err)
	}
	r.shows("✗ failed · watching · saved ")
	r.wants("6 of 12")

	r.take(keyPress("w"))
	r.until(func() bool { return r.pending == 0 })
	r.wants("No longer watching")
	r.press("j")
	r.refuses("watching")
}

func TestWatchingEndsWithTheScreen(t *testing.T) {
	r := newRig(t, Options{Workspace: graded(t, fixture(t), "failed.json")}, 120, 40)
	r.press("n")
	r.take(keyPress("w"))
	r.shows("Watching: every save is graded")
	r.take(keyPress("q"))
	r.until(func() bool { return r.pending == 0 }) // also of the watcher
	r.wants("next:")
}

func TestShellNeedsAFailedGrade(t *testing.T) {
	road := fixture(t)
	r := newRig(t, Options{Road: road, Workspace: newWorkspace(t, road)}, 80, 24)
	r.press("j", "j", "x", "s")
	r.wants("only a grade that failed leaves its database")
	r.press("g", "s")
	r.wants("This grade left no database to look at.")
}

// TestShellAsksWhichServiceToLookAt has a grade that leaves PostgreSQL and Redis.
func TestShellAsksWhichServiceToLookAt(t *testing.T) {
	t.Setenv("PATH", psql(t))
	g := &recording{file: "failed.json", world: world(t), redis: "redis://default:secret@127.0.0.1:1/0"}
	r := newRig(t, Options{Grader: g, Workspace: newWorkspace(t, fixture(t))}, 80, 24)
	r.press("j", "j", "x", "g", "s")
	r.wants("look at which?", "p PostgreSQL", "r Redis")
	r.press("?")
	r.refuses("look at which?", "Keys")
	r.press("s", "r")
	r.wants("what this grade left is gone, its Redis does not answer")
	handed := func() (n int) {
		for _, msg := range r.other {
			if typeName(msg) == "tea.execMsg" {
				n++
			}
		}
		return n
	}
	if handed() != 0 {
		t.Error("the terminal was handed over to nobody")
	}
	r.press("s", "p")
	if handed() != 1 {
		t.Error("the terminal was not handed over")
	}
	r.press("k", "k", "k", "k", "k", "k", "k", "k", "k", "k", "k", "k")
	r.wants("PostgreSQL is kept", "Redis is kept", "redis://default:secret@127.0.0.1:1/0")
}

// TestShellIsNotOfferedWithoutServices holds that F2 has no key to look at servers.
func TestShellIsNotOfferedWithoutServices(t *testing.T) {
	r := newRig(t, Options{Workspace: newWorkspace(t, fixture(t))}, 80, 24)
	r.press("x", "t")
	r.wants("l log")
	r.refuses("database", "s data")
}
