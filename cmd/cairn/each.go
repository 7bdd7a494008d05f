package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/cairn-learn/cairn/exercises"
	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/safe"
	"github.com/cairn-learn/cairn/internal/class"
)

// eachOptions are those of a grade of a whole class.
type eachOptions struct {
	dir  string // "" means that one submission is graded
	csv  string
	jobs int // 0 means as many as the machine carries
}

// mostJobs bounds how many are graded side by side by themselves: each takes a
// compiler, the program's instances and their servers.
const mostJobs = 8

// check refuses options that cannot go together with --each, or without it.
func (o eachOptions) check(g gradeOptions, given func(flag string) bool) error {
	if o.dir == "" {
		for _, flag := range []string{"csv", "jobs", "exercise"} {
			if given(flag) {
				return usagef("--%s goes with --each, which names the folder of a class", flag)
			}
		}
		return nil
	}
	for _, flag := range []string{"dir", "seed", "json", "watch", "junit", "github", "evidence", "race"} {
		if given(flag) {
			return usagef("--each writes a table; --%s is for one submission", flag)
		}
	}
	switch {
	case o.csv == "":
		return usagef("--each needs --csv FILE, where the table goes")
	case given("jobs") && (o.jobs < 1 || o.jobs > 64):
		return usagef("--jobs is how many are graded side by side, from 1 to 64")
	case g.name == "":
		return usagef("--each needs the exercise: cairn grade restcrud --each %s --csv %s", o.dir, o.csv)
	}
	return checkTarget("--csv", o.csv)
}

// marking is the grading of a class.
type marking struct {
	*app
	grader   *grader.Grader
	exercise *exercises.Exercise
	options  gradeOptions
	dir      string
	students []string

	mu    sync.Mutex
	rows  map[string]class.Row // by student, of this exercise
	other []class.Row          // of other exercises, which stay as they are
	fault error
}

// gradeEach grades a folder per student and keeps the table up to date after each.
func (a *app) gradeEach(ctx context.Context, o gradeOptions) error {
	base, err := here()
	if err != nil {
		return err
	}
	m := &marking{app: a, options: o, rows: map[string]class.Row{}}
	if m.dir, err = folder(base, o.each.dir); err != nil {
		return err
	}
	stone, err := a.exercise(o.name)
	if err != nil {
		return err
	}
	m.exercise = stone.Exercise
	if err := m.read(); err != nil {
		return err
	}
	if m.grader, err = newGrader(true); err != nil {
		return err
	}
	defer m.grader.Close()
	// Once, and not by each of those that begin together. What is wrong comes up
	// again, in words, where it matters.
	_ = m.grader.Warm(ctx, m.exercise.Spec())
	m.work(ctx)
	return m.sum(ctx)
}

// read finds the students and what the table already tells of them.
func (m *marking) read() error {
	var err error
	if m.students, err = class.Students(m.dir); err != nil {
		return err
	}
	if len(m.students) == 0 {
		return usagef("%s holds no folder; --each wants one for each student", m.dir)
	}
	rows, err := class.Read(m.options.each.csv)
	var foreign *class.ForeignError
	if errors.As(err, &foreign) {
		return hinted(exitUsage, err, "Name another file with --csv, or move that one away.")
	}
	if err != nil {
		return err
	}
	for _, row := range rows {
		if row.Exercise == m.exercise.ID && slices.Contains(m.students, row.Student) {
			m.rows[row.Student] = row
		} else {
			m.other = append(m.other, row)
		}
	}
	return nil
}

// work grades whoever is not in the table as they are now.
func (m *marking) work(ctx context.Context) {
	queue := make(chan string)
	var workers sync.WaitGroup
	for range m.jobs() {
		workers.Go(func() {
			for student := range queue {
				m.grade(ctx, student)
			}
		})
	}
	for _, student := range m.students {
		select {
		case queue <- student:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(queue)
	workers.Wait()
}

func (m *marking) jobs() int {
	if m.options.each.jobs > 0 {
		return m.options.each.jobs
	}
	return min(max(runtime.NumCPU(), 2), mostJobs, len(m.students))
}

// grade makes a student's row, unless the one in the table is of these very files
// and this version of the exercise.
func (m *marking) grade(ctx context.Context, student string) {
	spec := m.exercise.Spec()
	dir, ok := class.Folder(m.dir, student, spec.ID, m.exercise.Edit)
	if !ok {
		m.keep(class.Row{
			Student: student, Exercise: spec.ID, Verdict: class.Missing, Content: spec.Content, Graded: time.Now(),
			Said: "there is no " + m.exercise.Edit[0] + " in " + filepath.Join(student, spec.ID) + ", nor in " + student,
		}, "")
		return
	}
	s := grader.Submission{Exercise: spec, Dir: dir}
	if code, err := grader.CodeHash(s); err == nil {
		m.mu.Lock()
		row, known := m.rows[student]
		m.mu.Unlock()
		if known && row.Code == code && row.Content == spec.Content && row.Verdict != string(report.Ungraded) {
			m.keep(row, "as before")
			return
		}
	}
	began := time.Now()
	rep, err := m.grader.Grade(ctx, s, nil)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		m.failWith(err)
		return
	}
	m.keep(class.FromReport(student, &rep), time.Since(began).Round(100*time.Millisecond).String())
}

func (m *marking) failWith(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault = errors.Join(m.fault, err)
}

// keep puts a row into the table, writes it, and says so.
func (m *marking) keep(row class.Row, how string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rows[row.Student] = row
	all := slices.Clone(m.other)
	for _, student := range m.students {
		if row, ok := m.rows[student]; ok {
			all = append(all, row)
		}
	}
	if err := class.Write(m.options.each.csv, all); err != nil {
		m.fault = errors.Join(m.fault, fmt.Errorf("the table was not written: %w", err))
	}
	line := fmt.Sprintf("%-24s %-8s", safe.Line(row.Student), row.Verdict)
	if row.Checks > 0 {
		line += fmt.Sprintf(" %d of %d", row.Passed, row.Checks)
	}
	if how != "" {
		line += "  " + how
	}
	fmt.Fprintln(m.out, line)
}

// sum tells how the class has done. Its status tells whether everybody has a
// verdict, not which one.
func (m *marking) sum(ctx context.Context) error {
	count := map[string]int{}
	for _, student := range m.students {
		if row, ok := m.rows[student]; ok {
			count[row.Verdict]++
		} else {
			count["not yet graded"]++
		}
	}
	text := fmt.Sprintf("%d students", len(m.students))
	for _, verdict := range []string{"passed", "failed", "broken", "limit", "missing", "ungraded", "not yet graded"} {
		if n := count[verdict]; n > 0 {
			text += fmt.Sprintf(", %d %s", n, verdict)
		}
	}
	fmt.Fprintf(m.out, "%s: %s\n", text, m.options.each.csv)
	if ctx.Err() != nil {
		fmt.Fprintln(m.err, "cairn: the same command goes on where this one stopped")
		return ctx.Err()
	}
	if count[string(report.Ungraded)] > 0 {
		m.status = exitUngraded
	}
	return m.fault
}
