package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cairn-learn/cairn/exercises"
	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/internal/gate"
	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/lessons"
)

func newAuthor(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "author", Short: "Prove lessons and exercises", GroupID: groupAuthor, Args: knownCommand,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newVerify(a))
	return cmd
}

type verifyOptions struct {
	names              []string
	runs               int
	race, update, json bool
}

func newVerify(a *app) *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use: "verify [NAME...]", Short: "Hold exercises to the curriculum gate",
		Long: `Verify proves exercises, all of them unless some are named: the starter fails
helpfully, right versions pass, and each mutant fails at the check that is there
for it, with the feedback of its golden file. Without a name the course and its
links are checked too.

In a clone of cairn it reads the files of the clone; the exams are those that
this cairn was built with. Exit status 1 means a fault, 3 that something could
not be graded here.`,
		Example: "  cairn author verify\n  cairn author verify lostupdate --runs 20 --race\n  cairn author verify S4 --update",
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
	cmd.Flags().BoolVar(&o.json, "json", false, "print an array with one object per item")
	return cmd
}

func (a *app) verify(ctx context.Context, o verifyOptions) error {
	if o.runs < 1 {
		return usagef("--runs is a number from 1 on")
	}
	root, err := a.clone()
	if err != nil {
		return err
	}
	if o.update && root == "" {
		return hinted(exitUsage, errors.New("--update writes into a clone of cairn, and this folder is in none"), "cd into the clone, or leave out --update.")
	}
	if err := a.open(); err != nil {
		return err
	}
	chosen, err := a.chosen(o.names)
	if err != nil {
		return err
	}
	g, err := newGrader()
	if err != nil {
		return err
	}
	defer g.Close()
	table := a.newVerifyTable(o.json)
	if len(o.names) == 0 {
		table.course(a.course, a.road)
	}
	for _, e := range chosen {
		_, err := gate.Verify(ctx, g, e, gate.Options{
			Runs: o.runs, Race: o.race, Update: o.update, Dir: filepath.Join(root, "exercises"), Course: a.course,
			OnStart: table.start, OnResult: table.result,
		})
		table.status.clear()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
	}
	a.status = table.exitStatus()
	return table.finish()
}

// clone finds the clone of cairn that the author stands in, "" when in none,
// and has the shelf read its files instead of the embedded ones.
func (a *app) clone() (string, error) {
	dir, err := here()
	if err != nil {
		return "", err
	}
	for {
		gomod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(gomod), "module github.com/cairn-learn/cairn\n") {
			a.sources = func() (fs.FS, fs.FS) {
				return os.DirFS(filepath.Join(dir, "content")), os.DirFS(filepath.Join(dir, "exercises"))
			}
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", nil
		}
		dir = filepath.Dir(dir)
	}
}

// chosen is the named exercises, or all.
func (a *app) chosen(names []string) ([]*exercises.Exercise, error) {
	if len(names) == 0 {
		return a.catalogue.All(), nil
	}
	var chosen []*exercises.Exercise
	for _, name := range names {
		stone, err := a.exercise(name)
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, stone.Exercise)
	}
	return chosen, nil
}

// verdictJSON is one item in cairn author verify --json.
type verdictJSON struct {
	Exercise string        `json:"exercise"` // "" for the course
	Kind     string        `json:"kind"`
	Name     string        `json:"name"`
	OK       bool          `json:"ok"`
	Faults   []string      `json:"faults"`
	Ungraded bool          `json:"ungraded"`
	Updated  bool          `json:"updated"`
	Runs     int           `json:"runs"`
	Took     time.Duration `json:"took_ns"`
}

// verifyTable shows results as they come, or collects them for JSON.
type verifyTable struct {
	a      *app
	look   look
	json   bool
	status *statusLine
	all    []verdictJSON
}

func (a *app) newVerifyTable(json bool) *verifyTable {
	return &verifyTable{a: a, look: lookOf(a.out), json: json, status: a.newStatusLine(), all: []verdictJSON{}}
}

// course checks lessons, quizzes, links, and how exercises belong to them.
func (t *verifyTable) course(c *lessons.Course, r *road.Road) {
	began := time.Now()
	t.status.show("course")
	v := verdictJSON{Kind: "course", Faults: []string{}}
	if err := errors.Join(c.Validate(), r.Validate()); err != nil {
		v.Faults = strings.Split(strings.TrimSpace(err.Error()), "\n")
	}
	v.OK, v.Took = len(v.Faults) == 0, time.Since(began)
	t.add(v)
}

func (t *verifyTable) start(i gate.Item) { t.status.show(i.Exercise + " " + i.String()) }

func (t *verifyTable) result(r gate.Result) {
	t.add(verdictJSON{
		Exercise: r.Exercise, Kind: string(r.Kind), Name: r.Name, OK: r.OK(), Faults: append([]string{}, r.Faults...),
		Ungraded: r.Ungraded, Updated: r.Updated, Runs: r.Runs, Took: r.Took,
	})
}

func (t *verifyTable) add(v verdictJSON) {
	t.status.clear()
	t.all = append(t.all, v)
	if t.json {
		return
	}
	sign, color := "✓", "32"
	switch {
	case v.Ungraded:
		sign, color = "?", "33"
	case !v.OK:
		sign, color = "✗", "31"
	}
	note := report.Took(v.Took)
	switch {
	case v.Updated:
		note += "  golden written"
	case v.Runs > 1:
		note += fmt.Sprintf("  %d runs", v.Runs)
	}
	line := fmt.Sprintf(" %-14s %-32s ", v.Exercise, strings.TrimSpace(v.Kind+" "+v.Name))
	fmt.Fprintln(t.a.out, t.look.style(color, t.look.plain(sign))+line+t.look.style("2", note))
	for _, f := range v.Faults {
		fmt.Fprintln(t.a.out, "    "+strings.ReplaceAll(t.look.plain(strings.TrimRight(f, "\n")), "\n", "\n    "))
	}
}

func (t *verifyTable) exitStatus() int {
	status := exitOK
	for _, v := range t.all {
		switch {
		case v.Ungraded:
			return exitUngraded
		case !v.OK:
			status = exitFailed
		}
	}
	return status
}

func (t *verifyTable) finish() error {
	if t.json {
		return t.a.printJSON(t.all)
	}
	held := 0
	for _, v := range t.all {
		if v.OK {
			held++
		}
	}
	_, err := fmt.Fprintf(t.a.out, "\n%d of %d hold.\n", held, len(t.all))
	return err
}
