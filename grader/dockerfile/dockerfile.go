// Package dockerfile reads Dockerfiles as builders do, with the parser of BuildKit, and says what
// an examiner wants to know of them before anything is built: what they begin with, what they
// fetch, and what only BuildKit understands. It also leaves out of a build context what a
// .dockerignore names.
package dockerfile

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/safe"
)

// File is a Dockerfile that could be read.
type File struct {
	Name   string
	Stages []Stage
	source []byte
	nodes  []*parser.Node
}

// Stage is what one FROM begins.
type Stage struct {
	Name         string // "" unless it says AS
	Base         string // with variables put in: "golang:1.26", "scratch", or the name of an earlier stage
	Line         int
	Instructions []Instruction
	end          int // last line of FROM
}

// Instruction is one line of a stage.
type Instruction struct {
	Line    int
	Name    string // "COPY"
	Text    string // as it is written, in one line
	command instructions.Command
}

// Place is a line of the file, and what it is named for.
type Place struct {
	Line int
	Text string // the instruction as it is written, in one line
	What string // the image, the address, the feature
}

// Parse reads a Dockerfile. What is wrong with it comes back as diagnostics.
func Parse(name string, source []byte) (*File, []report.Diagnostic) {
	f := &File{Name: name, source: source}
	result, err := parser.Parse(bytes.NewReader(source))
	if err != nil {
		return nil, []report.Diagnostic{f.diagnose(err, 0)}
	}
	f.nodes = result.AST.Children
	if d := f.unknown(); d != nil {
		return nil, d
	}
	stages, args, err := instructions.Parse(result.AST, nil)
	if err != nil {
		return nil, []report.Diagnostic{f.diagnose(err, 0)}
	}
	lex := shell.NewLex(result.EscapeToken)
	env := f.globals(lex, args)
	for _, s := range stages {
		stage := Stage{Name: s.Name, Line: s.Location[0].Start.Line, end: s.Location[len(s.Location)-1].End.Line}
		base, err := lex.ProcessWordWithMatches(s.BaseName, shell.EnvsFromSlice(env))
		if err != nil {
			return nil, []report.Diagnostic{f.diagnose(err, stage.Line)}
		}
		if stage.Base = base.Result; stage.Base == "" {
			return nil, []report.Diagnostic{{
				File: name, Line: stage.Line, Source: f.line(stage.Line), Message: "FROM " + safe.Line(s.BaseName) + " names no image: the variable has no value here",
				Help: "Only an ARG with a value, above the first FROM, counts in a FROM.",
			}}
		}
		for _, c := range s.Commands {
			stage.Instructions = append(stage.Instructions, f.instruction(c))
		}
		f.Stages = append(f.Stages, stage)
	}
	return f, nil
}

// unknown finds instructions that there are not, all of them; the parser stops at the first.
func (f *File) unknown() []report.Diagnostic {
	var all []report.Diagnostic
	for _, n := range f.nodes {
		if slices.Contains(known, strings.ToUpper(n.Value)) {
			continue
		}
		d := report.Diagnostic{File: f.Name, Line: n.StartLine, Source: f.line(n.StartLine), Message: safe.Line(strings.ToUpper(n.Value)) + " is no instruction"}
		d.Help = "Each line begins with an instruction such as FROM, COPY or RUN. A line that belongs to the one before needs a \\ at the end of that one."
		all = append(all, d)
	}
	return all
}

// known are the instructions that there are.
var known = strings.Fields(`ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER
	ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR`)

// globals are the values of the ARGs above the first FROM.
func (f *File) globals(lex *shell.Lex, args []instructions.ArgCommand) []string {
	var env []string
	for _, a := range args {
		for _, kv := range a.Args {
			if kv.Value == nil {
				continue
			}
			if v, err := lex.ProcessWordWithMatches(*kv.Value, shell.EnvsFromSlice(env)); err == nil {
				env = append(env, kv.Key+"="+v.Result)
			}
		}
	}
	return env
}

func (f *File) instruction(c instructions.Command) Instruction {
	i := Instruction{Name: strings.ToUpper(c.Name()), command: c}
	if at := c.Location(); len(at) > 0 {
		i.Line = at[0].Start.Line
	}
	if s, ok := c.(fmt.Stringer); ok {
		i.Text = oneLine(s.String())
	}
	return i
}

var (
	spaces     = regexp.MustCompile(`\s+`)
	lineGoesOn = regexp.MustCompile("[\\\\`][ \t]*\n")
)

// oneLine is an instruction in one line, without the marks at the ends of lines.
func oneLine(text string) string {
	text = lineGoesOn.ReplaceAllString(text, " ")
	return strings.TrimSpace(spaces.ReplaceAllString(text, " "))
}

// line is a line of the source.
func (f *File) line(n int) string {
	lines := strings.Split(string(f.source), "\n")
	if n < 1 || n > len(lines) {
		return ""
	}
	return safe.Line(strings.TrimRight(lines[n-1], "\r"))
}

// place is how parsers name a line in their text.
var place = regexp.MustCompile(`^(dockerfile )?parse error (on|at) line (\d+): `)

