package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cairn-learn/cairn/grader/safe"
	"github.com/cairn-learn/cairn/internal/nearest"
	"github.com/cairn-learn/cairn/internal/ownpath"
	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/internal/settings"
	"github.com/cairn-learn/cairn/lessons"
)

func newPathUse(a *app) *cobra.Command {
	var start string
	var check bool
	cmd := &cobra.Command{
		Use: "use FILE", Short: "Take a path that somebody made, and walk it", Args: exactly(1, "the name of a path file"),
		Long: `Use takes a path that somebody made for you: a YAML file that picks stones, adds
pages of its own, and says by when. cairn keeps a copy, so the file may go away, and
walks that path from now on. With a newer file it brings the path up to date; what
you have done stays done.

Where the path counts in days, day 1 is the day on which it is first used, or what
--start says.`,
		Example: "  cairn path use payments/path.yaml\n  cairn path use payments --start 2026-12-01\n  cairn path use payments --check",
		RunE: func(_ *cobra.Command, args []string) error {
			if err := a.open(); err != nil {
				return err
			}
			checked, err := a.readPath(args[0], start)
			if err != nil {
				return err
			}
			for _, note := range checked.Notes {
				fmt.Fprintf(a.err, "note: %s\n", safe.Line(note))
			}
			if check {
				return a.sayPath(checked.Path, "is right")
			}
			return a.usePath(checked.Path)
		},
	}
	cmd.Flags().StringVar(&start, "start", "", "the day that is day 1, such as 2026-12-01")
	cmd.Flags().BoolVar(&check, "check", false, "only say what is wrong with it; take nothing")
	return cmd
}

// readPath reads and checks a path file. Its day 1 is the one given, else that of
// the path of the same name, else today.
func (a *app) readPath(name, start string) (*ownpath.Checked, error) {
	if strings.Contains(name, "://") {
		return nil, hinted(exitUsage, fmt.Errorf("%s is an address, and cairn takes a file", name), "Fetch it first, with git clone or curl.")
	}
	day := road.Day(time.Now())
	if start != "" {
		var err error
		if day, err = ownpath.ParseDay(start); err != nil {
			return nil, usagef("--start: %w", err)
		}
	}
	checked, err := ownpath.Read(name, a.road, day)
	if err != nil {
		return nil, a.unreadPath(name, err)
	}
	if start != "" {
		return checked, nil
	}
	old, err := ownpath.Load(ownpath.Dir(), checked.Path.ID)
	if err == nil && old != nil && !old.Day1().IsZero() && !old.Day1().Equal(day) {
		return ownpath.Read(name, a.road, old.Day1())
	}
	return checked, nil
}

// unreadPath says why a path file was not taken.
func (a *app) unreadPath(name string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		// It quotes a file that somebody else has written.
		return hinted(exitUsage, errors.New(safe.Text(err.Error())), "Nothing was taken; your path is as it was.")
	}
	if a.course.Path(strings.ToLower(name)) != nil {
		return hinted(exitUsage, fmt.Errorf("there is no file %s", name), "To walk the path of that name: cairn path "+strings.ToLower(name))
	}
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return hinted(exitUsage, fmt.Errorf("there is no %s in %s", ownpath.FileName, name), "Name the path file itself where it is called otherwise.")
	}
	return hinted(exitUsage, fmt.Errorf("there is no file %s", name), "It is a path file, or a folder with "+ownpath.FileName+" in it.")
}

// usePath keeps a path and chooses it.
func (a *app) usePath(p *ownpath.Path) error {
	dir := ownpath.Dir()
	old, err := ownpath.Load(dir, p.ID)
	if errors.Is(err, ownpath.ErrNewer) {
		return err
	}
	if err := ownpath.Keep(dir, p); err != nil {
		return err
	}
	if err := a.reopen(); err != nil {
		return err
	}
	if err := a.choose(p.ID); err != nil {
		return hinted(exitFailed, fmt.Errorf("the path %s is kept, but could not be chosen: %w", p.ID, err), "The settings were left as they are.")
	}
	if old == nil {
		return a.sayPath(p, "is yours now")
	}
	return a.sayChange(old, p)
}

