package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cairn-learn/cairn/internal/nearest"
	"github.com/cairn-learn/cairn/internal/settings"
	"github.com/cairn-learn/cairn/internal/tui/theme"
	"github.com/cairn-learn/cairn/lessons"
)

func newPath(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "path [NAME]", Short: "Show the paths through the road, or choose one", GroupID: groupLearn, Args: pathArgs,
		Long: `Path lists the ways through the road and marks yours. With a name it chooses that
path and keeps it in the settings. The path decides what comes next; what you
have done stays done on every path.

A path of your own, or of whoever leads you, is a file that cairn path use takes.`,
		Example:           "  cairn path\n  cairn path onboarding\n  cairn path use payments/path.yaml",
		ValidArgsFunction: a.completePaths(func(*lessons.Path) bool { return true }),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := a.open(); err != nil {
				return err
			}
			if len(args) == 1 {
				if err := a.choose(strings.ToLower(args[0])); err != nil {
					return err
				}
			}
			a.sayLeft()
			if asJSON {
				return a.printJSON(a.paths())
			}
			return a.listPaths()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print an array with one object per path")
	cmd.AddCommand(newPathUse(a), newPathShow(a), newPathRemove(a))
	return cmd
}

// pathArgs is one name at most. Two words are a command that was mistyped.
func pathArgs(cmd *cobra.Command, args []string) error {
	if len(args) < 2 {
		return nil
	}
	return knownCommand(cmd, args)
}

// completePaths offers the paths that are wanted.
func (a *app) completePaths(wanted func(*lessons.Path) bool) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 || a.open() != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []cobra.Completion
		for _, p := range a.course.Paths {
			if wanted(p) {
				names = append(names, cobra.CompletionWithDesc(p.ID, p.Summary))
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// pathJSON is one path in cairn path --json.
type pathJSON struct {
	ID      string   `json:"id"`
	Title   string   `json:"title"`
	Summary string   `json:"summary"`
	Chosen  bool     `json:"chosen"`
	Own     bool     `json:"own"`     // not of the course: cairn path use took it
	Stones  []string `json:"stones"`  // in the order in which they are walked
	Written []string `json:"written"` // those of them that can be read
}

// paths is every path of the course.
func (a *app) paths() []pathJSON {
	chosen := a.road.Route(a.preferred().Path).Path
	all := []pathJSON{}
	for _, p := range a.course.Paths {
		j := pathJSON{ID: p.ID, Title: p.Title, Summary: p.Summary, Chosen: p == chosen, Own: p.Own, Stones: []string{}, Written: []string{}}
		for _, s := range a.road.Route(p.ID).Stones {
			j.Stones = append(j.Stones, s.Lesson.Stone)
			if s.Lesson.Written {
				j.Written = append(j.Written, s.Lesson.Stone)
			}
		}
		all = append(all, j)
	}
	return all
}

// choose keeps a path in the settings. Settings that can't be read stay as they
// are.
func (a *app) choose(id string) error {
	if a.course.Path(id) == nil {
		return hinted(exitUsage, fmt.Errorf("there is no path %q; the nearest is %s", id, nearest.Name(id, a.pathIDs())), "cairn path lists them.")
	}
	if err := settings.SetPath(settings.File(), id); err != nil {
		return hinted(exitFailed, err, "The settings were left as they are.")
	}
	s, err := settings.Load(settings.File())
	if err != nil {
		return err
	}
	a.prefer(s)
	return nil
}

// sayLeft tells of own paths that can't be read, unless that has been said.
func (a *app) sayLeft() {
	if a.pathFault(a.preferred()) != nil {
		return
	}
	for _, err := range a.left {
		fmt.Fprintf(a.err, "cairn: %s\n", err)
	}
}

func (a *app) listPaths() error {
	l := lookOf(a.out)
	route := a.road.Route(a.preferred().Path)
	wide := 0
	for _, id := range a.pathIDs() {
		wide = max(wide, len(id))
	}
	var text strings.Builder
	for _, p := range a.course.Paths {
		mark := "  "
		if p == route.Path {
			mark = theme.Cursor + " "
		}
		written, all := 0, a.road.Route(p.ID).Stones
		for _, s := range all {
			if s.Lesson.Written {
				written++
			}
		}
		lead := mark + fmt.Sprintf("%-*s  ", wide, p.ID)
		said := fmt.Sprintf("%s %d of its %d stones are written.", p.Summary, written, len(all))
		text.WriteString(l.plain(mark) + l.style("1", fmt.Sprintf("%-*s  ", wide, p.ID)) + l.wrap(said, len([]rune(lead))) + "\n")
	}
	_, err := io.WriteString(a.out, text.String())
	return err
}
