package grader

import (
	"path/filepath"
	"testing"

	"github.com/cairn-learn/cairn/grader/report"
)

func TestPrepareCompilesWhatStartersImport(t *testing.T) {
	g := newGrader(t)
	e := probe()
	e.Packages = []string{"encoding/xml", "net/http"}
	if g.isWarm(g.buildRequest(e, "", false)) {
		t.Fatal("warm before anything was compiled")
	}
	if err := g.Prepare(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if !g.isWarm(g.buildRequest(e, "", false)) {
		t.Error("not warm after Prepare")
	}
	e.Packages = []string{"example.com/not/there"}
	if err := g.Prepare(t.Context(), e); err == nil {
		t.Error("a package that cannot be had is prepared without an error")
	}
}

// TestSlowFirstCompilation lets the compiler run out of time at once: the
// dependencies are then compiled without that limit, and the verdict is still
// the learner's limit when their own code is what takes so long.
func TestSlowFirstCompilation(t *testing.T) {
	g := newGrader(t)
	e := probe()
	e.Limits.Build = 1
	r, err := g.Grade(t.Context(), Submission{Exercise: e, Dir: filepath.Join(cases(t), "honest")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Verdict != report.Limit || !g.isWarm(g.buildRequest(e, "", false)) {
		t.Errorf("verdict %s (%s), warm %v; want limit, after the dependencies were compiled",
			r.Verdict, r.Reason, g.isWarm(g.buildRequest(e, "", false)))
	}
}
