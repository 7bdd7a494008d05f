package main

import (
	"context"
	"errors"
	"path/filepath"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/cairn-learn/cairn/exercises"
	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/internal/gate"
)

type verifyOptions struct {
	names                     []string
	runs                      int
	race, update, json, watch bool
}

func newVerify(a *app) *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use: "verify [NAME...]", Short: "Hold exercises to the curriculum gate",
		Long: `Verify proves exercises, all of them unless some are named: the starter fails
helpfully, right versions pass, and each mutant fails at the check that is there
for it, with the feedback of its golden file. Under each version that failed stands
the check, and the first line of what its author is told. Without a name the course
and its links are checked too.

In a clone of cairn it reads the files of the clone; the exams are those that
this cairn was built with. With --watch it tries again what a save has touched, and
builds cairn anew when that was the exam.

--json prints one object: "version" is 1, and "items" has an object for each item.
docs/authoring.md lists what is in it.

Exit status 1 means a fault, 3 that something could not be graded here.`,
		Example: "  cairn author verify\n  cairn author verify lostupdate --runs 20 --race\n  cairn author verify S4 --update\n  cairn author verify S4 --watch",
		ValidArgsFunction: func(cmd *cobra.Command, _ []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return a.complete(true)(cmd, nil, word)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.names = args
			return a.verify(cmd.Context(), o)
		},
	}
	cmd.Flags().IntVar(&o.runs, "runs", 2, "the solution must pass `N` times in a row")
	cmd.Flags().BoolVar(&o.race, "race", false, "grade right versions under the race detector too")
	cmd.Flags().BoolVar(&o.update, "update", false, "write golden feedback where it differs (in a clone of cairn)")
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON object instead of the table")
	cmd.Flags().BoolVar(&o.watch, "watch", false, "go on, and try again what a save has touched (in a clone of cairn)")
	return cmd
}

func (o verifyOptions) check(root string) error {
	switch {
	case o.runs < 1:
		return usagef("--runs is a number from 1 on")
	case o.update && root == "":
		return hinted(exitUsage, errors.New("--update writes into a clone of cairn, and this folder is in none"), "cd into the clone, or leave out --update.")
	case o.watch && root == "":
		return hinted(exitUsage, errors.New("--watch watches a clone of cairn, and this folder is in none"), "cd into the clone, or leave out --watch.")
	case o.watch && o.json:
		return usagef("--json is for one look; leave out --watch")
	case o.watch && len(o.names) != 1:
		return usagef("--watch watches one exercise; name it")
	}
	return nil
}

func (a *app) verify(ctx context.Context, o verifyOptions) error {
	root, err := a.clone()
	if err != nil {
		return err
	}
	if err := o.check(root); err != nil {
		return err
	}
	if err := a.open(); err != nil {
		return err
	}
	chosen, err := a.chosen(o.names)
	if err != nil {
		return err
	}
	g, err := newGrader(true)
	if err != nil {
		return err
	}
	defer g.Close()
	if o.watch {
		return a.verifyWatching(ctx, g, root, chosen[0].ID, o)
	}
	table := a.newVerifyTable(o.json)
	if len(o.names) == 0 {
		table.course(a.course, a.road)
	}
	for _, e := range chosen {
		if err := a.verifyOne(ctx, g, root, e, o, table, nil); err != nil || ctx.Err() != nil {
			return err
		}
	}
	a.status = table.exitStatus()
	return table.finish()
}

// verifyOne tries the items of one exercise that match; nil stands for all.
func (a *app) verifyOne(ctx context.Context, g *grader.Grader, root string, e *exercises.Exercise, o verifyOptions, table *verifyTable, only *regexp.Regexp) error {
	_, err := gate.Verify(ctx, g, e, gate.Options{
		Runs: o.runs, Race: o.race, Update: o.update, Dir: filepath.Join(root, "exercises"), Course: a.course, Only: only,
		OnStart: table.start, OnResult: table.result,
	})
	table.status.clear()
	if ctx.Err() != nil {
		return nil
	}
	return err
}
