package process

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Limits of what LearnerTrace shows.
const (
	traceGoroutines = 8
	traceFrames     = 12
	traceMessage    = 4 // lines before a goroutine's trace that belong to it
)

var (
	goroutineLine = regexp.MustCompile(`^goroutine \d+.*\[(.+)\]:$`)
	fileLine      = regexp.MustCompile(`^\s+(\S.*?\.go:\d+)( .*)?$`)
	arguments     = regexp.MustCompile(`\([^()]*\)$`)
	traceBegins   = regexp.MustCompile(`^(panic: |fatal error: |SIGQUIT: quit|unexpected fault|\[signal |runtime: )|http: panic serving `)
)

// LearnerTrace cuts the trace of a panic, of a fatal error or of a goroutine
// dump in a program's output down to the frames of packages under modulePrefix
// (an import path such as "github.com/cairn-learn/cairn/exercises"), with paths
// relative to it. The lines that say what happened stay; goroutines that look
// alike are shown once, and those without such a frame are left out. It returns
// "" when output holds no trace.
func LearnerTrace(output, modulePrefix string) string {
	lines := strings.Split(output, "\n")
	begin := slices.IndexFunc(lines, traceBegins.MatchString)
	if begin < 0 {
		return ""
	}
	var b strings.Builder
	i := begin
	for ; i < len(lines) && i < begin+traceMessage && !goroutineLine.MatchString(lines[i]); i++ {
		if line := strings.TrimSpace(lines[i]); line != "" && !strings.HasPrefix(line, "PC=") {
			b.WriteString(line + "\n")
		}
	}
	b.WriteString(showStacks(learnerStacks(lines[i:], strings.TrimSuffix(modulePrefix, "/")+"/")))
	return strings.TrimRight(b.String(), "\n")
}

// stack is the learner's part of one goroutine's trace.
type stack struct {
	state  string // "chan receive", without the time
	frames []string
	count  int
}

func learnerStacks(lines []string, prefix string) []stack {
	var all []stack
	add := func(s stack) {
		if len(s.frames) == 0 {
			return
		}
		same := slices.IndexFunc(all, func(o stack) bool {
			return o.state == s.state && slices.Equal(o.frames, s.frames)
		})
		if same >= 0 {
			all[same].count++
			return
		}
		all = append(all, s)
	}
	current, inside := stack{}, false
	for i, line := range lines {
		if m := goroutineLine.FindStringSubmatch(line); m != nil {
			add(current)
			state, _, _ := strings.Cut(m[1], ",")
			current, inside = stack{state: state, count: 1}, true
			continue
		}
		if !inside {
			continue
		}
		if strings.TrimSpace(line) == "" {
			add(current)
			current, inside = stack{}, false
			continue
		}
		if m := fileLine.FindStringSubmatch(line); m != nil && i > 0 {
			if file, ok := strings.CutPrefix(m[1], prefix); ok {
				current.frames = append(current.frames, frame(lines[i-1], file, prefix))
			}
		}
	}
	add(current)
	return all
}

// frame joins the two lines of a frame: "at lostupdate.(*Server).withdraw,
// lostupdate/lostupdate.go:42".
func frame(function, file, prefix string) string {
	function = strings.TrimPrefix(strings.TrimSpace(function), "created by ")
	function, _, _ = strings.Cut(function, " in goroutine ")
	function = arguments.ReplaceAllString(function, "")
	return strings.TrimPrefix(function, prefix) + "\n        " + file
}

func showStacks(all []stack) string {
	var b strings.Builder
	for i, s := range all {
		if i == traceGoroutines {
			fmt.Fprintf(&b, "\n… and %d goroutines more\n", len(all)-i)
			break
		}
		if s.count > 1 {
			fmt.Fprintf(&b, "\n%d goroutines [%s]:\n", s.count, s.state)
		} else {
			fmt.Fprintf(&b, "\ngoroutine [%s]:\n", s.state)
		}
		for j, f := range s.frames {
			if j == traceFrames {
				fmt.Fprintf(&b, "    … %d frames more\n", len(s.frames)-j)
				break
			}
			b.WriteString("    " + f + "\n")
		}
	}
	return b.String()
}
