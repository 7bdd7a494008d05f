package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/cairn-learn/cairn/internal/nearest"
)

// The rules of this command line: standard output holds the answer and nothing
// else; progress, questions and errors go to standard error; an error is one
// sentence that begins with "cairn:" and a line that says what to do.

// Exit statuses.
const (
	exitOK          = 0
	exitFailed      = 1 // a grade that failed, or a command that did
	exitUsage       = 2
	exitUngraded    = 3
	exitInterrupted = 130
	exitPipe        = 141
)

// stdio are the streams of one run.
type stdio struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

// app is what the commands share during one run.
type app struct {
	stdio
	status int // exit status of a command that did its work

	untilInterrupted bool // an interrupt is how the command is meant to end
	shelf
	memory
	preferences
}

// run executes one command line and returns its exit status.
func run(args []string, s stdio) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer stop()
	context.AfterFunc(ctx, stop)                            // a second signal ends cairn at once
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // so that a write to a closed pipe is an error, and a grade can clean up
	a := &app{stdio: s}
	defer a.forget()
	root := newRoot(a)
	root.SetArgs(args)
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	ran, err := root.ExecuteContextC(ctx)
	if ctx.Err() != nil && a.untilInterrupted {
		return a.status
	}
	if ctx.Err() != nil {
		fmt.Fprintln(s.err, "cairn: interrupted")
		return exitInterrupted
	}
	if errors.Is(err, syscall.EPIPE) {
		return exitPipe // whoever read has seen enough
	}
	if err != nil {
		return a.complain(ran, err)
	}
	return a.status
}

const about = `cairn teaches backend engineering in the terminal: read a lesson, build the
program it asks for, and have it examined against real servers.

Every NAME may be an exercise (lostupdate), a lesson (sql/lost-update) or a
stone (S4), in any case.`

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:           "cairn",
		Short:         "Learn backend engineering in the terminal",
		Long:          about,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          knownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return a.home(cmd.Context()) },
	}
	cobra.EnableCommandSorting = false // they are listed in the order in which they are met
	root.AddGroup(
		&cobra.Group{ID: groupLearn, Title: "Learn"},
		&cobra.Group{ID: groupMachine, Title: "Your machine"},
		&cobra.Group{ID: groupAuthor, Title: "Authors"},
	)
	root.AddCommand(
		newInit(a), newPath(a), newList(a), newRead(a), newStart(a), newGrade(a), newHint(a), newDiff(a), newAttempts(a), newReset(a),
		newProgress(a), newReport(a),
		newServices(a), newDoctor(a), newAuthor(a), newVersion(a),
	)
	root.SetHelpCommandGroupID(groupMachine)
	root.SetCompletionCommandGroupID(groupMachine)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	root.SetUsageTemplate(usageTemplate)
	root.SetVersionTemplate("cairn {{.Version}}\n")
	return root
}

const (
	groupLearn   = "learn"
	groupMachine = "machine"
	groupAuthor  = "author"
)

// knownCommand refuses words that are no command, with the nearest one that is.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return usagef("there is no command %q in %s; the nearest is %s", args[0], cmd.CommandPath(), nearest.Name(args[0], names))
}

// exactly and atMost are cobra's argument checks in cairn's words.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < n:
			return usagef("%s is missing", what)
		case len(args) > n:
			return usagef("%q is one word too many", args[n])
		}
		return nil
	}
}

func atMost(n int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > n {
			return usagef("%q is one word too many", args[n])
		}
		return nil
	}
}
