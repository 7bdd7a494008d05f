package lessons_test

import (
	"io/fs"
	"testing"

	"github.com/cairn-learn/cairn/content"
	"github.com/cairn-learn/cairn/lessons"
)

// realCourse loads the course that cairn ships.
func realCourse(t *testing.T) *lessons.Course {
	t.Helper()
	c, err := lessons.Load(content.FS)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestContentIsValid(t *testing.T) {
	if err := realCourse(t).Validate(); err != nil {
		t.Fatal(err)
	}
}

func TestContentIsWhole(t *testing.T) {
	c := realCourse(t)
	if len(c.Tracks) != 13 {
		t.Errorf("%d tracks, want 13", len(c.Tracks))
	}
	onDisk := 0
	if err := fs.WalkDir(content.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if ok, _ := fs.ValidPath(name), err; ok && !d.IsDir() && len(name) > 3 && name[len(name)-3:] == ".md" {
			onDisk++
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	written := 0
	for _, l := range append(c.Lessons(), c.Pages()...) {
		if l.Written {
			written++
		}
	}
	for _, track := range c.Tracks {
		if track.Opening == nil {
			t.Errorf("track %s has no page that opens it", track.ID)
		}
	}
	if written != onDisk {
		t.Errorf("%d lessons are written, but %d lie in the content folder", written, onDisk)
	}
	for _, id := range []string{"self-paced", "bootcamp", "onboarding"} {
		if c.Path(id) == nil {
			t.Errorf("there is no path %s", id)
		}
	}
	// Who walks the self-paced path meets every stone.
	met := map[string]bool{}
	for _, stage := range c.Path("self-paced").Stages {
		for _, stone := range stage.Stones {
			met[stone] = true
		}
	}
	for _, l := range c.Lessons() {
		if !met[l.Stone] {
			t.Errorf("the self-paced path misses %s", l.Stone)
		}
	}
}
