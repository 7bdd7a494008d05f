package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// problem is an error with a hint and an exit status.
type problem struct {
	err    error
	hint   string // what to do, one line; "" points to the help
	status int
}

func (p *problem) Error() string { return p.err.Error() }
func (p *problem) Unwrap() error { return p.err }

// usage marks an error as a mistake on the command line.
func usage(err error) error { return &problem{err: err, status: exitUsage} }

func usagef(format string, args ...any) error { return usage(fmt.Errorf(format, args...)) }

// hinted adds what to do about an error.
func hinted(status int, err error, hint string) error {
	return &problem{err: err, hint: hint, status: status}
}

// complain writes an error to standard error and returns the exit status.
func (a *app) complain(cmd *cobra.Command, err error) int {
	status, hint := exitFailed, ""
	var p *problem
	if errors.As(explain(err), &p) {
		err, status, hint = p.err, p.status, p.hint
	}
	if hint == "" && status == exitUsage {
		hint = cmd.CommandPath() + " --help shows how it is used."
	}
	fmt.Fprintf(a.err, "cairn: %s\n", strings.TrimRight(err.Error(), "\n"))
	if hint != "" {
		fmt.Fprintf(a.err, "       %s\n", hint)
	}
	return status
}
