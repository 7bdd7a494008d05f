package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/version"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// checkGo holds the Go that grading uses, which is the installed one and never
// a downloaded toolchain, to the version that the exercises ask for.
func (s Subject) checkGo(ctx context.Context) finding {
	want := goDirective(s.GoMod)
	install := "Install Go " + strings.TrimPrefix(want, "go") + " or newer from https://go.dev/dl and open a new terminal."
	path, err := exec.LookPath("go")
	if err != nil {
		return fault(install, "no go command on the PATH")
	}
	cmd := exec.CommandContext(ctx, path, "env", "GOVERSION")
	cmd.Dir = os.TempDir()
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN=local", "GOWORK=off", "GOFLAGS=")
	out, err := cmd.Output()
	if err != nil {
		return fault(install, "%s does not run: %s", path, firstLine(err))
	}
	have := strings.TrimSpace(string(out))
	switch {
	case strings.HasPrefix(have, "devel"):
		return warn("Install a released Go if a grade behaves oddly.", "%s is a development version (%s)", path, have)
	case version.Compare(have, want) < 0:
		return fault(install, "%s is %s, and the exercises need %s", path, have, want)
	}
	if chosen := goEnv(ctx, path, "GOTOOLCHAIN"); pinned(chosen) && version.Compare(chosen, want) < 0 {
		return warn("Run go env -w GOTOOLCHAIN=auto, so that your editor builds what cairn builds.",
			"%s at %s, but GOTOOLCHAIN=%s makes go commands use an older one", have, path, chosen)
	}
	return fine("%s at %s", have, path)
}

// pinned tells whether a GOTOOLCHAIN names one version ("go1.24.1").
func pinned(toolchain string) bool { return version.IsValid(toolchain) }

func goEnv(ctx context.Context, path, name string) string {
	cmd := exec.CommandContext(ctx, path, "env", name)
	cmd.Dir = os.TempDir()
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// goDirective returns the version on the go line of a go.mod, as "go1.26.0".
func goDirective(gomod []byte) string {
	for line := range strings.Lines(string(gomod)) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "go "); ok {
			return "go" + strings.TrimSpace(v)
		}
	}
	return "go1.26"
}

// checkModules asks go itself, offline, whether the cache holds every module of
// the exercises.
func (s Subject) checkModules(ctx context.Context) finding {
	path, err := exec.LookPath("go")
	if err != nil {
		return fault("Install Go first.", "cannot be looked for without a go command")
	}
	dir, err := os.MkdirTemp("", "cairn-doctor-")
	if err != nil {
		return fault("Make "+os.TempDir()+" writable, or set TMPDIR to a folder that is.", "no temporary folder: %s", err)
	}
	defer os.RemoveAll(dir)
	missing, total, err := s.missing(ctx, path, dir)
	if err != nil {
		return fault("Run cairn init, which fetches them, and read what it says.", "go cannot tell: %s", firstLine(err))
	}
	if len(missing) > 0 {
		return fault("Go online and run cairn init in your workspace: it fetches them.",
			"%d of %d are not in the module cache: %s", len(missing), total, some(missing))
	}
	return fine("all %d in the module cache", total)
}

// missing lists the modules of go.mod that the cache lacks, and counts all.
func (s Subject) missing(ctx context.Context, path, dir string) (missing []string, total int, err error) {
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), s.GoMod, 0o600); err != nil {
		return nil, 0, err
	}
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), s.GoSum, 0o600); err != nil {
		return nil, 0, err
	}
	modules := required(s.GoMod)
	if len(modules) == 0 {
		return nil, 0, nil
	}
	cmd := exec.CommandContext(ctx, path, append([]string{"mod", "download", "-json"}, modules...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOTOOLCHAIN=local", "GOWORK=off", "GOFLAGS=-mod=mod")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, runErr := cmd.Output()
	for dec := json.NewDecoder(bytes.NewReader(out)); ; total++ {
		var m struct{ Path, Version, Error string }
		if err := dec.Decode(&m); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, 0, fmt.Errorf("read the list of modules: %w", err)
		}
		if m.Error != "" {
			missing = append(missing, m.Path+"@"+m.Version)
		}
	}
	if runErr != nil && len(missing) == 0 {
		return nil, 0, fmt.Errorf("%w: %s", runErr, strings.TrimSpace(stderr.String()))
	}
	return missing, total, nil
}

// required lists what a go.mod requires, as path@version.
func required(gomod []byte) []string {
	var modules []string
	block := false
	for line := range strings.Lines(string(gomod)) {
		line, _, _ = strings.Cut(line, "//")
		words := strings.Fields(line)
		switch {
		case len(words) == 2 && words[0] == "require" && words[1] == "(":
			block = true
		case len(words) == 1 && words[0] == ")":
			block = false
		case len(words) == 3 && words[0] == "require":
			modules = append(modules, words[1]+"@"+words[2])
		case block && len(words) == 2:
			modules = append(modules, words[0]+"@"+words[1])
		}
	}
	return modules
}

// some names the first few.
func some(names []string) string {
	if len(names) > 3 {
		return strings.Join(names[:3], ", ") + fmt.Sprintf(" and %d more", len(names)-3)
	}
	return strings.Join(names, ", ")
}

// firstLine is the first line of what a command complained about.
func firstLine(err error) string {
	var exit *exec.ExitError
	text := err.Error()
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		text = string(exit.Stderr)
	}
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}
