package grader_test

import (
	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/grader/build"
	"github.com/cairn-learn/cairn/grader/exam"
)

// judge is an exercise of which the learner writes tests of a package.
func judge() grader.Exercise {
	version := func(name, body string) build.Version {
		return build.Version{Name: name, Files: map[string][]byte{"judge.go": []byte("// Package judge tells on which side of zero a number lies.\npackage judge\n\n// Sign is -1, 0 or 1.\nfunc Sign(n int) int {\n" + body + "}\n")}}
	}
	const given = "\tif n < 0 {\n\t\treturn -1\n\t}\n\tif n > 0 {\n\t\treturn 1\n\t}\n\treturn 0\n"
	e := grader.Exercise{
		ID: "judge", Title: "A judge", Kind: build.Tests, Edit: []string{"judge_test.go"},
		GoMod: []byte("module github.com/cairn-learn/cairn/exercises\n\ngo 1.26\n"),
		Versions: []build.Version{
			version("given", given),
			version("right/rewritten", "\tswitch {\n\tcase n == 0:\n\t\treturn 0\n\tcase n > 0:\n\t\treturn 1\n\t}\n\treturn -1\n"),
			version("wrong/nothing", "\treturn 0\n"),
			version("wrong/zero", "\tif n < 0 {\n\t\treturn -1\n\t}\n\treturn 1\n"),
			version("wrong/itself", "\tif n < 0 {\n\t\treturn -1\n\t}\n\treturn n\n"),
		},
		Exam: examineJudge,
	}
	e.Given = e.Versions[0].Files
	return e
}

func examineJudge(x *exam.X) {
	why := exam.Why("Somebody relies on green.")
	x.Check("passes", "pass with the package as it is given", func(c *exam.C) {
		c.PassesWith("given", "the package as you have it", exam.Finding{})
	}, why)
	x.Check("nothing", "fail with a package that does nothing", func(c *exam.C) {
		c.Notices("wrong/nothing", "Sign returns 0 for every number", exam.Finding{})
	}, exam.After("passes"), why)
	x.Check("repeatable", "pass in any order", func(c *exam.C) { c.Repeats(exam.Finding{}) }, exam.After("passes"), why)
	x.Check("rewritten", "pass with a right version that is written anew", func(c *exam.C) {
		c.PassesWith("right/rewritten", "a version of the package that is written otherwise", exam.Finding{})
	}, exam.After("passes"), why)
	x.Check("zero", "notice that the sign of 0 is 1", func(c *exam.C) {
		c.Notices("wrong/zero", "the sign of 0 is 1", exam.Finding{})
	}, exam.After("nothing"), why)
	x.Check("itself", "notice that the sign of a positive number is the number", func(c *exam.C) {
		c.Notices("wrong/itself", "the sign of a positive number is the number", exam.Finding{})
	}, exam.After("nothing"), why)
}
