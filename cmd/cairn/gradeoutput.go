package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cairn-learn/cairn/grader/report"
)

// evidence is a flag.
type evidence report.Evidence

var evidenceNames = map[string]report.Evidence{"short": report.Short, "full": report.Full, "none": report.None}

func (e *evidence) String() string {
	for name, value := range evidenceNames {
		if value == report.Evidence(*e) {
			return name
		}
	}
	return ""
}

func (e *evidence) Type() string { return "HOW" }

func (e *evidence) Set(text string) error {
	value, ok := evidenceNames[text]
	if !ok {
		return errors.New("it is full, short or none")
	}
	*e = evidence(value)
	return nil
}

// quiet tells whether standard output belongs to something else than the text.
func (o gradeOptions) quiet() bool { return o.json || o.junit == "-" }

// check refuses options that cannot go together, and a file that could not be
// written, before the grade begins.
func (o gradeOptions) check(given func(flag string) bool) error {
	var owners []string
	for _, owner := range []struct {
		flag string
		on   bool
	}{{"--json", o.json}, {"--github", o.github}, {"--junit -", o.junit == "-"}} {
		if owner.on {
			owners = append(owners, owner.flag)
		}
	}
	switch {
	case o.poll && !o.watch:
		return usagef("--poll says how to watch; --watch is missing")
	case len(owners) > 1:
		return usagef("%s and %s both want standard output; give one of them", owners[0], owners[1])
	case o.json && given("evidence"):
		return usagef("--evidence says how much of a text is shown; --json always holds everything")
	case o.watch && o.github:
		return usagef("--github is for a job that ends; --watch does not")
	case o.watch && o.junit == "-":
		return usagef("--watch grades again and again, and --junit - can hold one grade; name a file, which every grade replaces")
	case given("junit") && o.junit == "":
		return usagef("--junit needs a file, or - for standard output")
	case o.junit != "" && o.junit != "-":
		return checkTarget("--junit", o.junit)
	}
	return nil
}

// checkTarget tells early when a file cannot be written to where it is wanted.
func checkTarget(flag, file string) error {
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		return usagef("%s %s is a folder; name a file", flag, file)
	}
	if info, err := os.Stat(filepath.Dir(file)); err != nil || !info.IsDir() {
		return usagef("there is no folder %s for %s", filepath.Dir(file), flag)
	}
	return nil
}

// writeOutputs writes the report in the forms that were asked for besides the
// text.
func (a *app) writeOutputs(job assignment, rep report.Report, o gradeOptions) error {
	if o.json {
		if err := a.printJSON(rep); err != nil {
			return err
		}
	}
	var fault error
	if o.junit != "" {
		fault = a.writeJUnit(rep, o)
	}
	if o.github {
		fault = errors.Join(fault, a.writeGitHub(job, rep, o))
	}
	if fault != nil && a.status == exitUngraded {
		fmt.Fprintf(a.err, "cairn: %s\n", fault)
		return nil // it stays true that nothing was graded
	}
	return fault
}

func (a *app) writeJUnit(rep report.Report, o gradeOptions) error {
	var b bytes.Buffer
	if err := report.WriteJUnit(&b, rep, report.TextOptions{Evidence: report.Evidence(o.evidence)}); err != nil {
		return err
	}
	if o.junit == "-" {
		_, err := a.out.Write(b.Bytes())
		return err
	}
	if err := writeWhole(o.junit, b.Bytes()); err != nil {
		return hinted(exitFailed, fmt.Errorf("the JUnit file was not written: %w", err), "The grade itself is as shown above.")
	}
	return nil
}

// writeWhole writes a file so that nobody ever reads half of it: aside, then
// renamed. What is no ordinary file, such as /dev/stderr, is written to as it is.
func writeWhole(name string, content []byte) error {
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return os.WriteFile(name, content, 0o666)
	}
	aside := filepath.Join(filepath.Dir(name), fmt.Sprintf(".cairn-%d", os.Getpid()))
	f, err := os.OpenFile(aside, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(aside, name)
	}
	if err != nil {
		_ = os.Remove(aside)
	}
	return err
}

// writeGitHub writes annotations to standard output and a summary to where GitHub
// wants one.
func (a *app) writeGitHub(job assignment, rep report.Report, o gradeOptions) error {
	all := rep.Annotations(job.stone.Exercise.Edit[0])
	for i := range all {
		if all[i].File != "" {
			all[i].File = inRepository(filepath.Join(job.dir, filepath.FromSlash(all[i].File)))
		}
	}
	if err := report.WriteAnnotations(a.out, all); err != nil {
		return err
	}
	summary := os.Getenv("GITHUB_STEP_SUMMARY")
	if summary == "" {
		return nil
	}
	var b bytes.Buffer
	if err := report.WriteMarkdown(&b, rep, report.TextOptions{Evidence: report.Evidence(o.evidence)}); err != nil {
		return err
	}
	f, err := os.OpenFile(summary, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err == nil {
		_, err = f.Write(b.Bytes())
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return hinted(exitFailed, fmt.Errorf("the summary of the job was not written: %w", err), "GITHUB_STEP_SUMMARY names the file; the grade itself is as shown above.")
	}
	return nil
}

// inRepository is a path as annotations name it: from the root of what was checked
// out, or else from the folder cairn runs in, where it is inside.
func inRepository(path string) string {
	bases := []string{os.Getenv("GITHUB_WORKSPACE")}
	if dir, err := os.Getwd(); err == nil {
		bases = append(bases, dir)
	}
	for _, base := range bases {
		if base == "" {
			continue
		}
		rel, err := filepath.Rel(real(base), real(path))
		if err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			return filepath.ToSlash(rel)
		}
	}
	return filepath.ToSlash(path)
}

// real is a path without symbolic links, as far as it exists.
func real(path string) string {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target
	} else if errors.Is(err, fs.ErrNotExist) && filepath.Dir(path) != path {
		return filepath.Join(real(filepath.Dir(path)), filepath.Base(path))
	}
	return path
}
