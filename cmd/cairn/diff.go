package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"github.com/spf13/cobra"

	"github.com/cairn-learn/cairn/exercises"
	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/grader/safe"
	"github.com/cairn-learn/cairn/internal/progress"
)

type diffOptions struct {
	name   string
	giveUp bool
	yes    bool
}

func newDiff(a *app) *cobra.Command {
	var o diffOptions
	cmd := &cobra.Command{
		Use: "diff [NAME]", Short: "Compare your files with the solutions", GroupID: groupLearn, Args: atMost(1),
		Long: `Diff shows how your files differ from the reference solution and from correct
solutions in other styles: lines with - are yours, lines with + are theirs. It
does so once you have passed; before that, --give-up shows them too, and cairn
remembers that.`,
		Example:           "  cairn diff\n  cairn diff lostupdate\n  cairn diff S4 --give-up",
		ValidArgsFunction: a.complete(true),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.name = strings.Join(args, "")
			return a.diff(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.giveUp, "give-up", false, "show the solutions although you have not passed")
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "with --give-up: do not ask")
	return cmd
}

func (a *app) diff(ctx context.Context, o diffOptions) error {
	if o.yes && !o.giveUp {
		return usagef("--yes answers the question of --give-up, which is missing")
	}
	job, err := a.assignment(o.name, "")
	if err != nil {
		return err
	}
	e := job.stone.Exercise
	mine, err := grader.Files(e.Spec(), job.dir)
	if err != nil {
		return hinted(exitFailed, err, "cairn grade "+e.ID+" says more about these files.")
	}
	if err := a.mayLook(ctx, e, o); err != nil {
		return err
	}
	versions, err := solutions(e)
	if err != nil {
		return err
	}
	l := lookOf(a.out)
	var text strings.Builder
	for i, v := range versions {
		if i > 0 {
			text.WriteByte('\n')
		}
		text.WriteString(l.style("1", v.title) + "\n\n")
		text.WriteString(l.difference(mine, v.files, v.name))
	}
	_, err = io.WriteString(a.out, l.plain(text.String()))
	return err
}

// mayLook lets those see the solutions who have passed, and those who give up,
// which is remembered.
func (a *app) mayLook(ctx context.Context, e *exercises.Exercise, o diffOptions) error {
	store, err := a.remembered(ctx)
	if err != nil {
		return err
	}
	records, err := store.Records(ctx)
	if err != nil {
		return err
	}
	gaveUp, err := store.GaveUp(ctx)
	if err != nil {
		return err
	}
	if _, before := gaveUp[e.ID]; before || records[e.ID].Done() {
		return nil
	}
	if !o.giveUp {
		return hinted(exitFailed, fmt.Errorf("you have not passed %s yet", e.ID), "cairn hint "+e.ID+" helps; cairn diff "+e.ID+" --give-up shows the solutions, and is remembered.")
	}
	if !o.yes && !a.confirm(fmt.Sprintf("Give up on %s and see the solutions? cairn remembers it.", e.ID)) {
		return hinted(exitFailed, fmt.Errorf("nothing was shown; %s is still yours to solve", e.ID), "Answer y to see the solutions, or use --yes.")
	}
	if err := store.SaveGiveUp(ctx, progress.GiveUp{Exercise: e.ID, Content: e.Content}); err != nil {
		return fmt.Errorf("the solutions are shown only when that can be remembered: %w", err)
	}
	return nil
}

// solution is a correct version of an exercise.
type solution struct {
	name, title string
	files       map[string][]byte // those to edit
}

// solutions returns the reference and the alternatives, by name.
func solutions(e *exercises.Exercise) ([]solution, error) {
	reference, err := e.Solution()
	if err != nil {
		return nil, err
	}
	others, err := e.Alternatives()
	if err != nil {
		return nil, err
	}
	all := []solution{{"reference", "The reference solution", toEdit(e, reference)}}
	for _, name := range slices.Sorted(maps.Keys(others)) {
		all = append(all, solution{name, "Another way: " + name, toEdit(e, others[name])})
	}
	return all, nil
}

// toEdit keeps the files that the learner writes.
func toEdit(e *exercises.Exercise, files map[string][]byte) map[string][]byte {
	edit := map[string][]byte{}
	for _, name := range e.Edit {
		edit[name] = files[name]
	}
	return edit
}

// difference is the unified diff of all files, in order.
func (l look) difference(mine, theirs map[string][]byte, name string) string {
	all := maps.Clone(theirs)
	maps.Copy(all, mine)
	var out strings.Builder
	for _, file := range slices.Sorted(maps.Keys(all)) {
		label := safe.Line(file)
		diff := udiff.Unified("yours/"+label, name+"/"+label, safe.Text(mine[file]), safe.Text(theirs[file]))
		for line := range strings.Lines(diff) {
			out.WriteString(l.diffLine(strings.TrimSuffix(line, "\n")) + "\n")
		}
	}
	if out.Len() == 0 {
		return "The same as yours.\n"
	}
	return out.String()
}

// diffLine colours a line by its sign, which stays.
func (l look) diffLine(line string) string {
	code := ""
	switch {
	case strings.HasPrefix(line, "---"), strings.HasPrefix(line, "+++"):
		code = "1"
	case strings.HasPrefix(line, "@@"):
		code = "36"
	case strings.HasPrefix(line, "-"):
		code = "31"
	case strings.HasPrefix(line, "+"):
		code = "32"
	}
	if code == "" {
		return line
	}
	return l.style(code, line)
}
