package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var errNowhere = errors.New("no workspace")

type fakeEngine struct {
	info EngineInfo
	err  error
}

func (e fakeEngine) Engine(context.Context) (EngineInfo, error) { return e.info, e.err }

// hanging is an engine that answers nothing and does not even notice that
// nobody waits any longer.
type hanging struct{ until chan struct{} }

func (h hanging) Engine(context.Context) (EngineInfo, error) {
	<-h.until
	return EngineInfo{}, errors.New("too late")
}

const gomod = "module example.com/m\n\ngo 1.26\n"

func healthy(t *testing.T) Subject {
	t.Setenv("EDITOR", "true")
	t.Setenv("VISUAL", "")
	return Subject{
		GoMod:       []byte(gomod),
		Workspace:   func() (string, error) { return "/home/ada/cairn", nil },
		NoWorkspace: errNowhere,
		Folders:     []Folder{{"state", filepath.Join(t.TempDir(), "state")}},
		Engine:      fakeEngine{info: EngineInfo{Name: "Docker 20.10", Images: []Image{{"redis:8", true}}}},
	}
}

func find(t *testing.T, results []Result, id string) Result {
	t.Helper()
	for _, r := range results {
		if r.ID == id {
			return r
		}
	}
	t.Fatalf("no result %q in %+v", id, results)
	return Result{}
}

func TestHealthy(t *testing.T) {
	results := Examine(t.Context(), healthy(t))
	for _, r := range results {
		// The disk of whoever runs this may be nearly full; that is what it would say.
		if r.ID != "disk" && r.Status != OK {
			t.Errorf("%+v", r)
		}
	}
	if len(results) != 9 {
		t.Errorf("%d results, want 9", len(results))
	}
}

func TestFaultsSayWhatToDo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, id, saw, do string
		status            Status
		change            func(*Subject)
	}{
		{"old go", "go", "the exercises need go1.99", "Install Go 1.99", Fault, func(s *Subject) { s.GoMod = []byte("module m\ngo 1.99\n") }},
		{"no go", "go", "no go command", "Install Go 1.26", Fault, func(*Subject) { t.Setenv("PATH", t.TempDir()) }},
		{"missing module", "modules", "1 of 1 are not in the module cache: example.com/gone@v1.0.0", "cairn init", Fault, func(s *Subject) {
			s.GoMod = []byte(gomod + "require example.com/gone v1.0.0\n")
		}},
		{"no docker", "engine", "Docker is not there", "Start it.", Fault, func(s *Subject) {
			s.Engine = fakeEngine{err: fmt.Errorf("ping: %w", &Trouble{"Docker is not there", "Start it."})}
		}},
		{"no docker, no images", "images", "without Docker", "Start Docker first", Fault, func(s *Subject) { s.Engine = fakeEngine{err: errors.New("gone")} }},
		{"no image", "images", "not here yet: pg:17", "docker pull pg:17", Fault, func(s *Subject) {
			s.Engine = fakeEngine{info: EngineInfo{Images: []Image{{"redis:8", true}, {"pg:17", false}}}}
		}},
		{"folder", "folders", "state cannot be written", "XDG_STATE_HOME", Fault, func(s *Subject) { s.Folders = []Folder{{"state", filepath.Join(file, "x")}} }},
		{"no home", "folders", "HOME is not set", "Set HOME", Fault, func(s *Subject) { s.Folders = []Folder{{"state", "state"}} }},
		{"editor", "editor", "EDITOR=nothere", "Install it or set EDITOR", Fault, func(*Subject) { t.Setenv("EDITOR", "nothere") }},
		{"elsewhere", "workspace", "is in no workspace", "cairn init", Warn, func(s *Subject) { s.Workspace = func() (string, error) { return "", errNowhere } }},
		{"newer workspace", "workspace", "made by a newer cairn", "Update cairn.", Fault, func(s *Subject) {
			s.Workspace = func() (string, error) { return "", &Trouble{"made by a newer cairn", "Update cairn."} }
		}},
	}
	path := os.Getenv("PATH")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := healthy(t)
			t.Setenv("PATH", path)
			tt.change(&s)
			r := find(t, Examine(context.Background(), s), tt.id)
			if r.Status != tt.status || !strings.Contains(r.Saw, tt.saw) || !strings.Contains(r.Do, tt.do) {
				t.Errorf("got %+v, want %s with %q and %q", r, tt.status, tt.saw, tt.do)
			}
			if got := Sick([]Result{r}); got != (tt.status == Fault) {
				t.Errorf("Sick is %v for a %s", got, tt.status)
			}
		})
	}
}

func TestModulesInTheCacheAreFound(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Path}} {{.Version}}", "golang.org/x/sys").Output()
	if err != nil {
		t.Fatal(err)
	}
	s := healthy(t)
	s.GoMod = []byte(gomod + "require (\n\t" + strings.TrimSpace(string(out)) + " // indirect\n)\n")
	if s.GoSum, err = os.ReadFile(filepath.Join("..", "..", "go.sum")); err != nil {
		t.Fatal(err)
	}
	if r := find(t, Examine(t.Context(), s), "modules"); r.Status != OK || r.Saw != "all 1 in the module cache" {
		t.Errorf("got %+v", r)
	}
}

func TestAHangingEngineDoesNotHangTheDoctor(t *testing.T) {
	s := healthy(t)
	h := hanging{make(chan struct{})}
	t.Cleanup(func() { close(h.until) })
	s.Engine, s.Deadline = h, 100*time.Millisecond
	r := find(t, Examine(t.Context(), s), "engine")
	if r.Status != Fault || r.Saw != "no answer within 100ms" || r.Do == "" {
		t.Errorf("got %+v", r)
	}
}
