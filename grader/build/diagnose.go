package build

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/safe"
)

// maxDiagnostics is how many complaints are shown at once.
const maxDiagnostics = 10

// place matches "dir/file.go:12:5: message".
var place = regexp.MustCompile(`^(\S.*?\.go):(\d+)(?::(\d+))?: (.*)$`)

// complaint turns what go build printed into an error: a *TroubleError when it
// is about the machine, else a *CompileError.
func complaint(output string, s *Snapshot, r Request) error {
	output = safe.Text(output)
	if t := troubleIn(output); t != nil {
		return t
	}
	var all []report.Diagnostic
	chain := false // of imports, "package a", "    imports b", with the complaint at its end
	for line := range strings.Lines(output) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "package ") {
			chain = true
		}
		if chain {
			line = strings.TrimSpace(line)
		}
		if m := place.FindStringSubmatch(line); m != nil {
			d := report.Diagnostic{File: learnersName(m[1], r.ID), Message: m[4]}
			d.Line, _ = strconv.Atoi(m[2])
			d.Col, _ = strconv.Atoi(m[3])
			if d.Message != "too many errors" {
				all = append(all, d)
			}
			chain = false
			continue
		}
		// "\thave (int)" belongs to the line before.
		if more := strings.TrimSpace(line); !chain && len(all) > 0 && more != "" && strings.HasPrefix(line, " ") {
			all[len(all)-1].Message += "\n" + elsewhere(more, r.ID)
		}
	}
	if cycle := cycleIn(output, r.ID); cycle != nil {
		all = append(all, *cycle)
	}
	if len(all) == 0 {
		return &TroubleError{What: "go build failed: " + firstLine(output), Do: "run cairn doctor"}
	}
	slices.SortStableFunc(all, byPlace)
	all = slices.CompactFunc(all, func(a, b report.Diagnostic) bool {
		return a.File == b.File && a.Line == b.Line && a.Message == b.Message
	})
	all = all[:min(len(all), maxDiagnostics)]
	for i := range all {
		explain(&all[i], s, r)
	}
	all = append(all, s.leftOut...)
	return &CompileError{Diagnostics: all[:min(len(all), maxDiagnostics)]}
}

// learnersName is a file's name relative to the exercise's folder.
func learnersName(file, id string) string {
	file = strings.TrimPrefix(path.Clean(file), Module+"/")
	return strings.TrimPrefix(file, id+"/")
}

// elsewhere is a line that belongs to a complaint, with the learner's name for
// the file that it speaks of: "greeter.go:7:6: other declaration of New".
func elsewhere(line, id string) string {
	if m := place.FindStringSubmatch(line); m != nil {
		return learnersName(m[1], id) + strings.TrimPrefix(line, m[1])
	}
	return line
}

// cycleIn finds "import cycle not allowed", which names no file.
func cycleIn(output, id string) *report.Diagnostic {
	if !strings.Contains(output, "import cycle not allowed") {
		return nil
	}
	return &report.Diagnostic{
		File:    id,
		Message: "import cycle not allowed: a package of yours imports one that imports it again",
	}
}

// explain adds the line of code and the help, and says it when the complaint is
// about a given file.
func explain(d *report.Diagnostic, s *Snapshot, r Request) {
	point(d, s.Files[d.File])
	d.Message = noPackage.ReplaceAllString(d.Message, "the workspace has no package $1")
	d.Message = foundPackages.ReplaceAllString(d.Message, "$1 in the folder $2")
	d.Help = helpFor(d.Message, d.Source)
	if _, given := r.Given[d.File]; given {
		explainGiven(d, r.ID)
	}
	d.Message = strings.ReplaceAll(d.Message, Module+"/", "")
}

// noPackage matches what go build says about an import that go.mod knows nothing
// of; the advice in it, to change go.mod, leads nowhere here.
var noPackage = regexp.MustCompile(`(?s)^(?:no required module provides package|cannot find module providing package) ([^\s:;]+)(?:; to add it:.*|: import lookup disabled by -mod=readonly.*)$`)