// sayPath sums up a path that was read.
func (a *app) sayPath(p *ownpath.Path, what string) error {
	l := lookOf(a.out)
	var text strings.Builder
	text.WriteString(l.wrap(fmt.Sprintf("The path %s (%s) %s.", l.style("1", p.ID), p.Title, what), 0) + "\n")
	fmt.Fprintf(&text, "It has %s, %s:\n", count(len(p.Stages), "stage"), inHand(p))
	path, pages := p.Lessons()
	titles := map[string]string{}
	for _, page := range pages {
		titles[page.ID] = page.Stone
	}
	for _, s := range path.Stages {
		var steps []string
		for _, id := range s.Stones {
			if short, ok := titles[id]; ok {
				id = short
			}
			steps = append(steps, id)
		}
		line := "  " + s.Title
		if by := road.By(s.By); by != "" {
			line += ", " + by
		}
		fmt.Fprintf(&text, "%s\n    %s\n", l.wrap(line, 4), l.wrap(strings.Join(steps, " "), 4))
	}
	if open := a.unwritten(path); len(open) > 0 {
		verb := "is"
		if len(open) > 1 {
			verb = "are"
		}
		text.WriteString(l.wrap(fmt.Sprintf("%s %s not written yet.", strings.Join(open, ", "), verb), 0) + "\n")
	}
	_, err := io.WriteString(a.out, l.plain(text.String()))
	return err
}

// inHand counts what a path leads over.
func inHand(p *ownpath.Path) string {
	steps := 0
	for _, s := range p.Stages {
		steps += len(s.Steps)
	}
	said := count(steps-len(p.Pages), "stone")
	if len(p.Pages) > 0 {
		said += " and " + count(len(p.Pages), "page") + " of its own"
	}
	return said
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// unwritten names the stones of a path that can't be read yet.
func (a *app) unwritten(p *lessons.Path) []string {
	var open []string
	for _, stage := range p.Stages {
		for _, name := range stage.Stones {
			if s, err := a.road.Find(name); err == nil && !s.Lesson.Written {
				open = append(open, s.Name())
			}
		}
	}
	return open
}

// sayChange tells what a newer file has changed.
func (a *app) sayChange(old, now *ownpath.Path) error {
	if ownpath.Same(old, now) {
		_, err := fmt.Fprintf(a.out, "The path %s is as it was, and you walk it.\n", now.ID)
		return err
	}
	if err := a.sayPath(now, "is up to date, and you walk it"); err != nil {
		return err
	}
	l := lookOf(a.out)
	change := ownpath.Compare(old, now)
	for _, said := range []struct {
		what string
		ids  []string
	}{{"New", change.More}, {"Gone", change.Gone}, {"Rewritten", change.Rewritten}} {
		if len(said.ids) == 0 {
			continue
		}
		line := l.wrap(said.what+": "+strings.Join(said.ids, ", "), 0)
		if _, err := fmt.Fprintln(a.out, l.plain(line)); err != nil {
			return err
		}
	}
	return nil
}

func newPathRemove(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME", Short: "Forget a path that was taken", Args: exactly(1, "the name of a path"),
		Long: `Remove forgets a path that cairn path use took, with its pages. What you have done
stays done, also when you take the path again.`,
		ValidArgsFunction: a.completePaths(func(p *lessons.Path) bool { return p.Own }),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := a.open(); err != nil {
				return err
			}
			return a.removePath(strings.ToLower(args[0]))
		},
	}
}

func (a *app) removePath(id string) error {
	p := a.course.Path(id)
	kept := ownpath.Has(ownpath.Dir(), id) // one that is damaged can be forgotten too
	switch {
	case !kept && p != nil:
		return hinted(exitUsage, fmt.Errorf("the path %s belongs to the course and stays", id), "cairn path NAME chooses another one.")
	case !kept:
		return hinted(exitUsage, fmt.Errorf("there is no path %q; the nearest is %s", id, nearest.Name(id, a.pathIDs())), "cairn path lists them.")
	}
	if err := ownpath.Remove(ownpath.Dir(), id); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "The path %s is forgotten. What you have done stays done.\n", id)
	if s, err := a.settings(); err != nil || s.Path != id || len(a.course.Paths) == 0 {
		return nil
	}
	first := a.course.Paths[0]
	if err := settings.SetPath(settings.File(), first.ID); err != nil {
		return hinted(exitFailed, err, "The settings were left as they are.")
	}
	_, err := fmt.Fprintf(a.out, "You walk the path %s now.\n", first.ID)
	return err
}
