package exercises

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cairn-learn/cairn/grader/build"
)

// What can't lie in an exercise's folder as it is, such as a go.mod, comes out of an archive.
func TestGivenArchive(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	fsys := folder()
	fsys["transfer/exercise.yaml"] = file(strings.NewReplacer(
		"kind: program", "kind: image", "edit: [transfer.go]", "edit: [Dockerfile]\ngiven: [context.txtar]",
	).Replace(goodManifest))
	fsys["transfer/context.txtar"] = file("A comment.\n-- go.mod --\nmodule m\n-- cmd/main.go --\npackage main\n")
	for _, dir := range []string{"", "starter/", "alternatives/branch/"} {
		fsys["transfer/"+dir+"Dockerfile"] = file("FROM scratch\n")
	}
	e := mustLoad(t, fsys)
	spec := e.Spec()
	if got := slices.Sorted(maps.Keys(spec.Given)); strings.Join(got, " ") != "cmd/main.go go.mod" || string(spec.Given["go.mod"]) != "module m\n" || spec.Kind != build.Image {
		t.Errorf("%v %+v", got, spec.Kind)
	}
	if got := e.Services(); len(got) == 0 || got[0] != "docker" {
		t.Errorf("%v", got)
	}
	fsys["transfer/context.txtar"] = file("-- Dockerfile --\nFROM alpine\n")
	if _, err := Load(fsys); err == nil || !strings.Contains(err.Error(), `"Dockerfile" can't be a given file`) {
		t.Error(err)
	}
}
