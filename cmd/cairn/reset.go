package main

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func newReset(a *app) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "reset [NAME]", Short: "Begin an exercise anew; a backup is kept", GroupID: groupLearn,
		Args: atMost(1), ValidArgsFunction: a.complete(true),
		RunE: func(_ *cobra.Command, args []string) error {
			name := ""
			if len(args) > 0 {
				name = args[0]
			}
			return a.reset(name, yes)
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

func (a *app) reset(name string, yes bool) error {
	job, err := a.target(name)
	if err != nil {
		return err
	}
	e, w := job.stone.Exercise, job.home
	switch {
	case w == nil:
		_, err := a.workspace()
		return err
	case !w.Started(e.ID):
		return hinted(exitUsage, fmt.Errorf("%s has not been started, so there is nothing to reset", e.ID), "cairn start "+e.ID+" begins it.")
	}
	if !yes && !a.confirm(fmt.Sprintf("Put the files of %s aside and begin anew?", e.ID)) {
		return hinted(exitFailed, fmt.Errorf("%s is as it was", e.ID), "Answer y to reset it, or use --yes.")
	}
	backup, err := w.Reset(e)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s is as at the start. Your files are kept in %s\n", e.ID, backup)
	return nil
}

// confirm asks on standard error and reads one line. Anything but yes is no.
func (a *app) confirm(question string) bool {
	fmt.Fprintf(a.err, "%s [y/N] ", question)
	answer, err := bufio.NewReader(a.in).ReadString('\n')
	if err != nil && answer == "" {
		fmt.Fprintln(a.err)
	}
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes"
}
