package workflow

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/rhysd/actionlint"
)

// Event is something that may start a workflow.
type Event struct {
	Name string // "push", "pull_request"
}

// The events that a pipeline of a repository with a branch main has to judge.
var (
	Push        = Event{"push"}
	PullRequest = Event{"pull_request"}
)

// Trigger is what a workflow says about one event.
type Trigger struct {
	Event                    string
	Line                     int
	Types                    []string // of pull_request: "opened"; nil means those that GitHub takes
	Branches, BranchesIgnore []string
	Tags, TagsIgnore         []string
	Paths, PathsIgnore       []string
}

// Triggers returns the events that start the workflow, in the order of the file.
func (w *Workflow) Triggers() []Trigger {
	var all []Trigger
	for _, e := range w.tree.On {
		t := Trigger{Event: e.EventName()}
		if hook, ok := e.(*actionlint.WebhookEvent); ok {
			t.Line, t.Types = lineOf(hook.Pos), valuesOf(hook.Types)
			t.Branches, t.BranchesIgnore = filter(hook.Branches), filter(hook.BranchesIgnore)
			t.Tags, t.TagsIgnore = filter(hook.Tags), filter(hook.TagsIgnore)
			t.Paths, t.PathsIgnore = filter(hook.Paths), filter(hook.PathsIgnore)
		}
		all = append(all, t)
	}
	return all
}

// Trigger returns what the workflow says about an event, and whether it names it.
func (w *Workflow) Trigger(event string) (Trigger, bool) {
	all := w.Triggers()
	i := slices.IndexFunc(all, func(t Trigger) bool { return t.Event == event })
	if i < 0 {
		return Trigger{}, false
	}
	return all[i], true
}

func filter(f *actionlint.WebhookEventFilter) []string {
	if f == nil {
		return nil
	}
	return valuesOf(f.Values)
}

func valuesOf(all []*actionlint.String) []string {
	var values []string
	for _, s := range all {
		values = append(values, valueOf(s))
	}
	return values
}

// TakesBranch tells whether the filters let an event of a branch pass. A push that is filtered by
// tags alone is of no branch.
func (t Trigger) TakesBranch(branch string) bool {
	switch {
	case t.Branches != nil:
		return matchLast(t.Branches, branch)
	case t.BranchesIgnore != nil:
		return !matchLast(t.BranchesIgnore, branch)
	}
	return t.Tags == nil && t.TagsIgnore == nil
}

// matchLast tells what the last pattern that fits says: one with ! before it takes names out again.
func matchLast(patterns []string, name string) bool {
	taken := false
	for _, p := range patterns {
		bare, negated := strings.CutPrefix(p, "!")
		if re, err := regexp.Compile(globRegexp(bare)); err == nil && re.MatchString(name) {
			taken = !negated
		}
	}
	return taken
}

// globRegexp is a filter pattern as a regular expression: * and ** as everywhere, ? and + as in
// regular expressions, and sets in brackets.
func globRegexp(glob string) string {
	var re strings.Builder
	re.WriteString("^")
	for i := 0; i < len(glob); i++ {
		switch c := glob[i]; c {
		case '*':
			if strings.HasPrefix(glob[i:], "**") {
				re.WriteString(".*")
				i++
				continue
			}
			re.WriteString("[^/]*")
		case '?', '+', '[', ']':
			re.WriteByte(c)
		case '\\':
			if i++; i < len(glob) {
				re.WriteString(regexp.QuoteMeta(glob[i : i+1]))
			}
		default:
			re.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	return re.String() + "$"
}

// Permissions are what a token may do.
type Permissions struct {
	Line   int
	All    string            // "read-all", "write-all", "" when scopes are named
	Scopes map[string]string // "contents": "read"; what is not named is none
}

// Token returns the permissions of a job's token: its own ones, else those of the workflow. It
// returns false where neither says anything, and the settings of the repository decide.
func (w *Workflow) Token(j Job) (Permissions, bool) {
	p := cmp.Or(j.job.Permissions, w.tree.Permissions)
	if p == nil {
		return Permissions{}, false
	}
	perms := Permissions{Line: lineOf(p.Pos), All: valueOf(p.All), Scopes: map[string]string{}}
	for name, s := range p.Scopes {
		perms.Scopes[name] = valueOf(s.Value)
	}
	return perms, true
}

// Beyond returns the scopes of which the token may do more than allowed, sorted: "issues: write".
func (p Permissions) Beyond(allowed map[string]string) []string {
	if p.All != "" {
		return []string{p.All}
	}
	rank := map[string]int{"": 0, "none": 0, "read": 1, "write": 2}
	var beyond []string
	for name, value := range p.Scopes {
		if rank[value] > rank[allowed[name]] {
			beyond = append(beyond, name+": "+value)
		}
	}
	slices.Sort(beyond)
	return beyond
}

// Use is a place where somebody else's code is called.
type Use struct {
	Job  string
	Line int
	Ref  string // "actions/checkout@v4"
}

var fullSHA = regexp.MustCompile(`^[0-9a-f]{40}$`)

// Action returns what is called, without the version.
func (u Use) Action() string {
	action, _, _ := strings.Cut(u.Ref, "@")
	return action
}

// Version returns what stands after the @.
func (u Use) Version() string {
	_, version, _ := strings.Cut(u.Ref, "@")
	return version
}

// Pinned tells whether the version is the full hash of a commit.
func (u Use) Pinned() bool { return fullSHA.MatchString(u.Version()) }

// Uses returns every action and workflow that is called, in the order of the file.
func (w *Workflow) Uses() []Use {
	var all []Use
	for _, j := range w.Jobs() {
		if call := j.job.WorkflowCall; call != nil && call.Uses != nil {
			all = append(all, Use{Job: j.ID, Line: lineOf(call.Uses.Pos), Ref: call.Uses.Value})
		}
		for _, s := range j.job.Steps {
			if action, ok := s.Exec.(*actionlint.ExecAction); ok && action.Uses != nil {
				all = append(all, Use{Job: j.ID, Line: lineOf(action.Uses.Pos), Ref: action.Uses.Value})
			}
		}
	}
	return all
}

// ChecksOut tells whether a job fetches the repository, and so needs to read its contents.
func (j Job) ChecksOut() bool {
	return slices.ContainsFunc(j.job.Steps, func(s *actionlint.Step) bool { return isCheckout(s) })
}

func isCheckout(s *actionlint.Step) bool {
	action, ok := s.Exec.(*actionlint.ExecAction)
	return ok && action.Uses != nil && Use{Ref: action.Uses.Value}.Action() == "actions/checkout"
}

// Timeout returns the minutes after which GitHub ends a job. It is 0 where the job does not say,
// and -1 where an expression says it.
func (j Job) Timeout() float64 {
	switch t := j.job.TimeoutMinutes; {
	case t == nil:
		return 0
	case t.Expression != nil:
		return -1
	default:
		return t.Value
	}
}

// ofEvent are the names under which a workflow can learn what started it.
var ofEvent = regexp.MustCompile(`(?i)github\s*(\.|_|\[\s*')\s*(event|ref|head_ref|base_ref|sha|triggering_actor|workflow_ref|workflow_sha|env|output)|toJSON\(\s*github`)

// DependsOnEvent tells whether the workflow can do something else on one event than on another.
func (w *Workflow) DependsOnEvent() bool {
	for _, m := range ofEvent.FindAllSubmatch(w.source, -1) {
		if kind := strings.ToLower(string(m[2])); kind != "env" && kind != "output" {
			return true
		}
	}
	return false
}
