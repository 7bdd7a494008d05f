package tui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cairn-learn/cairn/internal/progress"
	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/lessons"
)

var longPage = "# How we deploy\n\n" + strings.Repeat("A change travels from a branch to production.\n\n", 30) + "## Rollback\n\nOne button.\n"

// withOwn is the road of testdata with a path of its own: two pages, and stones of
// which one is not written.
func withOwn(t testing.TB) *road.Road {
	t.Helper()
	r := fixture(t)
	day := func(d int) time.Time { return time.Date(2026, 12, d, 0, 0, 0, 0, time.UTC) }
	path := &lessons.Path{ID: "team", Title: "Payments onboarding", Summary: "What you need here.", Own: true, Stages: []lessons.Stage{
		{Title: "The first days on the payments team", Stones: []string{"team/welcome", "F2"}, By: day(4)},
		{Title: "Money", Stones: []string{"S4", "S1", "team/how-we-deploy"}, By: day(1)},
		{Title: "When there is time", Stones: []string{"S5"}},
	}}
	r.AddPath(path, []*lessons.Lesson{
		lessons.OwnPage("team/welcome", "P1", "Welcome", path.Title, "# Welcome\n\nWe move money.\n"),
		lessons.OwnPage("team/how-we-deploy", "P2", "How we deploy", path.Title, longPage),
	})
	return r
}

// hire is a rig for somebody on that path.
func hire(t *testing.T, environ []string, width, height int) (*rig, progress.Store) {
	t.Helper()
	r, store := withOwn(t), newStore(t)
	opts := Options{
		Road: r, Path: "team", Progress: store, Workspace: graded(t, r, "failed.json"), Environ: environ,
		Now: func() time.Time { return time.Date(2026, 12, 2, 9, 0, 0, 0, time.UTC) },
	}
	return newRig(t, opts, width, height), store
}

func TestOwnPathScreens(t *testing.T) {
	looks := map[string][]string{
		"dark":  {"CAIRN_THEME=dark", "LANG=C.UTF-8"},
		"plain": {"NO_COLOR=yes", "LANG=C.UTF-8"},
		"ascii": {"NO_COLOR=1", "LANG=C"},
	}
	scenes := []struct {
		name string
		keys []string
	}{
		{"own-roadmap", nil},
		{"own-page-read", []string{"g", "r", "q"}},
		{"own-page", []string{"/", "d", "e", "p", "l", "enter", "]"}},
	}
	for _, scene := range scenes {
		for _, size := range [][2]int{{80, 24}, {120, 40}} {
			for look, environ := range looks {
				if size[0] == 120 && look == "ascii" {
					continue
				}
				name := fmt.Sprintf("%s-%dx%d-%s", scene.name, size[0], size[1], look)
				t.Run(name, func(t *testing.T) {
					g, _ := hire(t, environ, size[0], size[1])
					g.press(scene.keys...)
					fits(t, g.frame(), size[0], size[1])
					golden(t, name, g.frame())
				})
			}
		}
	}
}

func TestOwnPathFitsEverySize(t *testing.T) {
	for _, size := range [][2]int{{60, 16}, {71, 19}, {110, 30}, {160, 50}} {
		g, _ := hire(t, nil, size[0], size[1])
		fits(t, g.frame(), size[0], size[1])
		g.wants("1 day overdue", "press n")
	}
}

// TestNextGoesOnFromAPage holds that a page is a step like any other: once it was
// read to its end, what is next lies behind it.
func TestNextGoesOnFromAPage(t *testing.T) {
	g, store := hire(t, nil, 80, 24)
	g.wants("next: try again S4 The lost update · 1 day overdue", "0 of 4 stones done, 2 still to be written")
	g.press("p", "k", "k", "k") // nothing is lost by a look at the paths
	g.wants("Payments onboarding")
	g.press("esc", "g", "enter") // the first page fits into the window
	g.wants("P1 Welcome", "We move money.")
	g.refuses("questions")
	g.press("q")
	g.wants("1 of 4 stones done", "● P1")

	g.press("/", "d", "e", "p", "l", "enter")
	g.wants("P2 How we deploy")
	g.press("q")
	g.wants("○ P2", "not read yet")
	g.press("r", "G", "q")
	g.wants("2 of 4 stones done", "● P2", "read to the end")
	read, err := store.Read(t.Context())
	if err != nil || len(read) != 2 || read["team/how-we-deploy"].IsZero() {
		t.Errorf("read: %v %v", read, err)
	}
}

func TestNextPageIsNotOfferedTwice(t *testing.T) {
	r, store := withOwn(t), newStore(t)
	g := newRig(t, Options{Road: r, Path: "team", Progress: store, Workspace: newWorkspace(t, r), Now: func() time.Time { return time.Date(2026, 12, 3, 9, 0, 0, 0, time.UTC) }}, 80, 24)
	g.wants("next: read P1 Welcome · due tomorrow")
	g.press("n", "q")
	g.wants("next: read F2 REST CRUD with net/http · due tomorrow")
}
