package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/cairn-learn/cairn/grader/services"
)

func newServices(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "services", Short: "Show and stop the servers that cairn keeps warm", GroupID: groupMachine, Args: knownCommand,
		Long: `Grading keeps its servers running between grades, in containers or, where there
is no Docker, as processes of this machine; they stop by themselves half an hour
after their last use. CAIRN_SERVICES=containers or native chooses.`,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newServicesList(a), newServicesStop(a), newServicesPrune(a))
	return cmd
}

func newServicesList(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the servers", Args: atMost(0), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			servers, err := services.List(cmd.Context(), services.Config{})
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(serversJSON(servers))
			}
			return a.listServers(servers)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print an array with one object per server")
	return cmd
}

func (a *app) listServers(servers []services.Server) error {
	if len(servers) == 0 {
		_, err := fmt.Fprintln(a.out, "No server is running. The next grade that needs one starts it.")
		return err
	}
	table := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SERVICE\tSTATUS\tVERSION\tADDRESS\tUP\tNAME")
	for _, s := range servers {
		up := "-"
		if s.Running() && !s.Started.IsZero() {
			up = time.Since(s.Started).Round(time.Second).String()
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", s.Service, s.Status, or(s.Version, "-"), or(s.Addr, "-"), up, s.Name)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, s := range servers {
		for _, d := range s.Kept() {
			fmt.Fprintf(a.out, "kept for a look: %s (%s, since %s)\n", d.Name, d.Fixture, d.Kept.Local().Format("15:04"))
		}
	}
	return nil
}

func or(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// serverJSON is one server in cairn services list --json.
type serverJSON struct {
	Service   string    `json:"service"`
	Name      string    `json:"name"`
	Image     string    `json:"image"`
	Status    string    `json:"status"`
	Version   string    `json:"version"`
	Address   string    `json:"address"`
	Started   time.Time `json:"started"`
	Databases int       `json:"databases"`
	Kept      []string  `json:"kept"`
}

func serversJSON(servers []services.Server) []serverJSON {
	all := []serverJSON{}
	for _, s := range servers {
		j := serverJSON{
			Service: s.Service, Name: s.Name, Image: s.Image, Status: s.Status, Version: s.Version,
			Address: s.Addr, Started: s.Started, Databases: len(s.Databases), Kept: []string{},
		}
		for _, d := range s.Kept() {
			j.Kept = append(j.Kept, d.Name)
		}
		all = append(all, j)
	}
	return all
}

func newServicesStop(a *app) *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use: "stop", Short: "Stop the servers; the next grade starts them anew", Args: atMost(0), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			stopped, err := services.Stop(cmd.Context(), services.Config{}, force)
			for _, s := range stopped {
				fmt.Fprintf(a.out, "stopped %s (%s)\n", s.Service, s.Name)
			}
			if err == nil && len(stopped) == 0 {
				fmt.Fprintln(a.out, "No server is running.")
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "also while another cairn may be grading")
	return cmd
}

func newServicesPrune(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "prune", Short: "Remove servers and databases that nobody uses", Args: atMost(0), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			pruned, err := services.Prune(cmd.Context(), services.Config{})
			for _, s := range pruned.Servers {
				fmt.Fprintf(a.out, "removed server %s\n", s.Name)
			}
			for _, d := range pruned.Databases {
				fmt.Fprintf(a.out, "removed database %s\n", d.Name)
			}
			if pruned.Images > 0 {
				fmt.Fprintf(a.out, "removed what builds of images had kept (%d)\n", pruned.Images)
			}
			if pruned.Caches > 0 {
				fmt.Fprintf(a.out, "removed what Go had compiled for the steps of workflows (%d)\n", pruned.Caches)
			}
			if err == nil && len(pruned.Servers)+len(pruned.Databases)+pruned.Images+pruned.Caches == 0 {
				fmt.Fprintln(a.out, "There is nothing to remove.")
			}
			return err
		},
	}
}
