package main

import (
	"context"
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
	"github.com/cairn-learn/cairn/internal/progress"
	"github.com/cairn-learn/cairn/internal/tui/markdown"
	"github.com/cairn-learn/cairn/internal/tui/theme"
	"github.com/cairn-learn/cairn/lessons"
)

func newRead(a *app) *cobra.Command {
	var task bool
	cmd := &cobra.Command{
		Use: "read NAME[#HEADING]", Short: "Read a lesson, or the task of its exercise", GroupID: groupLearn, Args: exactly(1, "the name of a lesson"),
		Example:           "  cairn read S4\n  cairn read sql/lost-update#two-readers-one-writer\n  cairn read lostupdate --task\n  cairn read sql\n  cairn read welcome",
		ValidArgsFunction: a.complete(false),
		Long: `Read prints a lesson, one of its parts, or the task of its exercise. With the
name of a track it prints the page that opens the track, with welcome the first page
of all.

A lesson that was printed whole counts as read, as one does whose end you have seen
on the screen.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if task {
				return a.readTask(args[0])
			}
			return a.readLesson(cmd.Context(), args[0])
		},
	}
	cmd.Flags().BoolVar(&task, "task", false, "read the task of the exercise")
	return cmd
}

func (a *app) readTask(name string) error {
	name, _, _ = strings.Cut(name, "#")
	stone, err := a.exercise(name)
	if err != nil {
		return err
	}
	return a.show(stone.Exercise.Task)
}

// readLesson prints a lesson, or what lies below one of its headings. Once the
// whole of it has been printed, that is remembered; that it can't be is no reason
// not to read.
func (a *app) readLesson(ctx context.Context, name string) error {
	name, heading, part := strings.Cut(name, "#")
	stone, err := a.find(name)
	if err != nil {
		return err
	}
	var text string
	if part {
		text, err = section(stone.Lesson, heading)
	} else {
		text, err = stone.Lesson.Markdown()
		err = unwritten(stone.Lesson, err)
	}
	if err != nil {
		return err
	}
	store := a.progress() // opens while the text is set
	if err := a.show(text); err != nil || part {
		return err
	}
	if err := store.SaveRead(ctx, progress.LessonRead{Lesson: stone.Lesson.ID}); err != nil {
		fmt.Fprintf(a.err, "cairn: that you have read this is not remembered: %s\n", err)
	}
	return nil
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
