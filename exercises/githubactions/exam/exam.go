// Package exam examines a workflow of GitHub Actions: what it asks for, as GitHub and actionlint
// read it, and what it does, by running its steps on repositories that are drawn afresh.
package exam

import (
	"github.com/cairn-learn/cairn/grader/exam"
)

const lesson = "delivery/github-actions#"

// static are the checks that need nothing but the file.
var static = []string{"lint", "emulated", "triggers", "permissions", "pinned", "timeout"}

// Exam declares the checks.
func Exam(x *exam.X) {
	x.Check("lint", "has nothing that actionlint complains of", lint,
		exam.Why(whyLint), exam.Read(lesson+"a-linter-for-the-linter"))
	x.Check("emulated", "keeps to what is emulated here", emulated, exam.After("lint"),
		exam.Why("Everything else may be right on GitHub, and cannot be tried without it."), exam.Read(lesson+"what-a-run-step-is"))
	x.Check("triggers", "judges every pull request and every push to main", triggers, exam.After("lint"),
		exam.Why(whyTriggers), exam.Read(lesson+"when-it-runs"))
	x.Check("permissions", "lets its token read the code, and nothing else", permissions, exam.After("lint"),
		exam.Why(whyPermissions), exam.Read(lesson+"what-it-may"))
	x.Check("pinned", "names each action by the full hash of a commit", pinned, exam.After("lint"),
		exam.Why(whyPinned), exam.Read(lesson+"whose-code-it-runs"))
	x.Check("timeout", "gives up a job after at most 15 minutes", timeout, exam.After("lint"),
		exam.Why(whyTimeout), exam.Read(lesson+"when-it-gives-up"))

	x.Repository("good", draw(good))
	x.Check("green", "is green for a repository without a fault", green, exam.After(static...),
		exam.Why("A pipeline that is red for good work is switched off, or overruled, within a week."), exam.Read(lesson+"what-a-run-step-is"))
	for _, b := range bad {
		x.Repository(string(b.defect), draw(b.defect))
		x.Check(b.id, b.title, b.examine, exam.After("green"), exam.Why(b.why), exam.Read(lesson+b.read))
	}
}

const (
	whyLint        = "GitHub finds out when it runs the file: a job that cannot start, an expression that is always empty, a key that is not looked at. Nobody sees a check that was never made."
	whyTriggers    = "What is not judged before it is merged is judged by those who pull it. And two pull requests that are green alone can be red together, which only the push to main shows."
	whyPermissions = "Each step can use the job's token, the actions of strangers and the tests of a pull request among them. What the token may not do, nobody can do with it."
	whyPinned      = "A tag is a name that its owner can move, or whoever has taken over the owner's account: the same line then runs other code, with your token, on the next push."
	whyTimeout     = "GitHub ends a job after six hours unless told otherwise. A test that hangs takes that long to turn red, and every one of those minutes is counted."
)