// foundPackages matches a folder with two packages, which go build names by a
// path of its own.
var foundPackages = regexp.MustCompile(`^(found packages .*) in \S*/([^/\s]+)$`)

var undefinedOf = regexp.MustCompile(`^undefined: (\w+)\.(\w+)$`)

// explainGiven rewrites a complaint about a file that the learner cannot change:
// what does not fit is in the learner's package.
func explainGiven(d *report.Diagnostic, id string) {
	if m := undefinedOf.FindStringSubmatch(d.Message); m != nil && m[1] == id {
		d.Message = fmt.Sprintf("%s calls %s.%s, which your package does not have any more", d.File, id, m[2])
		d.Help = fmt.Sprintf("Add %s to your package again, as task.md describes it: %s is given and stays as it is.", m[2], d.File)
		return
	}
	d.Message = fmt.Sprintf("%s does not fit your package any more: %s", d.File, d.Message)
	d.Help = fmt.Sprintf("Use the names and types that task.md asks for: %s is given and stays as it is.", d.File)
}

// troubles are complaints that are not about the learner's code.
var troubles = []struct{ sign, what, do string }{
	{"module lookup disabled by GOPROXY=off", "a Go module that the exercise needs is not on this machine yet", "run cairn doctor while you are online: it fetches what is missing"},
	{"missing go.sum entry", "cairn's own go.sum lacks a module", "report this as a bug of cairn"},
	{"checksum mismatch", "a Go module on this machine is damaged", "run go clean -modcache, then cairn doctor while you are online"},
	{"updates to go.mod needed", "cairn's own go.mod is not complete", "report this as a bug of cairn"},
	{"no space left on device", "the disk is full", "free some space and grade again"},
	{"disk quota exceeded", "your disk quota is used up", "free some space and grade again"},
	{"read-only file system", "Go cannot write its cache: the file system is read-only", "set GOCACHE to a folder that can be written to"},
	{"build cache is required", "Go has no folder for its build cache", "set GOCACHE or HOME"},
	{"failed to initialize build cache", "Go cannot write its build cache", "check the folder that go env GOCACHE names"},
	{"go.mod requires go >=", "the installed Go is too old for the exercises", "install a newer one from https://go.dev/dl"},
	{"toolchain not available", "the installed Go is too old for the exercises", "install a newer one from https://go.dev/dl"},
	{"cannot allocate memory", "the machine is out of memory", "close other programs and grade again"},
	{"C compiler \"", "the race detector needs a C compiler", "install gcc or clang"},
	{"requires cgo", "the race detector needs a C compiler", "install gcc or clang"},
}

// troubleIn recognises trouble. Lines about a place in the learner's files do
// not count, except those about a module: they name the import.
func troubleIn(output string) *TroubleError {
	for line := range strings.Lines(output) {
		for _, t := range troubles {
			if !strings.Contains(line, t.sign) {
				continue
			}
			if place.MatchString(strings.TrimRight(line, "\n")) && !strings.Contains(line, "GOPROXY=off") && !strings.Contains(line, "go.sum") {
				continue
			}
			return &TroubleError{What: t.what, Do: t.do, Err: errors.New(safe.Line(line))}
		}
	}
	return nil
}

// trouble wraps an error of the file system.
func trouble(err error) error {
	t := &TroubleError{What: "cairn cannot prepare the build", Do: "run cairn doctor", Err: err}
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		t.What, t.Do = "the disk is full", "free some space and grade again"
	case errors.Is(err, syscall.EROFS), errors.Is(err, syscall.EACCES):
		t.What, t.Do = "cairn cannot write to its cache folder", "set XDG_CACHE_HOME to a folder that can be written to"
	}
	return t
}

func firstLine(text string) string {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			return safe.Line(line)
		}
	}
	return "no reason was given"
}
