// Package exam is the examiner's toolkit. An exam is a function that declares
// checks on an X; each check drives the learner's program from outside, as a
// client, an operator or an attacker would, and says in the learner's terms
// what it did, what it expected and what it saw.
//
// The examiner and the program never share a process. Everything a check knows
// it learned over HTTP, from the upstreams that the program calls, from the database and Redis, from the wire between program
// and these, from the program's log, or from its exit.
package exam

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/cairn-learn/cairn/grader/build"
)

// StartsID is the id of the built-in check that precedes every other: the
// program starts and accepts a connection on $PORT.
const StartsID = "starts"

// builtIn is the check that precedes every other, by kind. It is passed before an exam begins,
// since what fails it ends the grade with another verdict; only a program can fail it.
var builtIn = map[build.Kind][2]string{
	build.Program:  {StartsID, "starts and listens on $PORT"},
	build.SQL:      {"applies", "is applied to a fresh database without an error"},
	build.Tests:    {"compiles", "compile against the package"},
	build.Image:    {"parses", "is a Dockerfile that can be read"},
	build.Workflow: {"parses", "is a workflow that can be read"},
}

// X is an examination being declared. Checks run after the exam function has
// returned, in the order of their declaration.
type X struct {
	checks    []*spec
	kind      build.Kind
	instances int
	env       []string
	reshaped  []string
	upstreams []upstreamSpec
	images    []string

	repositories []repositorySpec // that a workflow is tried on
}

// spec is one declared check.
type spec struct {
	id, title string
	run       func(*C)
	settings
}

// settings are what options set, on a check or on one finding.
type settings struct {
	after    []string
	parallel bool
	finding  Finding
}

// Option adjusts a check or a single finding.
type Option func(*settings)

// After names checks that must have passed; otherwise this one is blocked.
func After(ids ...string) Option {
	return func(s *settings) { s.after = append(s.after, ids...) }
}

// Parallel lets a check overlap with neighbours that are parallel too. Such a
// check must use rows and keys of its own. It must not ask for Statements,
// Commands, Upstream or Barrier, which belong to the whole program, and for
// faults only of an instance that no other of these checks uses.
func Parallel() Option { return func(s *settings) { s.parallel = true } }

// Why says why the thing examined matters in production. On a check it is the
// default for all of its findings.
func Why(text string) Option { return func(s *settings) { s.finding.Why = text } }

// Read names the place in a lesson that explains it: "sql/lost-update#heading".
func Read(place string) Option { return func(s *settings) { s.finding.Read = place } }

// Expected replaces what a finding says was expected.
func Expected(text string) Option { return func(s *settings) { s.finding.Expected = text } }

// Saw replaces what a finding says was seen.
func Saw(text string) Option { return func(s *settings) { s.finding.Saw = text } }

// Did replaces what a finding says was done.
func Did(text string) Option { return func(s *settings) { s.finding.Did = text } }

// Detail adds a longer text to a finding.
func Detail(text string) Option { return func(s *settings) { s.finding.Detail = text } }

var idForm = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// Declare runs an exam function and returns what it declared. It fails when a
// check has a malformed or repeated id or no title, or comes after a check that
// is not declared before it, when there is no check at all, or when an upstream
// has a malformed or repeated name or variable.
func Declare(fn func(*X)) (*X, error) { return DeclareFor(build.Program, fn) }

// DeclareFor declares an exam of what another kind of submission comes to: of what SQL has made
// of a database, of tests, of an image, of a workflow. There is no program then, and so no client,
// no instance and no wire. It fails as Declare does.
func DeclareFor(kind build.Kind, fn func(*X)) (*X, error) {
	if _, known := builtIn[cmp.Or(kind, build.Program)]; !known {
		return nil, fmt.Errorf("kind %q is not known", kind)
	}
	x := &X{kind: kind, instances: 1}
	fn(x)
	if !kind.Compiled() {
		x.instances = 0
	}
	if len(x.checks) == 0 {
		return nil, fmt.Errorf("the exam declares no check")
	}
	if err := x.checkUpstreams(); err != nil {
		return nil, err
	}
	if err := x.checkRepositories(); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, built := range builtIn {
		seen[built[0]] = true
	}
	for _, s := range x.checks {
		switch {
		case !idForm.MatchString(s.id):
			return nil, fmt.Errorf("check id %q: use lowercase words joined by dashes", s.id)
		case seen[s.id]:
			return nil, fmt.Errorf("check id %q is declared twice", s.id)
		case s.title == "":
			return nil, fmt.Errorf("check %q has no title", s.id)
		}
		for _, a := range s.after {
			if !seen[a] {
				return nil, fmt.Errorf("check %q comes after %q, which is not declared before it", s.id, a)
			}
		}
		seen[s.id] = true
	}
	return x, nil
}

// Check declares one check. The id stays the same for ever (reports and mutants
// name it); the title completes the sentence "the program …" for the learner.
func (x *X) Check(id, title string, fn func(*C), opts ...Option) {
	s := &spec{id: id, title: title, run: fn}
	for _, o := range opts {
		o(&s.settings)
	}
	x.checks = append(x.checks, s)
}

// Instances sets how many processes of the program run side by side against the
// same services. The default is 1.
func (x *X) Instances(n int) { x.instances = n }

// Env adds a variable to the program's environment.
func (x *X) Env(name, value string) { x.env = append(x.env, name+"="+value) }

// Reshaped names relations of which the task lets the program make something
// else than a table, or change columns that the exercise gave: a view, a
// materialized view, a table that a migration rewrites. Whatever else the examiner
// reads must be the table that the task speaks of.
func (x *X) Reshaped(relations ...string) { x.reshaped = append(x.reshaped, relations...) }

// Overlaps tells whether any checks run side by side.
func (x *X) Overlaps() bool {
	return slices.ContainsFunc(x.checks, func(s *spec) bool { return s.parallel })
}

// Upstreams tells whether the exam plays any service that the program calls.
func (x *X) Upstreams() bool { return len(x.upstreams) > 0 }

// Listed returns id and title of every check in order, the built-in one first.
func (x *X) Listed() [][2]string {
	list := [][2]string{builtIn[cmp.Or(x.kind, build.Program)]}
	for _, s := range x.checks {
		list = append(list, [2]string{s.id, s.title})
	}
	return list
}

// Limits bound an examination. Zero means the default.
type Limits struct {
	Start   time.Duration // until every instance accepts a connection; 10 s
	Check   time.Duration // one check; 20 s
	Exam    time.Duration // all checks; 60 s
	Request time.Duration // one request, unless it sets its own; 5 s
	Run     time.Duration // one run of the learner's tests; 10 s
	Memory  int64         // bytes, each instance; 1 GiB
	File    int64         // bytes, each file that the program writes; 256 MiB
}

func (l Limits) withDefaults() Limits {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&l.Start, 10*time.Second)
	def(&l.Check, 20*time.Second)
	def(&l.Exam, 60*time.Second)
	def(&l.Request, 5*time.Second)
	def(&l.Run, 10*time.Second)
	if l.Memory == 0 {
		l.Memory = 1 << 30
	}
	if l.File == 0 {
		l.File = 256 << 20
	}
	return l
}
