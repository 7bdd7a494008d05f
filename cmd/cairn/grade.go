package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/grader/report"
)

type gradeOptions struct {
	name string // "" means the exercise that the folder belongs to
	dir  string // "" means the exercise's folder in the workspace
	seed uint64
	json bool
	race bool

	watch, poll bool

	evidence evidence
	junit    string // file, "-" for standard output, "" for none
	github   bool

	each eachOptions
}

func newGrade(a *app) *cobra.Command {
	var o gradeOptions
	var exercise string
	cmd := &cobra.Command{
		Use: "grade [NAME]", Short: "Examine your program", GroupID: groupLearn, Args: atMost(1),
		Long: `Grade builds your program, starts it beside real servers and examines it from
outside. An exercise in SQL has no program: your files are applied to a fresh
database, and that is examined. Without a name it grades the exercise whose
folder you stand in.

Exit status: 0 passed, 1 failed or broken or over a limit, 2 wrong usage,
3 not graded (trouble of cairn's own, which does not count as an attempt). With
--watch it is that of the last grade.

The checks see what your program does; a mistake between goroutines may do
nothing wrong today. With --race, Go's race detector looks on as well.

For a CI job there are --junit, which writes JUnit XML, and --github, which puts
annotations below the text and a summary into $GITHUB_STEP_SUMMARY. Only one of
--json, --github and --junit - can have standard output.

For a class there is --each: DIR holds a folder for each student, with the
exercise's files in it or in a folder called after the exercise. Several are
graded side by side, and FILE gets a line for each. The same command again
grades only what has changed since, or was not graded. The exit status is 0
when everybody has a verdict, whichever.`,
		Example:           "  cairn grade\n  cairn grade lostupdate --seed 4711\n  cairn grade S4 --dir ./attempt --json\n  cairn grade --watch\n  cairn grade restcrud --dir . --github --junit cairn.xml\n  cairn grade restcrud --each class --csv restcrud.csv",
		ValidArgsFunction: a.complete(true),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.name = args[0]
			}
			given := cmd.Flags().Changed
			if exercise != "" && o.name != "" {
				return usagef("%s and --exercise %s both name an exercise; give one of them", o.name, exercise)
			}
			o.name = cmp.Or(o.name, exercise)
			if err := cmp.Or(o.check(given), o.each.check(o, given)); err != nil {
				return err
			}
			if o.each.dir != "" {
				return a.gradeEach(cmd.Context(), o)
			}
			return a.grade(cmd.Context(), o)
		},
	}
	gradeFlags(cmd, &o, &exercise)
	return cmd
}

func gradeFlags(cmd *cobra.Command, o *gradeOptions, exercise *string) {
	cmd.Flags().StringVar(&o.dir, "dir", "", "grade the files in `DIR`, laid out as in the workspace")
	cmd.Flags().Var((*seed)(&o.seed), "seed", "draw the same data as the grade with seed `N`")
	cmd.Flags().BoolVar(&o.json, "json", false, "print the report as JSON, and nothing else")
	cmd.Flags().BoolVar(&o.race, "race", false, "build with Go's race detector, which needs a C compiler and takes longer")
	cmd.Flags().BoolVarP(&o.watch, "watch", "w", false, "grade again whenever you save; ctrl+c ends")
	cmd.Flags().BoolVar(&o.poll, "poll", false, "with --watch: look for changes where the system tells none")
	cmd.Flags().Var(&o.evidence, "evidence", "of what was recorded, show the first failure (short), all of every failure (full) or nothing (none)")
	cmd.Flags().StringVar(&o.junit, "junit", "", "write the report as JUnit XML to `FILE`, or to standard output for -")
	cmd.Flags().BoolVar(&o.github, "github", false, "annotate the change, for GitHub Actions")
	cmd.Flags().StringVar(&o.each.dir, "each", "", "grade the folder of each student in `DIR`")
	cmd.Flags().StringVar(&o.each.csv, "csv", "", "with --each: write the table to `FILE`")
	cmd.Flags().StringVar(exercise, "exercise", "", "with --each: the exercise, as `NAME` would say it")
	cmd.Flags().IntVar(&o.each.jobs, "jobs", 0, "with --each: grade `N` side by side (one per processor)")
	_ = cmd.MarkFlagDirname("dir")
	_ = cmd.MarkFlagDirname("each")
	_ = cmd.RegisterFlagCompletionFunc("evidence", cobra.FixedCompletions([]cobra.Completion{"full", "short", "none"}, cobra.ShellCompDirectiveNoFileComp))
}

// seed is a flag. Seeds fit into the numbers of every JSON reader.
type seed uint64

func (s *seed) String() string { return "" }
func (s *seed) Type() string   { return "N" }

func (s *seed) Set(text string) error {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n == 0 || n >= 1<<53 {
		return fmt.Errorf("a seed is a whole number from 1 to %d", uint64(1<<53-1))
	}
	*s = seed(n)
	return nil
}

func (a *app) grade(ctx context.Context, o gradeOptions) error {
	job, err := a.assignment(o.name, o.dir)
	if err != nil {
		return err
	}
	g, err := newGrader(false)
	if err != nil {
		return err
	}
	defer g.Close()
	if o.race && !job.stone.Exercise.Kind.Compiled() {
		return usagef("--race is about programs, and %s is an exercise of kind %s", job.stone.Exercise.ID, job.stone.Exercise.Kind)
	}
	if o.watch {
		return a.watch(ctx, g, job, o)
	}
	return a.gradeOnce(ctx, g, job, o)
}

// gradeOnce grades and shows what came of it. When ctx ends first, or nobody
// reads any more, nothing is remembered.
func (a *app) gradeOnce(ctx context.Context, g *grader.Grader, job assignment, o gradeOptions) error {
	spec := job.stone.Exercise.Spec()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	view := a.newGradeView(ctx, cancel, o)
	view.header(spec.ID, spec.Title)
	rep, err := g.Grade(ctx, grader.Submission{Exercise: spec, Dir: job.dir, Seed: o.seed, KeepWorld: true, Race: o.race}, view.event)
	view.status.clear()
	if err != nil || ctx.Err() != nil {
		view.resume()
		return cmp.Or(err, view.err)
	}
	a.remember(ctx, job, &rep)
	a.status = rep.ExitStatus()
	view.findings(rep)
	if !o.watch && !o.github {
		view.print(func(w io.Writer) error { return a.writeNext(ctx, w, job, rep, o) })
	}
	view.resume()
	if view.err != nil {
		return view.err
	}
	return a.writeOutputs(job, rep, o)
}

// remember keeps a report of a grade in the workspace. When that fails, the
// grade is still worth showing.
func (a *app) remember(ctx context.Context, job assignment, rep *report.Report) {
	if job.home == nil {
		return
	}
	if _, err := a.remembered(ctx); err != nil {
		fmt.Fprintf(a.err, "cairn: this grade was not remembered: %s\n", err)
		return
	}
	if err := job.home.SaveReport(rep); err != nil {
		fmt.Fprintf(a.err, "cairn: this grade was not remembered: %s\n", err)
	}
}

// newGrader makes a grader, of several grades beside each other or of one at a time.
func newGrader(several bool) (*grader.Grader, error) {
	g, err := grader.New(grader.Config{Cairn: version(), Several: several})
	if err != nil {
		return nil, hinted(exitUngraded, err, "cairn doctor tells what is wrong with this machine.")
	}
	return g, nil
}
