package main

import (
	"errors"
	"fmt"
	"image/color"
	"io"
	"os"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/cairn-learn/cairn/internal/nearest"
	"github.com/cairn-learn/cairn/internal/tui/markdown"
	"github.com/cairn-learn/cairn/internal/tui/theme"
	"github.com/cairn-learn/cairn/lessons"
)

func newRead(a *app) *cobra.Command {
	var task bool
	cmd := &cobra.Command{
		Use: "read NAME[#HEADING]", Short: "Read a lesson, or the task of its exercise", GroupID: groupLearn, Args: exactly(1, "the name of a lesson"),
		Example:           "  cairn read S4\n  cairn read sql/lost-update#two-readers-one-writer\n  cairn read lostupdate --task",
		ValidArgsFunction: a.complete(false),
		RunE: func(_ *cobra.Command, args []string) error {
			text, err := a.text(args[0], task)
			if err != nil {
				return err
			}
			return a.show(text)
		},
	}
	cmd.Flags().BoolVar(&task, "task", false, "read the task of the exercise")
	return cmd
}

// text returns the markdown that a name means: a lesson, a part of it, a task.
func (a *app) text(name string, task bool) (string, error) {
	name, heading, part := strings.Cut(name, "#")
	if task {
		stone, err := a.exercise(name)
		if err != nil {
			return "", err
		}
		return stone.Exercise.Task, nil
	}
	stone, err := a.find(name)
	if err != nil {
		return "", err
	}
	if part {
		return section(stone.Lesson, heading)
	}
	text, err := stone.Lesson.Markdown()
	return text, unwritten(stone.Lesson, err)
}

func unwritten(l *lessons.Lesson, err error) error {
	if errors.Is(err, lessons.ErrUnwritten) {
		return hinted(exitUsage, fmt.Errorf("lesson %s %s is not written yet", l.Stone, l.Title), "cairn list shows what is written.")
	}
	return err
}

// section returns a heading of a lesson with everything below it.
func section(l *lessons.Lesson, slug string) (string, error) {
	sections, err := l.Sections()
	if err != nil {
		return "", unwritten(l, err)
	}
	var text strings.Builder
	var slugs []string
	level := 0
	for _, s := range sections {
		if level > 0 && s.Level > 0 && s.Level <= level {
			break
		}
		if level == 0 && s.Slug == slug && s.Level > 0 {
			level = s.Level
		}
		if level > 0 {
			text.WriteString(s.Source)
		}
		if s.Slug != "" {
			slugs = append(slugs, s.Slug)
		}
	}
	if level == 0 {
		return "", usagef("lesson %s has no heading #%s; the nearest is #%s", l.ID, slug, nearest.Name(slug, slugs))
	}
	return text.String(), nil
}

// show prints markdown: set for reading in a terminal, as it is elsewhere.
func (a *app) show(source string) error {
	l := lookOf(a.out)
	if !l.Terminal {
		_, err := io.WriteString(a.out, strings.TrimRight(source, "\n")+"\n")
		return err
	}
	text, err := markdown.NewRenderer().Document(source, min(l.Width, markdown.Measure), theme.New(a.themeName(l)))
	if err != nil {
		return err
	}
	out := colorprofile.NewWriter(a.out, theme.Normalise(os.Environ()))
	_, err = io.WriteString(out, l.plain(strings.Join(text.Lines, "\n"))+"\n")
	return err
}

// themeName asks the terminal for its background where colours are wanted and
// nothing else decides.
func (a *app) themeName(l look) theme.Name {
	fixed := theme.FromEnviron(a.environ()).Fixed
	switch {
	case !l.Color:
		return theme.Plain
	case fixed != "":
		return fixed
	}
	return theme.ForBackground(a.background())
}

// background is the terminal's, or nil where it does not tell.
func (a *app) background() color.Color {
	in, ok := a.in.(*os.File)
	out, ok2 := a.out.(*os.File)
	if !ok || !ok2 || !term.IsTerminal(int(in.Fd())) {
		return nil
	}
	found, err := lipgloss.BackgroundColor(in, out)
	if err != nil {
		return nil
	}
	return found
}
