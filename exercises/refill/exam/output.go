package exam

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// maxOutput is how many lines of what the tests printed a finding shows.
const maxOutput = 12

// end returns the last lines of what tests printed, or those up to a panic's first goroutine.
func end(output string) string {
	lines := strings.Split(strings.TrimRight(output, "\n"), "\n")
	if i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "goroutine ") }); i > 0 {
		lines = append(lines[:i:i], testLines(lines[i:])...)
	}
	if len(lines) > maxOutput {
		lines = append([]string{"…"}, lines[len(lines)-maxOutput:]...)
	}
	return strings.Join(lines, "\n")
}

var testLine = regexp.MustCompile(`([\w-]+_test\.go:\d+)`)

// testLines are the places of the learner's files in a trace, the innermost first.
func testLines(trace []string) (places []string) {
	for _, l := range trace {
		if m := testLine.FindString(l); m != "" && !slices.Contains(places, "    "+m) {
			places = append(places, "    "+m)
		}
	}
	return places
}

// running is a test that had not ended, in the list before the goroutines.
var running = regexp.MustCompile(`(?m)^\s+(Test\S*) \([\d.hms]+\)$`)

// timedOut tells whether package testing has ended the tests for their time, which ones were
// running then, and where in the learner's files goroutines stood, a line for each.
func timedOut(output string) (late bool, places string) {
	_, dump, late := strings.Cut(output, "panic: test timed out after ")
	if !late {
		return false, ""
	}
	var all []string
	for _, goroutine := range strings.Split(dump, "\n\n") {
		if place := stands(strings.Split(strings.TrimSpace(goroutine), "\n")); place != "" && !slices.Contains(all, place) {
			all = append(all, place)
		}
	}
	slices.Sort(all)
	first, _, _ := strings.Cut(dump, "\n\n")
	for _, m := range running.FindAllStringSubmatch(first, -1) {
		all = slices.Insert(all, 0, m[1]+" was running")
	}
	if len(all) > maxOutput {
		all = append(all[:maxOutput], "…")
	}
	return true, strings.Join(all, "\n")
}

var state = regexp.MustCompile(`^goroutine .*\[([^,\]]+)`)

// stands tells where a goroutine of a trace waits: the innermost line of the learner's files, and
// what was called there. It is empty for one that only waits for another test.
func stands(trace []string) string {
	called := ""
	if m := state.FindStringSubmatch(trace[0]); m != nil {
		called = m[1]
	}
	for _, l := range trace[1:] {
		if strings.HasPrefix(l, "created by ") {
			return ""
		}
		if strings.TrimLeft(l, " \t") == l {
			continue
		}
		if place := testLine.FindString(l); place != "" {
			return place + ", in " + called
		}
		called = function(trace, l)
		if called == "testing.(*T).Run" || called == "synctest.Test" {
			return ""
		}
	}
	return ""
}

// function is what stands in the line before a place, without arguments and folders.
func function(trace []string, place string) string {
	i := slices.Index(trace, place)
	name := path.Base(trace[i-1])
	if open := strings.LastIndex(name, "("); open > 0 {
		name = name[:open]
	}
	return name
}
