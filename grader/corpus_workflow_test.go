package grader_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/grader/build"
	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/workflow"
)

// gateExercise wants a workflow that is green where a sum is right, and red where it is not. The
// repository has a script that tells, and no word in it says which of the two it is.
func gateExercise() grader.Exercise {
	why := exam.Why("A tick that is green for everything says nothing.")
	conclusion := func(repository string, want workflow.Conclusion) func(*exam.C) {
		return func(c *exam.C) {
			for _, r := range c.RunWorkflow(repository) {
				f := exam.Finding{Did: "ran the workflow", Expected: string(want), Saw: string(r.Conclusion)}
				if s := r.Failed(); s != nil {
					f.Detail = fmt.Sprintf("%s, exit status %d\n%s", s.Name, s.Status, s.Output)
				}
				c.Require(r.Conclusion == want, f)
			}
		}
	}
	return grader.Exercise{
		ID: "gate", Title: "A gate", Edit: []string{".github/workflows/ci.yml"}, Kind: build.Workflow,
		Exam: func(x *exam.X) {
			x.Repository("right", sums(0))
			x.Repository("wrong", sums(1))
			x.Check("green", "is green where the sum is right", conclusion("right", workflow.Success), why)
			x.Check("red", "is red where it is wrong", conclusion("wrong", workflow.Failure), exam.After("green"), why)
		},
	}
}

// sums draws a repository with a sum that is off by so much.
func sums(off int) func(*rand.Rand) workflow.Repository {
	return func(r *rand.Rand) workflow.Repository {
		name := fmt.Sprintf("amber-%08x", r.Uint32())
		a, b := 100+r.IntN(400), 100+r.IntN(400)
		return workflow.Repository{Owner: "corpus", Name: name, Number: 1, Title: "Add", Files: map[string][]byte{
			"check.sh": []byte("# " + name + "\n[ $(($1 + $2)) -eq \"$3\" ]\n"),
			"numbers":  fmt.Appendf(nil, "%d %d %d\n", a, b, a+b+off),
		}}
	}
}
