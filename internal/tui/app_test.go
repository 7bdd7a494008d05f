package tui

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/internal/editor"
)

func TestSmallWindowSaysSoAndRecovers(t *testing.T) {
	r := newRig(t, Options{}, 59, 16)
	r.wants("cairn needs a window of 60 by 16")
	r.send(tea.WindowSizeMsg{Width: 80, Height: 15})
	r.wants("cairn needs a window")
	for _, size := range [][2]int{{60, 16}, {80, 24}, {200, 60}} {
		r.send(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
		r.wants("Foundations")
		fits(t, r.frame(), size[0], size[1])
	}
}

func TestEveryScreenFitsEverySize(t *testing.T) {
	road := fixture(t)
	r := newRig(t, Options{Road: road, Workspace: graded(t, road, "failed.json")}, 80, 24)
	for _, scene := range scenes {
		t.Run(scene.name, func(t *testing.T) {
			r.t = t
			r.press(scene.keys...)
			for _, size := range [][2]int{{60, 16}, {71, 19}, {109, 30}, {110, 30}, {160, 50}, {80, 24}} {
				r.send(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
				fits(t, r.frame(), size[0], size[1])
			}
		})
		for len(r.app.stack) > 1 || r.app.help || r.app.top().Typing() {
			r.press("esc")
		}
	}
}

func TestKeysWalkBetweenScreens(t *testing.T) {
	r := newRig(t, Options{Workspace: newWorkspace(t, fixture(t))}, 80, 24)
	r.wants("next: read F2 REST CRUD with net/http")
	r.press("j", "j", "enter")
	r.wants("Two readers, one writer")
	r.press("x")
	r.wants("A service pays money out of accounts")
	r.press("r")
	r.wants("Two readers, one writer")
	if len(r.app.stack) != 3 {
		t.Errorf("the lesson was opened a second time: %d screens", len(r.app.stack))
	}
	r.press("q")
	r.wants("A service pays money")
	r.press("q")
	r.wants("next:")
	r.press("q")
	if !r.quit {
		t.Error("q on the first screen does not quit")
	}
}

func TestUnwrittenStoneSaysSo(t *testing.T) {
	r := newRig(t, Options{}, 80, 24)
	r.press("g", "enter")
	r.wants("F1 HTTP on the wire is not written yet.")
	r.press("x")
	r.wants("F1 HTTP on the wire has no exercise yet.")
}

func TestFilterFindsByStoneTitleAndTypo(t *testing.T) {
	r := newRig(t, Options{}, 80, 24)
	for typed, want := range map[string]string{"s4": "S4  The lost update", "skew": "S5  Write skew", "qqqq": "nothing found", "cchasde": "D1  Cache-aside"} {
		r.press("/")
		for _, c := range typed {
			r.press(string(c))
		}
		r.wants(want)
		r.press("esc")
	}
	r.press("/", "s", "4", "?")
	if r.app.help {
		t.Error("a question mark opened the help while a text was typed")
	}
}

func TestHelpListsTheKeysOfItsScreen(t *testing.T) {
	r := newRig(t, Options{}, 80, 24)
	r.press("?")
	r.wants("The road", "ctrl+z", "exercise")
	r.press("q")
	r.refuses("ctrl+z")
	if r.quit {
		t.Error("q closed the program instead of the help")
	}
}

func TestWorkspaceIsAskedForAndMade(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	road := fixture(t)
	r := newRig(t, Options{Road: road, Version: "test"}, 80, 24)
	r.press("x")
	r.wants("Your files go to", "~/cairn-work")
	if r.app.View().Cursor == nil {
		t.Error("the prompt has no cursor")
	}
	r.press("enter")
	if _, err := os.Stat(filepath.Join(home, "cairn-work", "restcrud", "restcrud.go")); err != nil {
		t.Errorf("the exercise was not begun: %v", err)
	}
	r.press("q")
	r.wants("started")
}

func TestGradeFillsInChecksLive(t *testing.T) {
	road := fixture(t)
	rec := gated("failed.json")
	r := newRig(t, Options{Road: road, Grader: rec, Workspace: newWorkspace(t, road), Open: "lostupdate"}, 120, 40)
	r.take(keyPress("g"))
	step := func(n int) {
		for range n {
			rec.gate <- struct{}{}
		}
	}
	go step(12)
	r.until(func() bool { return strings.Contains(r.text(), "0 of 12") })
	if !r.app.top().Busy() || r.app.View().ProgressBar == nil {
		t.Error("the window does not show that a grade runs")
	}
	go step(9 + 3) // through the phases before the exam, and one check and a half
	r.until(func() bool { return strings.Contains(r.text(), "1 of 12") })
	r.wants("✓ starts and listens on $PORT")
	close(rec.gate)
	r.until(func() bool { return r.pending == 0 })
	r.wants("6 of 12", "✗ failed", "Saw", "The lost update")
	if w, _ := r.app.workspace.Load().LastReport("lostupdate"); w == nil || w.Verdict != "failed" {
		t.Errorf("the report was not kept: %v", w)
	}
	r.press("q")
	r.wants("last attempt: failed, 6 of 12 checks")
}

// TestRepeatedGradeBeginsAnew holds that what was seen before a grade was repeated
// is taken back.
func TestRepeatedGradeBeginsAnew(t *testing.T) {
	road := fixture(t)
	rec := gated("failed.json")
	rec.again = "cairn was stopped for 9s"
	r := newRig(t, Options{Road: road, Grader: rec, Workspace: newWorkspace(t, road), Open: "lostupdate"}, 120, 40)
	r.take(keyPress("g"))
	step := func(n int) {
		for range n {
			rec.gate <- struct{}{}
		}
	}
	go step(12 + 9 + 4)
	r.until(func() bool { return strings.Contains(r.text(), "2 of 12") })
	go step(1)
	r.until(func() bool { return strings.Contains(r.text(), "cairn was stopped for 9s; once more") })
	r.wants("0 of 12")
	close(rec.gate)
	r.until(func() bool { return r.pending == 0 })
	r.wants("6 of 12", "✗ failed")
}

// TestComplaintsAreShownAtOnce holds that what the compiler said is on the screen
// before the grade has ended.
func TestComplaintsAreShownAtOnce(t *testing.T) {
	road := fixture(t)
	rec := gated("broken.json")
	rep, err := readReport(rec.file)
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, Options{Road: road, Grader: rec, Workspace: newWorkspace(t, road), Open: "lostupdate"}, 120, 40)
	r.take(keyPress("g"))
	go func() {
		for range len(playback(rep)) - 1 { // all but the end
			rec.gate <- struct{}{}
		}
	}()
	r.until(func() bool { return strings.Contains(r.text(), "undefined: balnce") })
	r.wants("esc stops")
	close(rec.gate)
	r.until(func() bool { return r.pending == 0 })
	r.wants("✗ broken", "undefined: balnce")
}

func TestNewGradeCancelsTheOlder(t *testing.T) {
	road := fixture(t)
	rec := gated("failed.json")
	r := newRig(t, Options{Road: road, Grader: rec, Workspace: newWorkspace(t, road), Open: "lostupdate"}, 80, 24)
	r.take(keyPress("g"))
	await(r, rec.began)
	r.take(keyPress("g"))
	await(r, rec.began)
	if err := await(r, rec.ended); err == nil {
		t.Error("the older grade was not cancelled")
	}
	if !r.app.top().Busy() {
		t.Error("the end of the older grade ended the newer")
	}
	close(rec.gate)
	r.until(func() bool { return r.pending == 0 })
	r.wants("6 of 12", "✗ failed")
	if r.app.top().Busy() {
		t.Error("the newer grade has no end")
	}
}

func TestEscapeStopsAGradeAndCountsNothing(t *testing.T) {
	road := fixture(t)
	ws := newWorkspace(t, road)
	rec := gated("failed.json")
	r := newRig(t, Options{Road: road, Grader: rec, Workspace: ws, Open: "lostupdate"}, 80, 24)
	r.take(keyPress("g"))
	await(r, rec.began)
	r.press("esc")
	r.wants("Stopped. Nothing was counted.")
	if rec, _ := ws.Record("lostupdate"); rec.Attempts != 0 {
		t.Errorf("a stopped grade counted as %d attempts", rec.Attempts)
	}
	r.press("esc")
	r.wants("next:")
}

// panicking is a grader with a fault of its own.
type panicking struct{ recording }

func (*panicking) Grade(context.Context, grader.Submission, func(grader.Event)) (grader.Report, error) {
	panic("grader on fire")
}

func TestFaultOfTheGraderIsAnErrorOnTheScreen(t *testing.T) {
	road := fixture(t)
	r := newRig(t, Options{Road: road, Grader: &panicking{}, Workspace: newWorkspace(t, road), Open: "lostupdate"}, 80, 24)
	r.press("g")
	r.wants("cairn's own fault while grading: grader on fire")
	if r.quit || r.app.top().Busy() {
		t.Error("the program did not go on")
	}
}

func TestVerdictsSayWhatToDo(t *testing.T) {
	for file, wants := range map[string][]string{
		"broken.json":   {"does not compile", "lostupdate.go:42:10", "undefined: balnce", "return balnce, nil", "^", "Is it spelled", "Next"},
		"ungraded.json": {"Docker does not answer", "start Docker"},
	} {
		t.Run(file, func(t *testing.T) {
			road := fixture(t)
			r := newRig(t, Options{Road: road, Workspace: graded(t, road, file), Open: "lostupdate"}, 80, 24)
			r.wants(wants...)
			fits(t, r.frame(), 80, 24)
		})
	}
}

func TestHintsAreAskedForAndRemembered(t *testing.T) {
	road := fixture(t)
	ws := newWorkspace(t, road)
	r := newRig(t, Options{Road: road, Workspace: ws, Open: "lostupdate"}, 80, 24)
	r.press("h")
	r.wants("Show hint 1 of 3: where to look?")
	r.press("n")
	r.refuses("Look at withdraw")
	r.press("h", "y")
	r.wants("Look at withdraw")
	if n := ws.HintsSeen("lostupdate"); n != 1 {
		t.Errorf("%d hints are remembered, want 1", n)
	}
}

func TestEditorGetsTheTerminalOrItsOwnWindow(t *testing.T) {
	road := fixture(t)
	find := func() (editor.Editor, error) { return editor.Editor{Path: "/bin/true"}, nil }
	r := newRig(t, Options{Road: road, Workspace: newWorkspace(t, road), Open: "lostupdate", Editor: find}, 80, 24)
	r.press("e")
	if len(r.other) == 0 || typeName(r.other[len(r.other)-1]) != "tea.execMsg" {
		t.Errorf("the terminal was not handed over: %T", r.other)
	}
	window := func() (editor.Editor, error) { return editor.Editor{Path: "/bin/false", Window: true}, nil }
	r = newRig(t, Options{Road: road, Workspace: newWorkspace(t, road), Open: "lostupdate", Editor: window}, 80, 24)
	r.press("e")
	r.wants("your editor ended with an error")
	none := newRig(t, Options{Road: road, Workspace: newWorkspace(t, road), Open: "lostupdate"}, 80, 24)
	none.press("e")
	none.wants("no editor found")
}

// faulty is a screen that panics where it is told to.
type faulty struct {
	screen
	in string
}

func (f faulty) Update(msg tea.Msg) tea.Cmd {
	if _, ok := msg.(tea.KeyPressMsg); !ok {
		return f.screen.Update(msg)
	}
	switch f.in {
	case "update":
		panic("fault in Update")
	case "command":
		return tea.Batch(func() tea.Msg { panic("fault in a command") })
	}
	return nil
}

func (f faulty) View(width, height int) (string, *tea.Cursor) {
	if f.in == "view" {
		panic("fault in View")
	}
	return f.screen.View(width, height)
}

func TestPanicEndsInOrderWithAReport(t *testing.T) {
	for _, in := range []string{"update", "command", "view"} {
		t.Run(in, func(t *testing.T) {
			r := newRig(t, Options{}, 80, 24)
			r.app.wake = func(msg tea.Msg) { r.msgs <- msg }
			r.app.push(faulty{r.app.top(), in})
			if in == "view" {
				r.app.View()
				r.pending++
				r.until(func() bool { return r.quit })
			} else {
				r.press("j")
			}
			if !r.quit || !r.app.crash.happened() {
				t.Fatalf("quit %v, crash noted %v", r.quit, r.app.crash.happened())
			}
			var crashed *CrashError
			if err := r.app.crash.err("test"); !errors.As(err, &crashed) {
				t.Fatalf("error %v", err)
			}
			data, err := os.ReadFile(crashed.Path)
			if err != nil || !strings.Contains(string(data), "fault in") || !strings.Contains(string(data), "faulty") {
				t.Errorf("the crash report does not tell the fault and where: %v\n%s", err, data)
			}
			_ = os.Remove(crashed.Path)
		})
	}
}

func TestEnterAfterAPassGoesBackToTheRoad(t *testing.T) {
	road := fixture(t)
	ws := graded(t, road, "failed.json")
	r := newRig(t, Options{Road: road, Workspace: ws}, 80, 24)
	r.press("r", "x", "enter")
	r.refuses("on along the road")
	if len(r.app.stack) != 3 {
		t.Errorf("enter left an exercise that is not passed: %d screens", len(r.app.stack))
	}
	rep, err := readReport("failed.json")
	if err != nil {
		t.Fatal(err)
	}
	rep.Verdict = report.Passed
	for i := range rep.Checks {
		rep.Checks[i].Status = report.CheckPassed
	}
	if err := ws.SaveReport(&rep); err != nil {
		t.Fatal(err)
	}
	r = newRig(t, Options{Road: road, Workspace: ws}, 80, 24)
	r.press("j", "j", "r", "x")
	r.wants("S4 The lost update", "12 of 12", "enter on along the road")
	r.press("enter")
	r.wants("1 of 2 stones done")
	if len(r.app.stack) != 1 {
		t.Errorf("%d screens are left, want the road alone", len(r.app.stack))
	}
}
