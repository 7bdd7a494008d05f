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

	"github.com/cairn-learn/cairn/grader/process"
	"github.com/cairn-learn/cairn/grader/services"
)

func engine(images ...services.ImageInfo) func(context.Context) (services.HostInfo, error) {
	return func(context.Context) (services.HostInfo, error) {
		return services.HostInfo{Kind: "containers", Engine: services.EngineInfo{Host: "unix:///run/docker.sock", Version: "20.10.24", APIVersion: "1.41", OS: "linux/amd64", Images: images}}, nil
	}
}

func installed(programs ...services.ProgramInfo) func(context.Context) (services.HostInfo, error) {
	return func(context.Context) (services.HostInfo, error) {
		return services.HostInfo{Kind: "native", Programs: programs}, nil
	}
}

func noEngine(err error) func(context.Context) (services.HostInfo, error) {
	return func(context.Context) (services.HostInfo, error) { return services.HostInfo{}, err }
}

var redis = services.ImageInfo{Service: "redis", Name: "redis:8", Present: true, Size: 60 << 20}

const gomod = "module example.com/m\n\ngo 1.26\n"

func healthy(t *testing.T) Subject {
	t.Setenv("EDITOR", "true")
	t.Setenv("VISUAL", "")
	return Subject{
		GoMod:     []byte(gomod),
		Workspace: func() (string, error) { return "/home/ada/cairn", nil },
		Settings:  func() (string, error) { return "", nil },
		Folders:   []Folder{{"state", filepath.Join(t.TempDir(), "state")}},
		Host:      engine(redis),
		Limits:    func() process.Keeper { return process.Keeper{By: process.ByGroupV2, Where: "/sys/fs/cgroup/a"} },
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
	if len(results) != 11 {
		t.Errorf("%d results, want 11", len(results))
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
			s.Host = noEngine(fmt.Errorf("ping: %w", &services.Unavailable{What: "Docker is not there", Do: "start it"}))
		}},
		{"no docker, no images", "images", "without Docker", "Put Docker right first", Warn, func(s *Subject) { s.Host = noEngine(errors.New("gone")) }},
		{"no image", "images", "not here yet: pg:17", "docker pull pg:17", Fault, func(s *Subject) {
			s.Host = engine(services.ImageInfo{Name: "pg:17"}, redis)
		}},
		{"native", "engine", "PostgreSQL 15.20 (/usr/bin/postgres), Redis 7.0", "", OK, func(s *Subject) {
			s.Host = installed(services.ProgramInfo{Service: "postgres", Path: "/usr/bin/postgres", Version: "15.20"}, services.ProgramInfo{Service: "redis", Path: "/r", Version: "7.0"})
		}},
		{"native without redis", "engine", "the server of Redis is not installed", "apt install redis-server", Warn, func(s *Subject) {
			s.Host = installed(services.ProgramInfo{Service: "postgres", Path: "/usr/bin/postgres", Version: "15.20"})
		}},
		{"native, no images", "images", "not needed", "", OK, func(s *Subject) { s.Host = installed(services.ProgramInfo{Service: "redis"}) }},
		{"control groups", "limits", "a control group for each program (cgroup v2), in /sys/fs/cgroup/a", "", OK, func(*Subject) {}},
		{"watcher", "limits", "a watcher, which looks every 50 ms: the kernel has none", "", OK, func(s *Subject) {
			s.Limits = func() process.Keeper { return process.Keeper{By: process.ByWatcher, Why: "the kernel has none"} }
		}},
		{"watcher, needlessly", "limits", "a watcher", "-p Delegate=yes cairn", OK, func(s *Subject) {
			s.Limits = func() process.Keeper {
				return process.Keeper{By: process.ByWatcher, Why: "somebody else's", Give: true}
			}
		}},
		{"no limits", "limits", "nothing keeps", "", OK, func(s *Subject) { s.Limits = func() process.Keeper { return process.Keeper{By: process.ByNobody} } }},
		{"folder", "folders", "state cannot be written", "XDG_STATE_HOME", Fault, func(s *Subject) { s.Folders = []Folder{{"state", filepath.Join(file, "x")}} }},
		{"no home", "folders", "HOME is not set", "Set HOME", Fault, func(s *Subject) { s.Folders = []Folder{{"state", "state"}} }},
		{"editor", "editor", "EDITOR=nothere", "Install it or set EDITOR", Fault, func(*Subject) { t.Setenv("EDITOR", "nothere") }},
		{"editor of the settings", "editor", "editor nothere: nothere is no program", "choose another", Fault, func(s *Subject) {
			t.Setenv("EDITOR", "")
			s.Editor = "nothere"
		}},
		{"damaged settings", "settings", "config.yaml:3: unknown key", "leaves the file alone", Fault, func(s *Subject) {
			s.Settings = func() (string, error) { return "", errors.New("config.yaml:3: unknown key") }
		}},
		{"elsewhere", "workspace", "is in no workspace", "cairn init", Warn, func(s *Subject) { s.Workspace = func() (string, error) { return "", nil } }},
		{"newer workspace", "workspace", "made by a newer cairn", "cairn init", Fault, func(s *Subject) {
			s.Workspace = func() (string, error) { return "", errors.New("made by a newer cairn") }
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

func TestResultsAreToldAsTheyCome(t *testing.T) {
	s := healthy(t)
	told := map[string]Result{}
	s.Each = func(r Result) { told[r.ID] = r }
	for _, r := range Examine(t.Context(), s) {
		if told[r.ID] != r {
			t.Errorf("%s was told as %+v, and is %+v", r.ID, told[r.ID], r)
		}
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
	end := make(chan struct{})
	t.Cleanup(func() { close(end) })
	s.Deadline = 100 * time.Millisecond
	s.Host = func(context.Context) (services.HostInfo, error) { // does not even notice that nobody waits any longer
		<-end
		return services.HostInfo{}, errors.New("too late")
	}
	r := find(t, Examine(t.Context(), s), "engine")
	if r.Status != Fault || r.Saw != "no answer within 100ms" || r.Do == "" {
		t.Errorf("got %+v", r)
	}
}
