package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
)

func newHint(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "hint [NAME] [RUNG]", Short: "Climb one rung of an exercise's hints", GroupID: groupLearn, Args: atMost(2),
		Long: `Hint shows the next hint of an exercise: first where to look, then what to think,
at last almost the code. A number shows that rung.`,
		Example:           "  cairn hint\n  cairn hint lostupdate\n  cairn hint S4 1",
		ValidArgsFunction: a.complete(true),
		RunE: func(_ *cobra.Command, args []string) error {
			name, rung, err := hintArgs(args)
			if err != nil {
				return err
			}
			return a.hint(name, rung)
		},
	}
}

// hintArgs tells name and rung apart; either may be missing.
func hintArgs(args []string) (name string, rung int, err error) {
	for i, arg := range args {
		n, err := strconv.Atoi(arg)
		switch {
		case err != nil && i == 0:
			name = arg
		case err != nil || n < 1 || rung != 0:
			return "", 0, usagef("%q is not the number of a hint", arg)
		default:
			rung = n
		}
	}
	return name, rung, nil
}

func (a *app) hint(name string, rung int) error {
	job, err := a.target(name)
	if err != nil {
		return err
	}
	e := job.stone.Exercise
	seen := 0
	if job.home != nil {
		seen = job.home.HintsSeen(e.ID)
	}
	if rung == 0 {
		rung = min(seen+1, len(e.Hints))
	}
	if rung > len(e.Hints) {
		return usagef("%s has %d hints", e.ID, len(e.Hints))
	}
	fmt.Fprintf(a.out, "Hint %d of %d\n\n", rung, len(e.Hints))
	if err := a.show(e.Hints[rung-1]); err != nil {
		return err
	}
	if job.home == nil || rung <= seen {
		return nil
	}
	if err := job.home.SawHint(e.ID, rung); err != nil {
		fmt.Fprintf(a.err, "cairn: this hint is not remembered: %s\n", err)
	}
	return nil
}
