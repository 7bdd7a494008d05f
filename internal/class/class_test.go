package class

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cairn-learn/cairn/grader/report"
)

func TestTableIsReadAsItWasWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "table.csv")
	var rows []Row
	for _, text := range []string{"ada", "=1+1", "+49", "-x", "@home", "\tx", "'quoted", "'=x", "", "a,b \"c\"\nd"} {
		rows = append(rows, Row{
			Student: text, Exercise: "restcrud", Verdict: "failed", Passed: 3, Checks: 5, Failed: []string{"routes"},
			NotRun: []string{"ids", "size"}, Said: text, Seed: 1<<53 - 1, Code: "c", Content: "d",
			Graded: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		})
	}
	if err := Write(file, rows); err != nil {
		t.Fatal(err)
	}
	got, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], rows[i]) {
			t.Errorf("%q was read as %+v", rows[i].Student, got[i])
		}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if strings.ContainsRune("=+-@\t", rune(strings.TrimPrefix(line, `"`)[0])) {
			t.Errorf("a spreadsheet would calculate %q", line)
		}
	}
}

func TestOtherFilesAreForeign(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"empty": "", "text": "dear class,\n", "other columns": "name,points\nada,3\n", "binary": "\x00\xff\"",
		"numbers": strings.Join(columns, ",") + "\nada,restcrud,passed,many,5,,,,0,,,2026-01-02T03:04:05Z\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		var foreign *ForeignError
		if rows, err := Read(file); !errors.As(err, &foreign) {
			t.Errorf("%s: %v, %v", name, rows, err)
		}
	}
	if rows, err := Read(filepath.Join(dir, "none")); err != nil || rows != nil {
		t.Errorf("no file: %v, %v", rows, err)
	}
}

func TestFolders(t *testing.T) {
	dir := t.TempDir()
	for _, folder := range []string{"ada/restcrud", "bo", "cy", ".git"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"ada/restcrud/restcrud.go", "bo/restcrud.go", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(dir, file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	students, err := Students(dir)
	if err != nil || !reflect.DeepEqual(students, []string{"ada", "bo", "cy"}) {
		t.Errorf("%q, %v", students, err)
	}
	for student, want := range map[string]string{"ada": "ada/restcrud", "bo": "bo", "cy": ""} {
		got, ok := Folder(dir, student, "restcrud", []string{"restcrud.go"})
		if ok != (want != "") || ok && got != filepath.Join(dir, want) {
			t.Errorf("%s: %s, %v", student, got, ok)
		}
	}
}

func TestRowOfAReport(t *testing.T) {
	r := &report.Report{
		Exercise: "restcrud", Verdict: report.Failed, Seed: 7,
		Checks: []report.Check{
			{ID: "starts", Status: report.CheckPassed},
			{ID: "routes", Status: report.CheckFailed, Feedback: &report.Feedback{Saw: "404\n  where 200 was due"}},
			{ID: "ids", Status: report.CheckBlocked, BlockedBy: "routes"},
		},
	}
	got := FromReport("ada", r)
	if got.Passed != 1 || got.Checks != 3 || got.Said != "404 where 200 was due" ||
		!reflect.DeepEqual(got.Failed, []string{"routes"}) || !reflect.DeepEqual(got.NotRun, []string{"ids"}) {
		t.Errorf("%+v", got)
	}
}
