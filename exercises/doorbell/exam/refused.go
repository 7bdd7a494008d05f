package exam

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

// patience is how long the exam waits for a start or an exit that is promised
// within two seconds: a machine that does much else at the same time has been
// seen to take three. grace is how long one that listens may still take to exit.
const (
	patience = 8 * time.Second
	grace    = 2 * time.Second
	status   = 78
)

// names are the variables of the contract.
var names = []string{"HOST", "PORT", "PHONE_URL", "API_KEY", "DOORS", "RING_TIMEOUT", "MAX_MESSAGE", "QUIET", "CHIME", "GREETING"}

// fault is what a line on standard error has to say.
type fault struct {
	name  string
	words string // that have to stand in its line
	value string // that has to stand in its line, "" for none
}

// wrong is a variable with a value that it must not have.
func wrong(name, value string) (change string, f fault) {
	return name + "=" + value, fault{name: name, value: value}
}

// refused starts the program with the faults that change makes, and fails unless
// it refuses as the task says.
func (h *house) refused(change []string, faults ...fault) *exam.Run {
	r := h.c.Run(patience, h.env(change...)...)
	did := "started the program with " + environment(change) + "; all else was right"
	h.exits(r, did, faults)
	lines := r.Stderr()
	for _, f := range faults {
		h.named(r, did, lines, f)
	}
	for _, name := range names {
		if slices.ContainsFunc(faults, func(f fault) bool { return f.name == name }) {
			continue
		}
		if line := find(lines, name); line != "" {
			h.c.Fail(exam.Finding{
				Did: did, Expected: "no line about " + name + ", which is in order", Saw: line,
				Why:  "Whoever reads it looks for a mistake where there is none. A list of all variables names the one that is wrong, too, and says nothing.",
				Read: lesson + "all-at-once",
			})
		}
	}
	return r
}

// exits fails unless the program has refused to start.
func (h *house) exits(r *exam.Run, did string, faults []fault) {
	f := exam.Finding{Did: did, Expected: fmt.Sprintf("it exits with status %d and says why", status)}
	if r.Listened {
		r.WaitExit(grace)
	}
	code, exited := r.WaitExit(0)
	lines := r.Stderr()
	panicked := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "panic: ") })
	switch {
	case exited && code == status:
		return
	case !exited && r.Listened:
		f.Saw = "it listened, as if all were well" + h.surprise(r, faults)
		if faults[0].words == "not set" {
			f.Detail = "The place for it is Main, before ListenAndServe: look at every variable there, and when one will not do, say so on standard error and return 78."
		}
	case !exited:
		f.Saw = fmt.Sprintf("after %s it was still running", patience)
		if faults[0].name == "PORT" {
			f.Saw += ", perhaps on a port that nobody has asked for"
		}
	case panicked >= 0:
		f.Saw = fmt.Sprintf("%s: a panic, with its stack, and status %d", lines[panicked], code)
		f.Why = "A stack trace says where your code gave up. An electrician needs to know which variable, and what is wrong with it."
	case code == 0:
		f.Saw = "it exited with status 0, which tells whatever started it that it had done its work"
		f.Why = "Nobody restarts it, nobody is called, and the deployment is green."
	default:
		f.Saw = "it " + r.Ending() + ", and said: " + said(lines)
		f.Why = "Status 1 is that of any crash, and a crash is started again. 78 says that this will not help, as long as nobody changes the settings."
	}
	h.c.Fail(f)
}

// surprise says what the first visitor meets at a program that should not run.
func (h *house) surprise(r *exam.Run, faults []fault) string {
	switch faults[0].name {
	case "API_KEY":
		return ". Whatever key opens it now stands in its source code, or it needs none"
	case "HOST":
		return ". No host means every network that the machine is in"
	}
	cl := h.client(r)
	name, path, method := faults[0].name, "/config", http.MethodGet
	if name == "PHONE_URL" || name == "DOORS" {
		path, method = "/doors/"+h.doors[0]+"/ring", http.MethodPost
	}
	resp, err := cl.Try(method, path, nil, cl.key)
	var page map[string]any
	switch {
	case err != nil:
	case method == http.MethodPost && resp.Status >= 400:
		return fmt.Sprintf(". The first visitor found it out and got %s", resp)
	case json.Unmarshal(resp.Body, &page) == nil && page[name] != nil:
		return fmt.Sprintf(". At /config it says %s: %q", name, fmt.Sprint(page[name]))
	}
	return ""
}

// named fails unless a line says what is wrong with one variable.
func (h *house) named(r *exam.Run, did string, lines []string, want fault) {
	f := exam.Finding{Did: did, Expected: "a line on standard error with " + want.name}
	line := find(lines, want.name)
	if line == "" {
		f.Saw = "none. It said: " + said(lines)
		if strings.Contains(r.Log(), want.name) {
			f.Saw = "the name is on standard output; standard error has: " + said(lines)
		}
		h.c.Fail(f)
	}
	f.Saw = line
	for _, other := range names {
		if other != want.name && mentions(line, other) {
			f.Expected = "a line about " + want.name + " alone"
			f.Read = lesson + "all-at-once"
			h.c.Fail(f)
		}
	}
	if want.words != "" && !strings.Contains(strings.ToLower(line), want.words) {
		f.Expected = fmt.Sprintf("a line on standard error with %s and the words %q", want.name, want.words)
		f.Why = "\"Invalid\" sends somebody to look for a typing mistake in a line that is not there, or is empty. Say which of the three it is."
		f.Read = lesson + "not-set-empty-zero"
		h.c.Fail(f)
	}
	if want.value != "" && !strings.Contains(line, want.value) {
		f.Expected = fmt.Sprintf("a line on standard error with %s and the value %q", want.name, want.value)
		f.Why = "The value that the program got is often not the one that somebody believes to have written. Showing it ends the argument."
		h.c.Fail(f)
	}
}

func mentions(line, name string) bool {
	return regexp.MustCompile(`\b` + name + `\b`).MatchString(line)
}

// find returns the first line that names the variable.
func find(lines []string, name string) string {
	for _, line := range lines {
		if mentions(line, name) {
			return line
		}
	}
	return ""
}

// said quotes the end of what was printed.
func said(lines []string) string {
	const most, length = 3, 160
	if len(lines) == 0 {
		return "nothing"
	}
	var quoted []string
	for _, line := range lines[max(0, len(lines)-most):] {
		if r := []rune(line); len(r) > length {
			line = string(r[:length]) + "…"
		}
		quoted = append(quoted, line)
	}
	return strings.Join(quoted, " / ")
}
