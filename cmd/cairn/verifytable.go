package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/internal/gate"
	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/lessons"
)

// verifyJSONVersion grows when a field of verifyJSON changes its meaning or goes.
const verifyJSONVersion = 1

// verifyJSON is what cairn author verify --json prints.
type verifyJSON struct {
	Version int           `json:"version"`
	Items   []verdictJSON `json:"items"`
}

// verdictJSON is one item.
type verdictJSON struct {
	Exercise string        `json:"exercise"` // "" for the course
	Kind     string        `json:"kind"`     // course, or a gate.Kind
	Name     string        `json:"name"`
	OK       bool          `json:"ok"`
	Faults   []string      `json:"faults"`
	Notes    []string      `json:"notes"`
	Ungraded bool          `json:"ungraded"`
	Updated  bool          `json:"updated"`
	Check    string        `json:"check,omitempty"` // the first that failed in the last grade
	Told     string        `json:"told,omitempty"`  // what its feedback says was seen: the first line
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
	v := verdictJSON{Kind: "course", Faults: []string{}, Notes: []string{}}
	if err := errors.Join(c.Validate(), r.Validate()); err != nil {
		v.Faults = strings.Split(strings.TrimSpace(err.Error()), "\n")
	}
	v.OK, v.Took = len(v.Faults) == 0, time.Since(began)
	t.add(v)
}

func (t *verifyTable) start(i gate.Item) { t.status.show(i.Exercise + " " + i.String()) }

func (t *verifyTable) result(r gate.Result) {
	v := verdictJSON{
		Exercise: r.Exercise, Kind: string(r.Kind), Name: r.Name, OK: r.OK(), Faults: append([]string{}, r.Faults...), Notes: append([]string{}, r.Notes...),
		Ungraded: r.Ungraded, Updated: r.Updated, Runs: r.Runs, Took: r.Took,
	}
	if r.Report != nil {
		if first := r.Report.FirstFailed(); first != nil {
			v.Check = first.ID
			if first.Feedback != nil {
				v.Told, _, _ = strings.Cut(strings.TrimSpace(first.Feedback.Saw), "\n")
			}
		}
	}
	t.add(v)
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
	if v.Check != "" && v.OK {
		const lead = "    "
		fmt.Fprintln(t.a.out, lead+t.look.wrap(t.look.plain(v.Check+": "+v.Told), len(lead)))
	}
	for _, f := range append(v.Faults, v.Notes...) {
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
		return t.a.printJSON(verifyJSON{Version: verifyJSONVersion, Items: t.all})
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
