package build

import "regexp"

// help explains the commonest complaints of the compiler to somebody who meets
// them for the first time, in one sentence. The first that matches counts.
var help = []struct {
	sign *regexp.Regexp
	text string
}{
	{regexp.MustCompile(`^undefined: \w+\.\w+$`), "The package has nothing of this name: check the spelling, and that it begins with a capital letter."},
	{regexp.MustCompile(`^undefined: `), "Nothing of this name exists here: check the spelling, or declare or import it."},
	{regexp.MustCompile(`undefined \(type .* has no field or method`), "This type has nothing of this name: check the spelling and capital letters against its documentation."},
	{regexp.MustCompile(`undefined \(cannot refer to unexported`), "Names with a small first letter can be used only inside their own package."},
	{regexp.MustCompile(`^declared and not used`), "Go insists that every variable is used: use it, remove it, or assign to _ instead."},
	{regexp.MustCompile(`imported and not used`), "Go insists that every import is used: remove this line."},
	{regexp.MustCompile(`^missing return`), "Every way through this function must end with a return."},
	{regexp.MustCompile(`does not implement .*\((?s:.*)missing method`), "The type lacks a method of the interface, or has it with another signature."},
	{regexp.MustCompile(`cannot use .* as .* value in`), "The value's type is not the one that is wanted here: convert it, or pass something else."},
	{regexp.MustCompile(`^assignment mismatch`), "The number of names on the left is not the number of values on the right; many functions return an error besides."},
	{regexp.MustCompile(`^not enough arguments in call`), "The call passes fewer values than the function takes: compare “have” and “want”."},
	{regexp.MustCompile(`^too many arguments in call`), "The call passes more values than the function takes: compare “have” and “want”."},
	{regexp.MustCompile(`^(too many|not enough) return values`), "A return must give exactly the values that the function declares: compare “have” and “want”."},
	{regexp.MustCompile(`^no new variables on left side of :=`), "All these variables exist already: assign with = instead of :=."},
	{regexp.MustCompile(`mismatched types`), "Both sides must have the same type: convert one of them, for example int64(x)."},
	{regexp.MustCompile(`redeclared in this block`), "The name is taken already in this place: rename or remove one of the two."},
	{regexp.MustCompile(`non-boolean condition|used as value`), "A condition compares with == ; a single = assigns."},
	{regexp.MustCompile(`syntax error: unexpected newline`), "The line ends too early: a comma, a bracket or a brace is missing at its end."},
	{regexp.MustCompile(`syntax error: unexpected (EOF|end of file)|expected '}', found 'EOF'`), "The file ends too early: a closing brace is missing somewhere above."},
	{regexp.MustCompile(`syntax error: non-declaration statement outside function body`), "Statements must stand inside a function; a brace above may close it too early."},
	{regexp.MustCompile(`syntax error|^expected .*, found|string literal not terminated|rune literal not terminated`), "Go does not understand the line: look at it and at the end of the line above."},
	{regexp.MustCompile("^the workspace has no package " + regexp.QuoteMeta(Module) + "/"), "Exercises cannot use each other: copy what you need."},
	{regexp.MustCompile(`^the workspace has no package`), "There are the standard library and the modules named in go.mod: do without this one."},
	{regexp.MustCompile(`is not in std`), "The standard library has no such package: check the spelling of the path."},
	{regexp.MustCompile(`^use of internal package`), "An internal package can be used only by its own module."},
	{regexp.MustCompile(`no matching files found`), "The file to embed is not in the exercise's folder, or in one that is left out (hidden folders, testdata, vendor)."},
	{regexp.MustCompile(`invalid UTF-8`), "Save the file as UTF-8."},
	{regexp.MustCompile(`import cycle`), "Move what both packages need into a third one."},
	{regexp.MustCompile(`^missing function body`), "A function needs its body in braces; the opening brace stands on the same line."},
}

func helpFor(message string) string {
	for _, h := range help {
		if h.sign.MatchString(message) {
			return h.text
		}
	}
	return ""
}
