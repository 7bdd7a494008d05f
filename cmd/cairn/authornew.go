package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cairn-learn/cairn/internal/scaffold"
)

type authorNewOptions struct {
	id, kind, stone, lesson string
	services                []string
	noGenerate              bool
}

func newAuthorNew(a *app) *cobra.Command {
	var o authorNewOptions
	cmd := &cobra.Command{
		Use: "new ID", Short: "Begin a stone that runs from the first minute", Args: exactly(1, "the id of the new exercise"),
		Long: `New writes the beginnings of a stone into a clone of cairn: an exercise with task,
solution, starter, another solution, exam and mutants, and a lesson with a quiz
where there are none yet. It is a small service that already passes the gate; what
has to be replaced says TODO. Nothing that is there is overwritten.

The id is the exercise's folder and Go package: lower-case letters, for ever.`,
		Example:           "  cairn author new workerpool --stone F4\n  cairn author new cacheaside --stone D2 --services postgres,redis",
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.id = args[0]
			return a.authorNew(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.kind, "kind", "program", "`KIND` of exercise: "+strings.Join(scaffold.Kinds, ", "))
	cmd.Flags().StringVar(&o.stone, "stone", "", "the `STONE` on the road, such as F4")
	cmd.Flags().StringVar(&o.lesson, "lesson", "", "`LESSON`, such as foundations/worker-pools, for a stone that the course does not have yet")
	cmd.Flags().StringSliceVar(&o.services, "services", nil, "`SERVICES` that it is examined with: "+strings.Join(scaffold.Services, ","))
	cmd.Flags().BoolVar(&o.noGenerate, "no-generate", false, "leave go generate ./exercises to you")
	return cmd
}

func (a *app) authorNew(ctx context.Context, o authorNewOptions) error {
	root, err := a.clone()
	if err != nil {
		return err
	}
	if root == "" {
		return hinted(exitUsage, errors.New("author new writes into a clone of cairn, and this folder is in none"), "cd into the clone.")
	}
	if err := a.open(); err != nil {
		return err
	}
	stone, inCourse, err := a.newStone(o)
	if err != nil {
		return err
	}
	written, err := scaffold.Write(root, stone)
	for _, name := range written {
		fmt.Fprintln(a.out, "  "+name)
	}
	if errors.Is(err, scaffold.ErrThere) {
		return hinted(exitUsage, err, "Choose another id, or remove that folder.")
	}
	if err != nil {
		return usage(err)
	}
	if err := a.register(ctx, root, o.noGenerate); err != nil {
		return err
	}
	a.whatNow(stone, inCourse)
	return nil
}

// newStone joins what was asked for with what the course says of the stone.
func (a *app) newStone(o authorNewOptions) (s scaffold.Stone, inCourse bool, err error) {
	s = scaffold.Stone{ID: o.id, Kind: o.kind, Stone: strings.ToUpper(o.stone), Lesson: o.lesson, Services: o.services}
	if s.Stone == "" {
		return s, false, hinted(exitUsage, errors.New("--stone is missing"), "Name the stone of the road that the exercise belongs to, such as --stone F4.")
	}
	l := a.course.Stone(s.Stone)
	switch {
	case l == nil && s.Lesson == "":
		return s, false, hinted(exitUsage, fmt.Errorf("the course has no stone %s", s.Stone), "Name its lesson as well: --lesson track/name.")
	case l == nil:
		_, name, _ := strings.Cut(s.Lesson, "/")
		s.LessonTitle = strings.ToUpper(name[:min(1, len(name))]) + strings.ReplaceAll(name[min(1, len(name)):], "-", " ")
		return s, false, nil
	case l.Exercise != "":
		return s, false, usagef("stone %s has an exercise already, %s", s.Stone, l.Exercise)
	case s.Lesson != "" && s.Lesson != l.ID:
		return s, false, usagef("the lesson of stone %s is %s, not %s", s.Stone, l.ID, s.Lesson)
	}
	s.Lesson, s.LessonTitle = l.ID, l.Title
	return s, true, nil
}

// register has the exam compiled into the next cairn.
func (a *app) register(ctx context.Context, root string, not bool) error {
	if not {
		fmt.Fprintln(a.out, "\nNot registered yet: go generate ./exercises")
		return nil
	}
	cmd := exec.CommandContext(ctx, "go", "generate", "./exercises")
	cmd.Dir, cmd.Env = root, os.Environ()
	if out, err := cmd.CombinedOutput(); err != nil {
		return hinted(exitFailed, fmt.Errorf("register the exam: %w\n%s", err, strings.TrimSpace(string(out))), "Put that right, then run go generate ./exercises.")
	}
	fmt.Fprintln(a.out, "  exercises/registry.go")
	return nil
}

// whatNow tells what the author has to do by hand.
func (a *app) whatNow(s scaffold.Stone, inCourse bool) {
	fmt.Fprintf(a.out, "\nIn content/course.yaml, at stone %s:\n\n", s.Stone)
	indent := "        "
	if !inCourse {
		fmt.Fprintf(a.out, "      - id: %s\n%sstone: %s\n%stitle: %s\n%sobjective: TODO\n%sminutes: 15\n", s.Lesson, indent, s.Stone, indent, s.LessonTitle, indent, indent)
	}
	fmt.Fprintf(a.out, "%sexercise: %s\n", indent, s.ID)
	if len(s.Services) > 0 {
		fmt.Fprintf(a.out, "%sservices: [%s]\n", indent, strings.Join(s.Services, ", "))
	}
	fmt.Fprintf(a.out, "\nThen prove it, and again after each change:\n\n  go run ./cmd/cairn author verify %s --watch\n\nWhat has to be replaced says TODO. docs/authoring.md goes through it in order.\n", s.ID)
}
