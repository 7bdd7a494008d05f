package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/adrg/xdg"
	"github.com/spf13/cobra"

	"github.com/cairn-learn/cairn/grader/process"
	"github.com/cairn-learn/cairn/grader/services"
	"github.com/cairn-learn/cairn/internal/doctor"
	"github.com/cairn-learn/cairn/internal/workspace"
)

func newDoctor(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "doctor", Short: "Check everything cairn needs on this machine", GroupID: groupMachine, Args: atMost(0),
		Long: `Doctor checks Go, the modules of the exercises, Docker and its images, what keeps
programs to their limits, disk space, folders, editor, terminal, settings and workspace, and says for each fault the one
thing to do. Exit status 1 means that something is wrong.`,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.doctor(cmd.Context(), asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print an array with one object per check")
	return cmd
}

func (a *app) doctor(ctx context.Context, asJSON bool) error {
	if err := a.open(); err != nil {
		return err
	}
	dir, err := here()
	if err != nil {
		return err
	}
	status := a.newStatusLine()
	status.show("checking")
	results := doctor.Examine(ctx, a.machine(dir))
	status.clear()
	if doctor.Sick(results) {
		a.status = exitFailed
	}
	if asJSON {
		return a.printJSON(results)
	}
	return a.printDiagnosis(results)
}

// machine is what the doctor looks at for a learner who stands in dir.
func (a *app) machine(dir string) doctor.Subject {
	s, _ := a.settings()
	return doctor.Subject{
		Limits: process.Limits, Settings: a.settingsState, Editor: s.Editor,
		GoMod: a.catalogue.GoMod(), GoSum: a.catalogue.GoSum(), Dir: dir,
		Workspace: func() (string, error) { return lookAt(dir) },
		Folders: []doctor.Folder{
			{Name: "temporary files", Path: os.TempDir()},
			{Name: "cache", Path: unlessHomeless("XDG_CACHE_HOME", xdg.CacheHome)},
			{Name: "state", Path: unlessHomeless("XDG_STATE_HOME", xdg.StateHome)},
			{Name: "progress", Path: unlessHomeless("XDG_DATA_HOME", xdg.DataHome)},
			{Name: "settings", Path: unlessHomeless("XDG_CONFIG_HOME", xdg.ConfigHome)},
		},
		Host: func(ctx context.Context) (services.HostInfo, error) {
			return services.CheckHost(ctx, services.Config{})
		},
	}
}

// unlessHomeless is path, or "" where nothing says where home is: the folder
// would lie in the root of the disk.
func unlessHomeless(variable, path string) string {
	if os.Getenv("HOME") == "" && os.Getenv(variable) == "" {
		return ""
	}
	return path
}

// lookAt tells which workspace a folder is in: "" for none.
func lookAt(dir string) (string, error) {
	w, err := workspace.Locate(dir)
	var none *workspace.NoneError
	switch {
	case errors.As(err, &none):
		return "", nil
	case err != nil:
		return "", explain(err)
	}
	return w.Dir, nil
}

func (a *app) printDiagnosis(results []doctor.Result) error {
	l := lookOf(a.out)
	signs := map[doctor.Status]struct{ sign, ascii, color string }{
		doctor.OK:    {"✓", "ok", "32"},
		doctor.Warn:  {"!", "warn", "33"},
		doctor.Fault: {"✗", "FAULT", "31"},
	}
	for _, r := range results {
		s := signs[r.Status]
		sign := fmt.Sprintf("%-2s", s.sign)
		if l.ASCII {
			sign = fmt.Sprintf("%-6s", s.ascii)
		}
		lead := sign + fmt.Sprintf("%-11s", r.Title)
		lines := l.wrap(r.Saw, len([]rune(lead)))
		fmt.Fprintln(a.out, l.style(s.color, sign)+l.style("1", fmt.Sprintf("%-11s", r.Title))+lines)
		if r.Do != "" {
			fmt.Fprintln(a.out, strings.Repeat(" ", len([]rune(lead)))+l.wrap(r.Do, len([]rune(lead))))
		}
	}
	faults := 0
	for _, r := range results {
		if r.Status == doctor.Fault {
			faults++
		}
	}
	switch faults {
	case 0:
		_, err := fmt.Fprintln(a.out, "\ncairn has all it needs.")
		return err
	case 1:
		_, err := fmt.Fprintln(a.out, "\n1 fault.")
		return err
	default:
		_, err := fmt.Fprintf(a.out, "\n%d faults.\n", faults)
		return err
	}
}
