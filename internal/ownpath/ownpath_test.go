package ownpath_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cairn-learn/cairn/content"
	"github.com/cairn-learn/cairn/exercises"
	"github.com/cairn-learn/cairn/internal/ownpath"
	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/lessons"
)

var start = time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)

// shipped is the road of this cairn.
func shipped(t testing.TB) *road.Road {
	t.Helper()
	course, err := lessons.Load(content.FS)
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := exercises.Load(exercises.FS)
	if err != nil {
		t.Fatal(err)
	}
	r, err := road.Join(course, catalogue)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const whole = `id: payments
title: Payments
summary: What you need.
stages:
  - title: First
    by: day 5
    stones:
      - page: pages/How we Deploy.md
      - F2
      - SQL/Constraints
      - gracefulShutdown
  - title: Then
    by: 2026-12-15
    stones: [A1, welcome]
  - title: At last
    stones: [A3]
`

// pages are those that a path file finds beside it.
type pages map[string]string

func (p pages) read(name string) ([]byte, error) {
	text, ok := p[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return []byte(text), nil
}

var deploy = pages{"pages/How we Deploy.md": "\ufeffSome words.\r\n\r\n## How *we* deploy\r\n\r\n\tmake\r\n", "x.md": "# X\n", "a/x.md": "# X\n"}

func parse(t testing.TB, text string) (*ownpath.Checked, error) {
	t.Helper()
	return ownpath.Parse("path.yaml", []byte(text), shipped(t), start, deploy.read)
}

func TestParse(t *testing.T) {
	c, err := parse(t, whole)
	if err != nil {
		t.Fatal(err)
	}
	p := c.Path
	var got []string
	for _, s := range p.Stages {
		got = append(got, s.Title+"/"+s.By+"/"+strings.Join(s.Steps, " "))
	}
	want := []string{"First/day 5/payments/how-we-deploy F2 S1 F6", "Then/2026-12-15/A1 0", "At last//A3"}
	if !slices.Equal(got, want) {
		t.Errorf("stages: %q", got)
	}
	if len(p.Pages) != 1 || p.Pages[0].Title != "How we deploy" || p.Pages[0].Text != "Some words.\n\n## How *we* deploy\n\n\tmake\n" {
		t.Errorf("pages: %+v", p.Pages)
	}
	if want := []string{"path.yaml:11: F6 comes after F3 and F5, which this path leaves out", "path.yaml:14: A1 comes after F3, which this path leaves out"}; !slices.Equal(c.Notes, want) {
		t.Errorf("notes: %q", c.Notes)
	}
	path, found := p.Lessons()
	if d := path.Stages[0].By.Format(time.DateOnly) + " " + path.Stages[1].By.Format(time.DateOnly); d != "2026-12-04 2026-12-15" || !path.Stages[2].By.IsZero() {
		t.Errorf("days: %s, %v", d, path.Stages[2].By)
	}
	text, err := found[0].Markdown()
	if err != nil || !strings.HasPrefix(text, "Some words.") || found[0].Stone != "P1" || !found[0].Page || found[0].Minutes != 1 {
		t.Errorf("the page as a lesson: %+v %v", found[0], err)
	}
}

// head is a path file up to its stages.
const head = "id: x\ntitle: t\nsummary: s\nstages:\n"

// stones is a path file whose only stage has these stones.
func stones(list string) string { return head + "  - title: a\n    stones: " + list + "\n" }

func TestRefusals(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"empty":               {"", "path.yaml:1: the file is empty"},
		"no id":               {"title: t\nsummary: s\nstages: [{title: a, stones: [F2]}]", "path.yaml:1: the path has no id; give it one word that it goes by, such as id: payments"},
		"id with a blank":     {strings.Replace(stones("[F2]"), "id: x", "id: My Path", 1), `path.yaml:1: path id "My Path" is not lower-case words joined by dashes, 40 letters at most`},
		"id of a command":     {strings.Replace(stones("[F2]"), "id: x", "id: show", 1), "path.yaml:1: a path can't be called show, for cairn path show means something else"},
		"id of the course":    {strings.Replace(stones("[F2]"), "id: x", "id: onboarding", 1), "path.yaml:1: the course has a path called onboarding; choose another id"},
		"id of a track":       {strings.Replace(stones("[F2]"), "id: x", "id: sql", 1), "path.yaml:1: the course has a track called sql; choose another id"},
		"no title":            {strings.Replace(stones("[F2]"), "title: t\n", "", 1), "path.yaml:1: the path has no title"},
		"invisible title":     {strings.Replace(stones("[F2]"), "title: t\n", "title: \"\\e[31m\"\n", 1), "path.yaml:2: the title of the path has nothing that can be shown"},
		"long title":          {strings.Replace(stones("[F2]"), "title: t\n", "title: "+strings.Repeat("é", 61)+"\n", 1), "path.yaml:2: the title of the path has 61 characters; 60 are the most"},
		"two lines":           {strings.Replace(stones("[F2]"), "summary: s", "summary: |\n  a\n  b", 1), "path.yaml:3: the summary of the path has more than one line"},
		"no stages":           {"id: x\ntitle: t\nsummary: s\nstages: []\n", "path.yaml:1: the path has no stages"},
		"mistyped key":        {strings.Replace(stones("[F2]"), "stones:", "stone:", 1), `path.yaml:6: unknown key "stone"; the nearest is stones`},
		"no stones":           {stones("[]"), "path.yaml:5: stage 1 has no stones"},
		"mistyped stone":      {stones("[F2,\n      lostupdat]"), `path.yaml:7: there is no exercise, lesson or stone called "lostupdat"; the nearest is lostupdate`},
		"stone twice":         {stones("[S4,\n      sql/lost-update]"), "path.yaml:7: the path leads over sql/lost-update twice; first in line 6"},
		"number":              {stones("[4]"), "path.yaml:6: 4 is no name of a stone"},
		"empty entry":         {stones("\n      - F2\n      -"), "path.yaml:8: there is an empty entry among the stones"},
		"more than a page":    {stones("[{page: x.md, title: y}]"), "path.yaml:6: a stone is a name such as S4, or a page such as page: pages/how-we-deploy.md, and nothing else"},
		"page as a stone":     {stones("[x.md]"), `path.yaml:6: "x.md" is no stone; a page is written - page: x.md`},
		"page twice":          {stones("[{page: x.md}, {page: x.md}]"), "path.yaml:6: the path leads over x.md twice; first in line 6"},
		"pages of one name":   {stones("[{page: x.md}, {page: a/x.md}]"), "path.yaml:6: pages x.md and a/x.md would both be called x; rename one"},
		"page above":          {stones("[{page: ../x.md}]"), `path.yaml:6: page "../x.md" does not lie in the folder of the path file; write it from there, with / and without ..`},
		"page by a detour":    {stones("[{page: a/../x.md}]"), `path.yaml:6: page "a/../x.md" does not lie in the folder of the path file; write it from there, with / and without ..`},
		"page of the root":    {stones("[{page: /x.md}]"), `path.yaml:6: page "/x.md" does not lie in the folder of the path file; write it from there, with / and without ..`},
		"page of Windows":     {stones(`[{page: 'a\x.md'}]`), `path.yaml:6: page "a\\x.md" does not lie in the folder of the path file; write it from there, with / and without ..`},
		"page that is none":   {stones("[{page: x.html}]"), `path.yaml:6: page "x.html" is no Markdown file (.md)`},
		"day as a word":       {head + "  - title: a\n    by: friday\n    stones: [F2]\n", `path.yaml:6: "friday" is no day: write a date such as 2026-12-15, or day 5, where day 1 is the day the path is first used`},
		"day that is none":    {head + "  - title: a\n    by: 2026-02-30\n    stones: [F2]\n", `path.yaml:6: "2026-02-30" is no day: write a date such as 2026-12-15, or day 5, where day 1 is the day the path is first used`},
		"day 0":               {head + "  - title: a\n    by: day 0\n    stones: [F2]\n", `path.yaml:6: "day 0" is no day: write a date such as 2026-12-15, or day 5, where day 1 is the day the path is first used`},
		"alias":               {"id: &a x\ntitle: *a\n", "path.yaml:1: a path file has no anchors (&) and aliases (*); write it out"},
		"nested":              {strings.Repeat("[", 60_000), "path.yaml:1: this is nested too deep for a path file"},
		"nested by dashes":    {strings.Repeat("- ", 30_000), "path.yaml:1: this is nested too deep for a path file"},
		"another encoding":    {"id: x\ntitle: \xff\n", "path.yaml:2: the file is not UTF-8"},
		"page of another one": {stones("[P1]"), `path.yaml:6: there is no exercise, lesson or stone called "P1"; the nearest is F1`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse(t, tt.text)
			if err == nil || err.Error() != tt.want {
				t.Errorf("\ngot  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestNotes(t *testing.T) {
	c, err := parse(t, head+"  - {title: a, by: 2026-12-20, stones: [F3]}\n  - {title: b, by: day 2, stones: [F2]}\n  - {title: c, by: 2026-01-01, stones: [F5]}\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"path.yaml:6: stage 2 is due before a stage that stands above it",
		"path.yaml:7: stage 3 is due before a stage that stands above it",
		"path.yaml:5: F3 comes after F2, which this path has only later",
	}
	if !slices.Equal(c.Notes, want) {
		t.Errorf("notes: %q", c.Notes)
	}
}

// folder is a path file of one page in a folder of its own.
func folder(t *testing.T, page string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "pages"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "path.yaml"), stones("[{page: "+page+"}]"))
	write(t, filepath.Join(dir, "pages", "good.md"), "# Good\n")
	return dir
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestRead(t *testing.T) {
	r := shipped(t)
	dir := folder(t, "pages/good.md")
	for _, name := range []string{dir, filepath.Join(dir, "path.yaml")} {
		c, err := ownpath.Read(name, r, start)
		if err != nil || c.Path.From != filepath.Join(dir, "path.yaml") || c.Path.Pages[0].Title != "Good" {
			t.Errorf("Read(%s): %+v %v", name, c, err)
		}
	}
	if _, err := ownpath.Read(filepath.Join(dir, "pages"), r, start); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder without a path file: %v", err)
	}
	write(t, filepath.Join(dir, "path.yaml"), strings.Repeat("# words\n", 10_000))
	if _, err := ownpath.Read(dir, r, start); err == nil || !strings.Contains(err.Error(), "more than 64 KB") {
		t.Errorf("a large file: %v", err)
	}
}

func TestPagesThatAreRefused(t *testing.T) {
	r := shipped(t)
	for page, tt := range map[string]struct {
		make func(dir string) error
		want string
	}{
		"pages/god.md":       {func(string) error { return nil }, "there is no such file beside the path file; the nearest is pages/good.md"},
		"page/good.md":       {func(string) error { return nil }, "there is no such file beside the path file; the nearest is pages"},
		"pages/link.md":      {func(d string) error { return os.Symlink("good.md", d+"/pages/link.md") }, "pages/link.md is a symbolic link; put the file itself there"},
		"away/good.md":       {func(d string) error { return os.Symlink("pages", d+"/away") }, "away is a symbolic link; put the file itself there"},
		"pages/dir.md":       {func(d string) error { return os.Mkdir(d+"/pages/dir.md", 0o755) }, "it is no regular file"},
		"pages/pipe.md":      {func(d string) error { return syscall.Mkfifo(d+"/pages/pipe.md", 0o644) }, "it is no regular file"},
		"pages/good.md/x.md": {func(string) error { return nil }, "pages/good.md is no folder"},
		"pages/large.md":     {func(d string) error { return os.WriteFile(d+"/pages/large.md", make([]byte, 300<<10), 0o644) }, "it has 300 KB; a page may have 256"},
		"pages/latin.md":     {func(d string) error { return os.WriteFile(d+"/pages/latin.md", []byte("# A\n\xe9t\xe9\n"), 0o644) }, "it is not UTF-8 (line 2)"},
		"pages/deep.md": {func(d string) error {
			return os.WriteFile(d+"/pages/deep.md", []byte("# A\n\n"+strings.Repeat("> ", 13)+"x\n"), 0o644)
		}, "quotes and lists stand 13 deep in each other; 12 are the most"},
		"pages/nul.md":   {func(d string) error { return os.WriteFile(d+"/pages/nul.md", []byte("# A\x00\n"), 0o644) }, "it is no text (it has a NUL byte)"},
		"pages/empty.md": {func(d string) error { return os.WriteFile(d+"/pages/empty.md", nil, 0o644) }, "it has no heading to take its title from; begin it with a line such as # How we deploy"},
	} {
		t.Run(page, func(t *testing.T) {
			dir := folder(t, page)
			if err := tt.make(dir); err != nil {
				t.Fatal(err)
			}
			_, err := ownpath.Read(dir, r, start)
			want := fmt.Sprintf("%s/path.yaml:6: page %s: %s", dir, page, tt.want)
			if err == nil || err.Error() != want {
				t.Errorf("\ngot  %v\nwant %s", err, want)
			}
		})
	}
}

// TestDocumentedPath holds the example of docs/onboarding.md to the road.
func TestDocumentedPath(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("..", "..", "docs", "onboarding.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, example, found := strings.Cut(string(doc), "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	if !found || !strings.HasPrefix(example, "id: payments") {
		t.Fatal("there is no path file in docs/onboarding.md")
	}
	r := shipped(t)
	c, err := ownpath.Parse("path.yaml", []byte(example), r, start, func(string) ([]byte, error) { return []byte("# Page\n"), nil })
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range c.Path.Stages {
		for _, id := range s.Steps {
			if stone, err := r.Find(id); err == nil && !stone.Lesson.Written {
				t.Errorf("the example leads over %s, which is not written", id)
			}
		}
	}
	if len(c.Path.Stages) != 3 || len(c.Path.Pages) != 2 {
		t.Errorf("the example has %d stages and %d pages", len(c.Path.Stages), len(c.Path.Pages))
	}
}
