package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/safe"
	"github.com/cairn-learn/cairn/internal/progress"
	"github.com/cairn-learn/cairn/internal/road"
)

func newAttempts(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "attempts [NAME]", Short: "List your attempts; show or restore one", GroupID: groupLearn, Args: atMost(1),
		Long: `Attempts lists every grade of an exercise, or of all, the newest first. The code
of each is kept: show prints it, restore writes it back.`,
		Example:           "  cairn attempts\n  cairn attempts S4\n  cairn attempts show 12\n  cairn attempts restore 12",
		ValidArgsFunction: a.complete(true),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.attempts(cmd.Context(), strings.Join(args, ""), asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print an array with one object per attempt")
	cmd.AddCommand(newAttemptsShow(a), newAttemptsRestore(a))
	return cmd
}

func newAttemptsShow(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show ID", Short: "Print the code of an attempt and what came of it",
		Args: exactly(1, "the number of an attempt"), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.showAttempt(cmd.Context(), args[0], asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the report of that grade as JSON, and nothing else")
	return cmd
}

func newAttemptsRestore(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "restore ID", Short: "Write the code of an attempt back; a backup is kept",
		Args: exactly(1, "the number of an attempt"), ValidArgsFunction: cobra.NoFileCompletions,
		Long: `Restore writes the code of an attempt back into your workspace. What is there is
copied to a backup first. Go files that the attempt did not have leave the
folder; your tests stay.`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.restoreAttempt(cmd.Context(), args[0]) },
	}
}

// attemptJSON is one attempt in cairn attempts --json. Fields are added, never
// changed.
type attemptJSON struct {
	ID       int64          `json:"id"`
	Exercise string         `json:"exercise"`
	Started  string         `json:"started"` // RFC 3339, UTC
	Verdict  report.Verdict `json:"verdict"`
	Counts   bool           `json:"counts"` // false: it was not graded
	Passed   int            `json:"passed"` // checks
	Total    int            `json:"total"`
	Seed     uint64         `json:"seed"`
	Content  string         `json:"content"`
	Code     string         `json:"code"`
	Duration int64          `json:"duration_ns"`
}

func (a *app) attempts(ctx context.Context, name string, asJSON bool) error {
	id := ""
	if name != "" {
		stone, err := a.exercise(name)
		if err != nil {
			return err
		}
		id = stone.Exercise.ID
	}
	if err := a.importHere(); err != nil {
		return err
	}
	store, err := a.remembered(ctx)
	if err != nil {
		return err
	}
	all, err := store.Attempts(ctx, id)
	if err != nil {
		return err
	}
	if asJSON {
		return a.attemptsJSON(all)
	}
	if len(all) == 0 {
		_, err := fmt.Fprintln(a.out, "No attempt yet. cairn grade makes one.")
		return err
	}
	l := lookOf(a.out)
	var text strings.Builder
	for _, at := range all {
		text.WriteString(l.attempt(at) + "\n")
	}
	_, err = io.WriteString(a.out, l.plain(text.String()))
	return err
}

func (a *app) attemptsJSON(all []progress.Attempt) error {
	out := []attemptJSON{}
	for _, at := range all {
		out = append(out, attemptJSON{
			ID: at.ID, Exercise: at.Exercise, Started: stamp(at.Started), Verdict: at.Verdict, Counts: at.Counts(),
			Passed: at.Passed, Total: at.Total, Seed: at.Seed, Content: at.Content, Code: at.Code, Duration: at.Duration.Nanoseconds(),
		})
	}
	return a.printJSON(out)
}

var verdictColors = map[report.Verdict]string{report.Passed: "32", report.Failed: "31", report.Broken: "31", report.Limit: "31", report.Ungraded: "2"}

// attempt is one line of the list.
func (l look) attempt(at progress.Attempt) string {
	checks := ""
	if at.Total > 0 {
		checks = fmt.Sprintf("%d of %d checks", at.Passed, at.Total)
	}
	verdict := l.style(verdictColors[at.Verdict], fmt.Sprintf("%-8s", at.Verdict))
	line := fmt.Sprintf("%5d  %s  %-16s %s  %s", at.ID, at.Started.Local().Format("2006-01-02 15:04"), at.Exercise, verdict, checks)
	return strings.TrimRight(line, " ")
}

// attempt returns the attempt that an argument names.
func (a *app) attempt(ctx context.Context, arg string) (progress.Attempt, error) {
	id, err := strconv.ParseInt(arg, 10, 64)
	if err != nil || id < 1 {
		return progress.Attempt{}, usagef("%q is not the number of an attempt", arg)
	}
	store, err := a.remembered(ctx)
	if err != nil {
		return progress.Attempt{}, err
	}
	at, err := store.Attempt(ctx, id)
	var none *progress.NoAttemptError
	if errors.As(err, &none) {
		return at, hinted(exitUsage, err, "cairn attempts lists them.")
	}
	return at, err
}

func (a *app) showAttempt(ctx context.Context, arg string, asJSON bool) error {
	at, err := a.attempt(ctx, arg)
	if err != nil {
		return err
	}
	if asJSON {
		if at.Report == nil {
			return hinted(exitFailed, fmt.Errorf("the report of attempt %d was not kept", at.ID), "cairn attempts show "+arg+" prints what was.")
		}
		return a.printJSON(at.Report)
	}
	l := lookOf(a.out)
	var text strings.Builder
	fmt.Fprintf(&text, "%s\n", strings.TrimLeft(l.attempt(at), " "))
	for _, c := range at.Checks {
		fmt.Fprintf(&text, "  %-8s %s\n", c.Status, c.Title)
	}
	for _, name := range slices.Sorted(maps.Keys(at.Files)) {
		fmt.Fprintf(&text, "\n%s\n\n", l.style("1", safe.Line(name)))
		text.WriteString(strings.TrimRight(safe.Text(at.Files[name]), "\n") + "\n")
	}
	if len(at.Files) == 0 {
		text.WriteString("\nIts code was not kept.\n")
	}
	_, err = io.WriteString(a.out, l.plain(text.String()))
	return err
}

func (a *app) restoreAttempt(ctx context.Context, arg string) error {
	at, err := a.attempt(ctx, arg)
	if err != nil {
		return err
	}
	if len(at.Files) == 0 {
		return hinted(exitFailed, fmt.Errorf("the code of attempt %d was not kept", at.ID), "cairn attempts lists the others.")
	}
	w, err := a.workspace()
	if err != nil {
		return err
	}
	stone, err := a.exercise(at.Exercise)
	var unknown *road.UnknownError
	if errors.As(err, &unknown) {
		return hinted(exitFailed, fmt.Errorf("attempt %d is of %s, which this cairn does not have", at.ID, at.Exercise), "cairn attempts show "+arg+" prints its code.")
	}
	if err != nil {
		return err
	}
	backup, err := w.Restore(stone.Exercise, at.Files)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s is as it was graded in attempt %d.\n", shown(w.ExerciseDir(at.Exercise)), at.ID)
	if backup != "" {
		fmt.Fprintf(a.out, "What was there is kept in %s\n", backup)
	}
	return nil
}