// diagnose puts an error of the parser at its line.
func (f *File) diagnose(err error, line int) report.Diagnostic {
	var at *parser.ErrorLocation
	if errors.As(err, &at) && len(at.Locations) > 0 && len(at.Locations[0]) > 0 {
		line = at.Locations[0][0].Start.Line
	}
	message := err.Error()
	if m := place.FindStringSubmatch(message); m != nil {
		if line == 0 {
			line, _ = strconv.Atoi(m[3])
		}
		message = strings.TrimPrefix(message, m[0])
	}
	d := report.Diagnostic{File: f.Name, Line: line, Source: f.line(line), Message: safe.Line(message)}
	switch {
	case strings.Contains(message, "file with no instructions"):
		d.Help = "A Dockerfile begins with FROM."
	case strings.Contains(message, "no build stage in current context"):
		d.Help = "The first instruction is FROM; only ARG may stand above it."
	case strings.Contains(message, "nterminated heredoc"):
		d.Help = "Only BuildKit knows << here, and the build here goes without it."
	}
	return d
}

// stage tells whether a name is that of a stage before the given one, or its number.
func (f *File) stage(name string, before int) bool {
	if n, err := strconv.Atoi(name); err == nil && n >= 0 && n < before {
		return true
	}
	return slices.ContainsFunc(f.Stages[:before], func(s Stage) bool { return s.Name != "" && strings.EqualFold(s.Name, name) })
}

// Images are the images that the file begins with or copies from, in the order of the lines;
// scratch is none.
func (f *File) Images() []Place {
	var all []Place
	for i, s := range f.Stages {
		if s.Base != "scratch" && !f.stage(s.Base, i) {
			all = append(all, Place{Line: s.Line, Text: oneLine(f.text(s.Line)), What: s.Base})
		}
		for _, in := range s.Instructions {
			if c, ok := in.command.(*instructions.CopyCommand); ok && c.From != "" && !f.stage(c.From, i) {
				all = append(all, Place{Line: in.Line, Text: in.Text, What: c.From})
			}
		}
	}
	return all
}

// text is the instruction that begins at a line.
func (f *File) text(line int) string {
	for _, n := range f.nodes {
		if n.StartLine == line {
			return n.Original
		}
	}
	return ""
}

// Fetched are the addresses that an ADD has the builder fetch.
func (f *File) Fetched() []Place {
	var all []Place
	for _, s := range f.Stages {
		for _, in := range s.Instructions {
			add, ok := in.command.(*instructions.AddCommand)
			if !ok {
				continue
			}
			for _, source := range add.SourcePaths {
				if remote.MatchString(source) || strings.Contains(source, "$") {
					all = append(all, Place{Line: in.Line, Text: in.Text, What: source})
				}
			}
		}
	}
	return all
}

var remote = regexp.MustCompile(`(?i)^([a-z][a-z+]*://|git@|github\.com/)`)

// All returns the instructions with a name, of all stages.
func (f *File) All(name string) []Instruction {
	var all []Instruction
	for _, s := range f.Stages {
		all = append(all, s.Find(name)...)
	}
	return all
}

// Image are the instructions that the image comes of: those of the last stage, and of the stages that
// it begins with, in the order in which they are carried out. FROM is among them.
func (f *File) Image() []Instruction {
	var all []Instruction
	for at := len(f.Stages) - 1; at >= 0; {
		s := f.Stages[at]
		from := Instruction{Line: s.Line, Name: "FROM", Text: oneLine(f.text(s.Line))}
		all = append(append([]Instruction{from}, s.Instructions...), all...)
		at = slices.IndexFunc(f.Stages[:at], func(b Stage) bool { return b.Name != "" && strings.EqualFold(b.Name, s.Base) })
	}
	return all
}

// Base is the image that the last stage begins with in the end, or scratch.
func (f *File) Base() string {
	first := f.Image()[0]
	for _, s := range f.Stages {
		if s.Line == first.Line {
			return s.Base
		}
	}
	return ""
}

// Last is the stage that the image is made from.
func (f *File) Last() Stage { return f.Stages[len(f.Stages)-1] }

// Find returns the instructions of a stage with a name.
func (s Stage) Find(name string) []Instruction {
	var all []Instruction
	for _, i := range s.Instructions {
		if i.Name == name {
			all = append(all, i)
		}
	}
	return all
}

// Shell tells whether a CMD, an ENTRYPOINT or a RUN is written in shell form.
func (i Instruction) Shell() bool {
	switch c := i.command.(type) {
	case *instructions.CmdCommand:
		return c.PrependShell
	case *instructions.EntrypointCommand:
		return c.PrependShell
	case *instructions.RunCommand:
		return c.PrependShell
	}
	return false
}

// With returns the source with an instruction put after each FROM.
func (f *File) With(instruction string) []byte {
	lines := strings.Split(strings.ReplaceAll(string(f.source), "\r\n", "\n"), "\n")
	for _, s := range slices.Backward(f.Stages) {
		lines = slices.Insert(lines, min(s.end, len(lines)), instruction)
	}
	return []byte(strings.Join(lines, "\n"))
}

// Line finds the line of an instruction by its text, as a builder repeats it; 0 when there is none.
func (f *File) Line(text string) int {
	for _, n := range f.nodes {
		if oneLine(n.Original) == oneLine(text) {
			return n.StartLine
		}
	}
	words := strings.Fields(text)
	for _, n := range f.nodes { // builders write some instructions their own way
		if own := strings.Fields(oneLine(n.Original)); len(words) > 1 && len(own) > 1 && strings.EqualFold(own[0], words[0]) && strings.EqualFold(own[1], words[1]) {
			return n.StartLine
		}
	}
	return 0
}
