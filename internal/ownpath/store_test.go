package ownpath_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cairn-learn/cairn/internal/ownpath"
)

func kept(t *testing.T) (string, *ownpath.Path) {
	t.Helper()
	c, err := parse(t, whole)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "paths")
	if err := ownpath.Keep(dir, c.Path); err != nil {
		t.Fatal(err)
	}
	return dir, c.Path
}

func TestKeepAndLoad(t *testing.T) {
	dir, p := kept(t)
	got, err := ownpath.Load(dir, "payments")
	if err != nil || !ownpath.Same(got, p) || got.Pages[0].Text != p.Pages[0].Text {
		t.Errorf("what was kept comes back as %+v %v", got, err)
	}
	all, faults := ownpath.All(dir)
	if len(all) != 1 || len(faults) != 0 || all[0].ID != "payments" {
		t.Errorf("all: %v %v", all, faults)
	}
	r := shipped(t)
	if faults := ownpath.PutOn(r, all); len(faults) != 0 {
		t.Error(faults)
	}
	if s, err := r.Find("how-we-deploy"); err != nil || s.Name() != "P1" {
		t.Errorf("the page is not on the road: %v", err)
	}
	if ownpath.Has("", "payments") || ownpath.Has(dir, "../paths/payments") || !ownpath.Has(dir, "payments") {
		t.Error("Has looks elsewhere than in its folder")
	}
	if err := ownpath.Remove("", "payments"); err != nil || !ownpath.Has(dir, "payments") {
		t.Errorf("without a folder: %v", err)
	}
	if err := ownpath.Remove(dir, "payments"); err != nil {
		t.Error(err)
	}
	if got, err := ownpath.Load(dir, "payments"); got != nil || err != nil {
		t.Errorf("after Remove: %v %v", got, err)
	}
	if all, faults := ownpath.All(filepath.Join(dir, "none")); all != nil || faults != nil {
		t.Errorf("without a folder: %v %v", all, faults)
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	dir, _ := kept(t)
	for name, text := range map[string]string{
		"cut.json":   `{"version":1,"id":"cut","ti`,
		"other.json": `{"version":1,"id":"another","title":"x","stages":[{}]}`,
		"newer.json": `{"version":2,"id":"newer"}`,
		"Notes.json": "not cairn's",
		"notes.txt":  "not cairn's",
	} {
		write(t, filepath.Join(dir, name), text)
	}
	all, faults := ownpath.All(dir)
	if len(all) != 1 || len(faults) != 3 {
		t.Fatalf("%d paths, faults %v", len(all), faults)
	}
	for i, want := range []string{"your path cut is damaged", "was kept by a newer cairn", "your path other is damaged"} {
		if !strings.Contains(faults[i].Error(), want) {
			t.Errorf("fault %d: %v, want %q", i, faults[i], want)
		}
	}
	if !errors.Is(faults[1], ownpath.ErrNewer) {
		t.Errorf("%v is no ErrNewer", faults[1])
	}
}

func TestPathThatTheCourseHasGotSince(t *testing.T) {
	_, p := kept(t)
	p.ID = "onboarding"
	faults := ownpath.PutOn(shipped(t), []*ownpath.Path{p})
	if len(faults) != 1 || faults[0].Error() != "your path onboarding is left out: the course has a path called onboarding" {
		t.Errorf("faults: %v", faults)
	}
}

// TestStepsThatAreGone holds that a path survives a course without one of its
// stones, and a start that was damaged by hand.
func TestStepsThatAreGone(t *testing.T) {
	_, p := kept(t)
	p.Stages[0].Steps = append(p.Stages[0].Steps, "Z99")
	p.Start = "soon"
	r := shipped(t)
	ownpath.PutOn(r, []*ownpath.Path{p})
	route := r.Route("payments")
	if n := len(route.Stones); n != 7 || !route.Stages()[0].Stage.By.IsZero() {
		t.Errorf("%d stones, by %v", n, route.Stages()[0].Stage.By)
	}
}

func TestCompare(t *testing.T) {
	_, old := kept(t)
	c, err := parse(t, strings.NewReplacer("[A3]", "[A3, X6]", "      - F2\n", "").Replace(whole))
	if err != nil {
		t.Fatal(err)
	}
	c.Path.Pages[0].Text += "More.\n"
	got := ownpath.Compare(old, c.Path)
	if !slices.Equal(got.More, []string{"X6"}) || !slices.Equal(got.Gone, []string{"F2"}) || !slices.Equal(got.Rewritten, []string{"payments/how-we-deploy"}) {
		t.Errorf("%+v", got)
	}
	if ownpath.Same(old, c.Path) {
		t.Error("they are not the same")
	}
}

func TestKeepWithoutAPlace(t *testing.T) {
	_, p := kept(t)
	if err := ownpath.Keep("", p); err == nil || !strings.Contains(err.Error(), "HOME is not set") {
		t.Errorf("without home: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "")
	if err := ownpath.Keep(filepath.Join(file, "paths"), p); err == nil || !strings.HasPrefix(err.Error(), "keep the path: ") {
		t.Errorf("in a file: %v", err)
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}
