// Package exam examines tests of the package giftcard.
package exam

import "github.com/cairn-learn/cairn/grader/exam"

// mistakes are what the wrong versions do, each by one sentence that completes "nothing noticed
// that …". The version has the name of the check.
var mistakes = []struct{ name, behaviour, why string }{
	{"too-long", "a right number with a thirteenth digit after it is accepted",
		"Somebody types a digit twice, and it works: for another number than the one on the card, if the wrong digit was among the first twelve."},
	{"zero-added", "a right number that begins with a zero is accepted without that zero",
		"A spreadsheet takes the zero away, and a program that is kind enough to put it back also makes a number of what was cut off in the middle."},
	{"no-check", "a number with a mistyped digit is accepted",
		"The check digit is there for this alone: one in ten mistyped numbers would otherwise be somebody else's card."},
	{"check-zero", "right numbers that end in 0 are refused",
		"One customer in ten stands at the till with a card that does not work, and the nine others show that the till does."},
	{"zeros-lost", "the zeros at the beginning of a number are gone from what Parse returns",
		"Whoever looks the number up finds no card, or pads it in a way of their own."},
	{"other-digits", "digits of other scripts are accepted, such as the wide ones of Japanese keyboards",
		"Two spellings of one number get past whatever counts attempts by the text that was typed."},
	{"letters", "a letter between two digits is skipped over",
		"What the customer meant is guessed: an O that should have been a 0 is left out, and the number is another one."},
	{"double", "two separators in a row are accepted",
		"Two in a row are where a digit was lost on the way."},
	{"hanging", "a hyphen after the last digit is accepted",
		"A line that was cut off at a group looks like this."},
	{"leading", "a hyphen before the first digit is accepted",
		"It may be a sign, or the end of something longer that was cut off in front. Nobody has said that it is a number."},
	{"around", "a tab or a line end around a number is taken for a space",
		"Two callers that keep what was typed now have two texts for one number, and one of them breaks the line of a log."},
	{"groups", "a right number is refused when it is typed in groups, with spaces",
		"It stands in groups on the card. Nearly everybody types it as they read it."},
	{"error", "another count of digits than twelve is reported as ErrCheck",
		"The page says that a digit is mistyped, and the customer looks for it in a number in which one is missing."},
	{"beside", "a number whose check digit does not fit comes back beside its error",
		"Sooner or later a caller looks at the number first, and at the error not at all."},
	{"front", "Mask shows the first four digits of a number, and hides the last",
		"Cards of one shop begin alike. Whoever reads the log sees numbers that cannot be told apart."},
	{"in-clear", "Mask shows a text that is no number just as it was typed",
		"People paste anything into a field: what must not stand in a log is mostly what nobody expected there."},
}

// Exam declares the checks.
func Exam(x *exam.X) {
	x.Check("passes", "pass with the package as it is given", func(c *exam.C) {
		c.PassesWith("given", "the package as you have it", exam.Finding{})
	}, exam.Why("A test that fails on right code is switched off by the next person in a hurry."), exam.Read("testing/table-tests#red-for-no-reason"))

	x.Check("bite", "fail with a package that does nothing", bite, exam.After("passes"),
		exam.Why("A test that cannot fail looks like all the others, and each green run makes people surer of code that nobody looks at."),
		exam.Read("testing/table-tests#a-row-and-a-loop"))

	x.Check("repeatable", "pass in any order, twice in one process, and each alone", func(c *exam.C) {
		c.Repeats(exam.Finding{})
	}, exam.After("passes"), exam.Why("Tests that need each other's leavings fail when one is run alone, which is when somebody looks for a fault."),
		exam.Read("testing/table-tests#red-for-no-reason"))

	for _, right := range []struct{ name, what string }{
		{"right/tidied", "a version of the package that differs in a few lines and does the same"},
		{"right/rewritten", "a version of the package that keeps what its comments promise, written by somebody else"},
	} {
		name := right.name[len("right/"):]
		x.Check(name, "pass with a right version that is "+map[string]string{"tidied": "tidied up", "rewritten": "written anew"}[name], func(c *exam.C) {
			c.PassesWith(right.name, right.what, exam.Finding{})
		}, exam.After("passes"), exam.Why("What no comment promises may change: the wording of an error, its type, what happens inside. Tests that hold on to it make every improvement dear."),
			exam.Read("testing/table-tests#red-for-no-reason"))
	}
	for _, m := range mistakes {
		x.Check(m.name, "notice that "+m.behaviour, func(c *exam.C) {
			c.Notices("wrong/"+m.name, m.behaviour, exam.Finding{})
		}, exam.After("bite"), exam.Why(m.why), exam.Read("testing/table-tests#wrong-in-one-way"))
	}
}

func bite(c *exam.C) {
	if !c.RunTests("wrong/hollow").Passed {
		return
	}
	c.Fail(exam.Finding{
		Did:      "ran your tests with a package whose Parse and Mask return empty texts and no error, whatever they are given",
		Expected: "that they fail",
		Saw:      "they passed: nothing that they compare depends on what Parse and Mask return, or a TestMain of yours ends with status 0 whatever m.Run has returned",
		Detail:   "This is the place to begin. Compare what came back with what should have, and call t.Errorf where they differ.",
	})
}
