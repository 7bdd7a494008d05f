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

// Stack is the learner's part of the traces of goroutines that look alike.
type Stack struct {
	State  string  // "chan receive", without the time
	Frames []Frame // the innermost first, what started the goroutine last
	Count  int     // goroutines
}

// Frame is one line of a trace: bookfinder.(*Finder).First at
// bookfinder/bookfinder.go:42.
type Frame struct{ Func, Place string }

// LearnerStacks reads a goroutine dump as LearnerTrace does, and returns what it
// would show.
func LearnerStacks(dump, modulePrefix string) []Stack {
	return learnerStacks(strings.Split(dump, "\n"), strings.TrimSuffix(modulePrefix, "/")+"/")
}

// ShowStacks is stacks as LearnerTrace shows them.
func ShowStacks(stacks []Stack) string { return strings.Trim(showStacks(stacks), "\n") }

func learnerStacks(lines []string, prefix string) []Stack {
	var all []Stack
	add := func(s Stack) {
		if len(s.Frames) == 0 {
			return
		}
		same := slices.IndexFunc(all, func(o Stack) bool {
			return o.State == s.State && slices.Equal(o.Frames, s.Frames)
		})
		if same >= 0 {
			all[same].Count++
			return
		}
		all = append(all, s)
	}
	current, inside := Stack{}, false
	for i, line := range lines {
		if m := goroutineLine.FindStringSubmatch(line); m != nil {
			add(current)
			state, _, _ := strings.Cut(m[1], ",")
			current, inside = Stack{State: state, Count: 1}, true
			continue
		}
		if !inside {
			continue
		}
		if strings.TrimSpace(line) == "" {
			add(current)
			current, inside = Stack{}, false
			continue
		}
		if m := fileLine.FindStringSubmatch(line); m != nil && i > 0 {
			if file, ok := strings.CutPrefix(m[1], prefix); ok {
				current.Frames = append(current.Frames, frame(lines[i-1], file, prefix))
			}
		}
	}
	add(current)
	return all
}

// frame reads the two lines of a frame.
func frame(function, file, prefix string) Frame {
	function = strings.TrimPrefix(strings.TrimSpace(function), "created by ")
	function, _, _ = strings.Cut(function, " in goroutine ")
	function = arguments.ReplaceAllString(function, "")
	return Frame{Func: strings.TrimPrefix(function, prefix), Place: file}
}

func showStacks(all []Stack) string {
	var b strings.Builder
	for i, s := range all {
		if i == traceGoroutines {
			fmt.Fprintf(&b, "\n… and %d goroutines more\n", len(all)-i)
			break
		}
		if s.Count > 1 {
			fmt.Fprintf(&b, "\n%d goroutines [%s]:\n", s.Count, s.State)
		} else {
			fmt.Fprintf(&b, "\ngoroutine [%s]:\n", s.State)
		}
		for j, f := range s.Frames {
			if j == traceFrames {
				fmt.Fprintf(&b, "    … %d frames more\n", len(s.Frames)-j)
				break
			}
			b.WriteString("    " + f.Func + "\n        " + f.Place + "\n")
		}
	}
	return b.String()
}
