package tui

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/cairn-learn/cairn/exercises"
	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/internal/doctor"
	"github.com/cairn-learn/cairn/internal/editor"
	"github.com/cairn-learn/cairn/internal/progress/sqlite"
	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/internal/workspace"
	"github.com/cairn-learn/cairn/lessons"
)

// fixture is the road of testdata: fixed, so that pictures of it stay the same
// when the real lessons change.
func fixture(t testing.TB) *road.Road {
	t.Helper()
	course, err := lessons.Load(os.DirFS("testdata/content"))
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := exercises.Load(os.DirFS("testdata/exercises"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := road.Join(course, catalogue)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// recording is a grader that plays back the events of a report of testdata.
// When gate is set, each event waits for one value from it.
type recording struct {
	file  string
	world string // address of the database that it leaves, or ""
	redis string // and of the Redis server
	gate  chan struct{}
	again string // why the examination is repeated after its first checks, or ""

	began chan struct{} // gets one value per grade, when set
	ended chan error    // gets ctx.Err of each grade at its end, when set
}

func (r *recording) Prepare(context.Context, grader.Exercise) error { return nil }

func (r *recording) Grade(ctx context.Context, _ grader.Submission, events func(grader.Event)) (grader.Report, error) {
	if r.began != nil {
		r.began <- struct{}{}
		defer func() { r.ended <- ctx.Err() }()
	}
	rep, err := readReport(r.file)
	if err != nil {
		return rep, err
	}
	if r.world != "" {
		rep.World = &report.World{Service: "postgres", URL: r.world}
	}
	if r.redis != "" {
		rep.Redis = &report.World{Service: "redis", URL: r.redis}
	}
	for _, e := range r.playback(rep) {
		if r.gate != nil {
			select {
			case <-r.gate:
			case <-ctx.Done():
				rep.Verdict = report.Ungraded
				return rep, nil
			}
		}
		events(e)
	}
	return rep, nil
}

func (r *recording) playback(rep report.Report) []grader.Event {
	all := playback(rep)
	if r.again == "" {
		return all
	}
	const first = 12 + 9 + 4 // the checks, the phases before the exam, and two checks
	return slices.Concat(all[:first], []grader.Event{{Kind: grader.Repeated, What: r.again}}, all[12:])
}

// playback are the events that led to a report.
func playback(r report.Report) []grader.Event {
	var out []grader.Event
	for _, c := range r.Checks {
		out = append(out, grader.Event{Kind: grader.CheckListed, Check: report.Check{ID: c.ID, Title: c.Title}})
	}
	for _, p := range r.Phases {
		out = append(out, grader.Event{Kind: grader.PhaseStarted, Phase: p.Name})
		if p.Name == report.PhaseExamine {
			for _, c := range r.Checks {
				out = append(out,
					grader.Event{Kind: grader.CheckStarted, Check: report.Check{ID: c.ID, Title: c.Title}},
					grader.Event{Kind: grader.CheckEnded, Check: c})
			}
		}
		out = append(out, grader.Event{Kind: grader.PhaseEnded, Phase: p.Name, Took: p.Duration})
	}
	if r.Verdict == report.Broken {
		out = append(out, grader.Event{Kind: grader.Complained, Diagnostics: r.Diagnostics})
	}
	return append(out, grader.Event{Kind: grader.Finished, Report: &r})
}

func readReport(file string) (report.Report, error) {
	var r report.Report
	data, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(data, &r)
}

// rig drives the root model without a terminal: it runs the commands that
// Update returns and brings their messages back, as the program's loop does.
type rig struct {
	t       *testing.T
	app     *app
	msgs    chan tea.Msg
	pending int
	quit    bool
	other   []tea.Msg // messages of Bubble Tea itself: clipboard, editor
}

// gated is a recording that a test lets go on, event by event.
func gated(file string) *recording {
	return &recording{file: file, gate: make(chan struct{}), began: make(chan struct{}, 9), ended: make(chan error, 9)}
}

const patience = 20 * time.Second // a test that takes this long has failed

func newRig(t *testing.T, opts Options, width, height int) *rig {
	t.Helper()
	r := startRig(t, opts)
	r.send(tea.WindowSizeMsg{Width: width, Height: height})
	return r
}

// startRig is a rig whose program has begun, in a window without a size yet.
func startRig(t *testing.T, opts Options) *rig {
	t.Helper()
	if opts.Road == nil {
		opts.Road = fixture(t)
	}
	if opts.Grader == nil {
		opts.Grader = &recording{file: "failed.json"}
	}
	if opts.Editor == nil {
		opts.Editor = func() (editor.Editor, error) { return editor.Editor{}, editor.ErrNone }
	}
	if opts.Doctor == nil {
		opts.Doctor = func(context.Context) []doctor.Result { return findings }
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	r := &rig{t: t, app: newApp(ctx, opts), msgs: make(chan tea.Msg, 100)}
	r.spawn(r.app.Init())
	return r
}

func (r *rig) spawn(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	r.pending++
	go func() { r.msgs <- cmd() }()
}

func (r *rig) take(msg tea.Msg) {
	switch m := msg.(type) {
	case nil:
	case tea.BatchMsg:
		for _, cmd := range m {
			r.spawn(cmd)
		}
	case tea.QuitMsg:
		r.quit = true
	default:
		if strings.HasPrefix(typeName(msg), "tea.") {
			r.other = append(r.other, msg)
		}
		_, cmd := r.app.Update(msg)
		r.spawn(cmd)
		r.app.View()
	}
}

// send delivers a message and everything that follows from it.
func (r *rig) send(msg tea.Msg) {
	r.t.Helper()
	r.take(msg)
	r.until(func() bool { return r.pending == 0 })
}

// until delivers messages until a condition holds.
func (r *rig) until(holds func() bool) {
	r.t.Helper()
	late := time.After(patience)
	for !holds() {
		select {
		case msg := <-r.msgs:
			r.pending--
			r.take(msg)
		case <-late:
			r.t.Fatalf("nothing more happens; the screen shows:\n%s", r.text())
		}
	}
}

// await delivers messages until a channel gives a value.
func await[V any](r *rig, from <-chan V) V {
	r.t.Helper()
	late := time.After(patience)
	for {
		select {
		case v := <-from:
			return v
		case msg := <-r.msgs:
			r.pending--
			r.take(msg)
		case <-late:
			r.t.Fatalf("what was waited for never came; the screen shows:\n%s", r.text())
		}
	}
}

// press sends keys one after the other: "enter", "esc", or a letter.
func (r *rig) press(keys ...string) {
	r.t.Helper()
	for _, k := range keys {
		r.send(keyPress(k))
	}
}

func keyPress(name string) tea.KeyPressMsg {
	named := map[string]rune{"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "home": tea.KeyHome, "up": tea.KeyUp, "down": tea.KeyDown, "backspace": tea.KeyBackspace, "pgup": tea.KeyPgUp}
	if code, ok := named[name]; ok {
		return tea.KeyPressMsg{Code: code}
	}
	if name == "space" {
		return tea.KeyPressMsg{Code: ' ', Text: " "}
	}
	if letter, ok := strings.CutPrefix(name, "ctrl+"); ok {
		return tea.KeyPressMsg{Code: rune(letter[0]), Mod: tea.ModCtrl}
	}
	return tea.KeyPressMsg{Code: []rune(name)[0], Text: name}
}

func (r *rig) frame() string { return r.app.View().Content }

// text is what is seen, without styles.
func (r *rig) text() string { return ansi.Strip(r.frame()) }

func (r *rig) wants(texts ...string) {
	r.t.Helper()
	for _, text := range texts {
		if !strings.Contains(r.text(), text) {
			r.t.Errorf("the screen does not show %q:\n%s", text, r.text())
		}
	}
}

func (r *rig) refuses(texts ...string) {
	r.t.Helper()
	for _, text := range texts {
		if strings.Contains(r.text(), text) {
			r.t.Errorf("the screen shows %q:\n%s", text, r.text())
		}
	}
}

// newWorkspace makes a workspace for a road.
func newWorkspace(t *testing.T, r *road.Road) *workspace.Workspace {
	t.Helper()
	w, err := workspace.Init(filepath.Join(t.TempDir(), "ws"), r.Catalogue, "test")
	if err != nil {
		t.Fatal(err)
	}
	store := sqlite.Open(filepath.Join(t.TempDir(), "progress.db"))
	t.Cleanup(func() { _ = store.Close() })
	if err := w.KeepProgress(store); err != nil {
		t.Fatal(err)
	}
	return w
}

// graded makes a workspace in which S4 was started and graded.
func graded(t *testing.T, r *road.Road, file string) *workspace.Workspace {
	t.Helper()
	w := newWorkspace(t, r)
	e, _ := r.Catalogue.Get("lostupdate")
	if _, err := w.Start(e); err != nil {
		t.Fatal(err)
	}
	rep, err := readReport(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.SaveReport(&rep); err != nil {
		t.Fatal(err)
	}
	return w
}
