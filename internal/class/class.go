// Package class keeps the table of a class: which student's folder came out how,
// as CSV that a spreadsheet opens.
package class

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/internal/atomicfile"
)

// Missing is the verdict of a student whose folder holds nothing to grade.
const Missing = "missing"

// Row is one student's line of the table.
type Row struct {
	Student  string
	Exercise string
	Verdict  string // of the report, or Missing
	Passed   int    // checks
	Checks   int
	Failed   []string // ids of the checks that failed, in the exam's order
	NotRun   []string // ids of the checks that did not run
	Said     string   // one line: what was seen at the first failed check, or the reason
	Seed     uint64   // 0 when nothing was drawn
	Code     string   // hash of the files that were graded, "" when they could not be taken
	Content  string   // hash of the exercise's version
	Graded   time.Time
}

var columns = []string{
	"student", "exercise", "verdict", "passed", "checks", "failed", "not_run", "said", "seed", "code", "content", "graded",
}

// ForeignError says that a file is there and is no table of this kind.
type ForeignError struct{ File string }

func (e *ForeignError) Error() string {
	return e.File + " is there already and is no table of cairn's"
}

// Students lists the folders of a class by name. Those that begin with a dot are
// nobody's.
func Students(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		if info, err := os.Stat(filepath.Join(dir, entry.Name())); err == nil && info.IsDir() {
			all = append(all, entry.Name())
		}
	}
	return all, nil
}

// Folder is where a student's files of an exercise lie: in a folder that is called
// after it, as in a workspace, or directly in the student's own. ok is false when
// none of the files is in either.
func Folder(dir, student, exercise string, files []string) (folder string, ok bool) {
	for _, folder := range []string{filepath.Join(dir, student, exercise), filepath.Join(dir, student)} {
		for _, name := range files {
			if _, err := os.Lstat(filepath.Join(folder, filepath.FromSlash(name))); err == nil {
				return folder, true
			}
		}
	}
	return "", false
}

// FromReport is the row of a report.
func FromReport(student string, r *report.Report) Row {
	row := Row{
		Student: student, Exercise: r.Exercise, Verdict: string(r.Verdict), Checks: len(r.Checks),
		Said: said(r), Seed: r.Seed, Code: r.Code, Content: r.Content, Graded: r.Started,
	}
	for _, c := range r.Checks {
		switch c.Status {
		case report.CheckPassed:
			row.Passed++
		case report.CheckFailed:
			row.Failed = append(row.Failed, c.ID)
		default:
			row.NotRun = append(row.NotRun, c.ID)
		}
	}
	return row
}

func said(r *report.Report) string {
	text := r.Reason
	if first := r.FirstFailed(); first != nil && first.Feedback != nil && r.Verdict == report.Failed {
		text = first.Feedback.Saw
	} else if len(r.Diagnostics) > 0 {
		d := r.Diagnostics[0]
		text = d.Message
		if d.Line > 0 {
			text = fmt.Sprintf("%s:%d: %s", d.File, d.Line, d.Message)
		}
	}
	return strings.Join(strings.Fields(text), " ")
}

// Read returns the rows of a table, none when there is no file. It returns a
// *ForeignError when the file is something else, which must not be replaced.
func Read(file string) ([]Row, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := csv.NewReader(f)
	in.FieldsPerRecord = len(columns)
	lines, err := in.ReadAll()
	if err != nil || len(lines) == 0 || !slices.Equal(lines[0], columns) {
		return nil, &ForeignError{File: file}
	}
	var rows []Row
	for _, cells := range lines[1:] {
		row, err := parse(cells)
		if err != nil {
			return nil, &ForeignError{File: file}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func parse(cells []string) (row Row, err error) {
	for i := range cells {
		cells[i] = unguarded(cells[i])
	}
	var errs [4]error
	row = Row{
		Student: cells[0], Exercise: cells[1], Verdict: cells[2], Failed: strings.Fields(cells[5]),
		NotRun: strings.Fields(cells[6]), Said: cells[7], Code: cells[9], Content: cells[10],
	}
	row.Passed, errs[0] = strconv.Atoi(cells[3])
	row.Checks, errs[1] = strconv.Atoi(cells[4])
	row.Seed, errs[2] = strconv.ParseUint(cells[8], 10, 64)
	row.Graded, errs[3] = time.Parse(time.RFC3339, cells[11])
	return row, errors.Join(errs[:]...)
}

// Write replaces the table as a whole: whoever reads it sees the old one or the new.
func Write(file string, rows []Row) error {
	var b strings.Builder
	out := csv.NewWriter(&b)
	lines := [][]string{columns}
	for _, r := range rows {
		lines = append(lines, []string{
			guarded(r.Student), r.Exercise, r.Verdict, strconv.Itoa(r.Passed), strconv.Itoa(r.Checks),
			guarded(strings.Join(r.Failed, " ")), guarded(strings.Join(r.NotRun, " ")), guarded(r.Said),
			strconv.FormatUint(r.Seed, 10), r.Code, r.Content, r.Graded.UTC().Format(time.RFC3339),
		})
	}
	if err := out.WriteAll(lines); err != nil {
		return err
	}
	return atomicfile.Write(file, []byte(b.String()))
}

// formula holds what makes a spreadsheet take a cell for a formula, and the
// apostrophe that guards one. OWASP, "CSV Injection".
const formula = "=+-@\t\r'"

// guarded puts an apostrophe before a text that a spreadsheet would calculate.
func guarded(text string) string {
	if text != "" && strings.ContainsRune(formula, rune(text[0])) {
		return "'" + text
	}
	return text
}

func unguarded(cell string) string {
	if len(cell) > 1 && cell[0] == '\'' && strings.ContainsRune(formula, rune(cell[1])) {
		return cell[1:]
	}
	return cell
}
