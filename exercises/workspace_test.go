package exercises

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// TestWorkspaceVersions holds the versions that learners build with to those
// that this repository is tested with.
func TestWorkspaceVersions(t *testing.T) {
	mod := parseMod(t, "workspace/go.mod.tmpl")
	root := parseMod(t, "../go.mod")
	if mod.Module.Mod.Path != Module {
		t.Errorf("the workspace's module is %s, want %s", mod.Module.Mod.Path, Module)
	}
	if mod.Go.Version != root.Go.Version {
		t.Errorf("the workspace is at go %s, and this module at go %s", mod.Go.Version, root.Go.Version)
	}
	if len(mod.Replace)+len(mod.Exclude) > 0 || mod.Toolchain != nil {
		t.Error("the workspace replaces, excludes or pins a toolchain")
	}
	versions := map[string]string{}
	for _, r := range root.Require {
		versions[r.Mod.Path] = r.Mod.Version
	}
	for _, r := range mod.Require {
		if versions[r.Mod.Path] != r.Mod.Version {
			t.Errorf("workspace/go.mod.tmpl requires %s %s, and go.mod %s", r.Mod.Path, r.Mod.Version, versions[r.Mod.Path])
		}
	}
}

func parseMod(t *testing.T, name string) *modfile.File {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := modfile.Parse(name, data, nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestLearnersOwnCommands has every starter in one workspace, and runs there what learners and their
// editors run: with the workspace's own go.mod, and no network. How each version is built for a grade
// is the gate's business.
func TestLearnersOwnCommands(t *testing.T) {
	c, err := Load(FS)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	put := func(name string, data []byte) {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("go.mod", c.GoMod())
	put("go.sum", c.GoSum())
	for _, e := range c.All() {
		files, err := e.Starter()
		if err != nil {
			t.Fatal(err)
		}
		for name, data := range files {
			put(e.ID+"/"+name, data)
		}
	}
	cmd := exec.Command("go", "vet", "-mod=readonly", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=", "GOWORK=off", "GOTOOLCHAIN=local", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, strings.TrimSpace(string(out)))
	}
}

// TestWorkspaceRequiresNoMoreThanIsUsed keeps the learner's module small: every
// direct requirement is imported by some exercise.
func TestWorkspaceRequiresNoMoreThanIsUsed(t *testing.T) {
	c, err := Load(FS)
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for _, e := range c.All() {
		others, err := e.Alternatives()
		if err != nil {
			t.Fatal(err)
		}
		reference, err := e.Solution()
		if err != nil {
			t.Fatal(err)
		}
		others["solution"] = reference
		for _, files := range others {
			for _, data := range files {
				source.Write(data)
			}
		}
	}
	for _, r := range parseMod(t, "workspace/go.mod.tmpl").Require {
		if !r.Indirect && !strings.Contains(source.String(), `"`+r.Mod.Path) {
			t.Errorf("workspace/go.mod.tmpl requires %s, which no exercise imports", r.Mod.Path)
		}
	}
}
