package build

import "regexp"

// help explains the commonest complaints of the compiler to somebody who meets
// them for the first time, in one sentence. The first that matches counts: the
// message against sign and, where one is set, the line of code against source.
// Complaints of beginners are a table in complaints_test.go, which runs the
// compiler and notices when its words change.
var help = []struct {
	sign   *regexp.Regexp
	source *regexp.Regexp
	text   string
}{
	{sign: regexp.MustCompile(`^undefined: \S+ \(but have \w+\)$`), text: "The package has it with a capital first letter: only such names can be used from outside."},
	{sign: regexp.MustCompile(`^undefined: \w+\.[a-z_]\w*$`), text: "Only names with a capital first letter can be used from outside a package: look up what it exports."},
	{sign: regexp.MustCompile(`^undefined: \w+\.\w+$`), text: "The package has nothing of this name: check the spelling, and that it begins with a capital letter."},
	{sign: regexp.MustCompile(`^undefined: `), text: "Nothing of this name exists here: check the spelling, or declare or import it."},
	{sign: regexp.MustCompile(`undefined \(type .* is pointer to interface`), text: "An interface is passed as it is: remove the * before its name."},
	{sign: regexp.MustCompile(`undefined \(type .* has no field or method`), text: "This type has nothing of this name: check the spelling and capital letters against its documentation."},
	{sign: regexp.MustCompile(`undefined \(cannot refer to unexported`), text: "Names with a small first letter can be used only inside their own package."},
	{sign: regexp.MustCompile(`^unknown field `), text: "The struct has no field of this name: check the spelling and capital letters where the type is declared."},
	{sign: regexp.MustCompile(`^declared and not used: err$`), source: regexp.MustCompile(`:=`), text: "Nobody looks at this error: test it with if err != nil; if it was meant for an err declared outside, write = for :=."},
	{sign: regexp.MustCompile(`^result parameter .* not in scope at return`), text: "A := in this block made another variable of this name: write = there, or return the value by name."},
	{sign: regexp.MustCompile(`^declared and not used`), text: "Go insists that every variable is used: use it, remove it, or assign to _ instead."},
	{sign: regexp.MustCompile(`imported and not used`), text: "Go insists that every import is used: remove this line."},
	{sign: regexp.MustCompile(`imports must appear before other declarations`), text: "Move the import to the top of the file, below the package line."},
	{sign: regexp.MustCompile(`is not used$`), text: "The result goes nowhere: assign it to something, for example x = append(x, 1)."},
	{sign: regexp.MustCompile(`^missing return`), text: "Every way through this function must end with a return."},
	{sign: regexp.MustCompile(`does not implement .*method \w+ has pointer receiver`), text: "The method belongs to the pointer: pass &x instead of x."},
	{sign: regexp.MustCompile(`does not implement .*wrong type for method`), text: "The method has the right name and another signature: make it look like “want”."},
	{sign: regexp.MustCompile(`does not implement .*missing method`), text: "The type lacks a method of the interface, or has it with another name or signature."},
	{sign: regexp.MustCompile(`^cannot use nil as`), text: "This type has no nil: give its zero value instead, such as \"\" or 0."},
	{sign: regexp.MustCompile(`cannot use .* \(.*\) as \*.* value in`), text: "A pointer is wanted here: put & before the variable."},
	{sign: regexp.MustCompile(`cannot use .* \(variable of type \*.*\) as .* value in`), text: "The value itself is wanted here, not a pointer to it: put * before the variable."},
	{sign: regexp.MustCompile(`cannot use .* \(overflows\)`), text: "The number does not fit into this type: choose a larger one."},
	{sign: regexp.MustCompile(`cannot use assignment .* as value|^non-boolean condition`), text: "A condition must be true or false: compare with == ; a single = assigns."},
	{sign: regexp.MustCompile(`cannot use .* as .* value in`), text: "The value's type is not the one that is wanted here: convert it, or pass something else."},
	{sign: regexp.MustCompile(`^assignment mismatch`), text: "The number of names on the left is not the number of values on the right; many functions return an error besides."},
	{sign: regexp.MustCompile(`in single-value context`), text: "The call returns more than one value: assign them to names first, then use the one that you want."},
	{sign: regexp.MustCompile(`\(no value\) used as value`), text: "The function returns nothing: call it on a line of its own."},
	{sign: regexp.MustCompile(`^not enough arguments in call`), text: "The call passes fewer values than the function takes: compare “have” and “want”."},
	{sign: regexp.MustCompile(`^too many arguments in call`), text: "The call passes more values than the function takes: compare “have” and “want”."},
	{sign: regexp.MustCompile(`^(too many|not enough) return values`), text: "A return must give exactly the values that the function declares: compare “have” and “want”."},
	{sign: regexp.MustCompile(`^no new variables on left side of :=`), text: "All these variables exist already: assign with = instead of :=."},
	{sign: regexp.MustCompile(`on left side of :=$`), text: "A := declares new variables only: assign to a field or an element with =."},
	{sign: regexp.MustCompile(`^cannot assign to struct field .* in map`), text: "A struct in a map can't be changed in place: take it out, change it, put it back."},
	{sign: regexp.MustCompile(`mismatched types .*untyped nil`), text: "This type has no nil: compare with its zero value instead, such as \"\" or 0."},
	{sign: regexp.MustCompile(`mismatched types`), text: "Both sides must have the same type: convert one of them, for example int64(x)."},
	{sign: regexp.MustCompile(`redeclared in this block|^method .* already declared`), text: "The name is taken already in this place: rename or remove one of the two."},
	{sign: regexp.MustCompile(`^duplicate (case|key) `), text: "The same value stands there twice: remove one of the two."},
	{sign: regexp.MustCompile(`syntax error: unexpected newline in (composite literal|argument list|parameter list)`), text: "The line ends too early: a comma, a bracket or a brace is missing at its end."},
	{sign: regexp.MustCompile(`syntax error: unexpected (semicolon or )?newline.*(before|expected) \{`), text: "The opening brace stands at the end of the line it belongs to, not on the next one."},
	{sign: regexp.MustCompile(`syntax error: unexpected newline`), text: "The line ends too early: something is missing at its end."},
	{sign: regexp.MustCompile(`syntax error: unexpected keyword else`), text: "An else stands on the same line as the brace before it: } else {."},
	{sign: regexp.MustCompile(`syntax error: unexpected (EOF|end of file)|expected '}', found 'EOF'`), text: "The file ends too early: a closing brace is missing somewhere above."},
	{sign: regexp.MustCompile(`syntax error: non-declaration statement outside function body`), source: regexp.MustCompile(`:=`), text: "Outside functions a variable is declared with var: var x = 1."},
	{sign: regexp.MustCompile(`syntax error: non-declaration statement outside function body`), text: "Statements must stand inside a function; a brace above may close it too early."},
	{sign: regexp.MustCompile(`^newline in string|string literal not terminated|string not terminated`), text: "The text has no end: put the closing quotation mark, on the same line."},
	{sign: regexp.MustCompile(`^more than one character in rune literal`), text: "Text stands in double quotation marks; single ones hold one character."},
	{sign: regexp.MustCompile(`^expected 'package'`), text: "A Go file begins with its package line."},
	{sign: regexp.MustCompile(`syntax error|^expected .*, found`), text: "Go does not understand the line: look at it and at the end of the line above."},
	{sign: regexp.MustCompile(`^expression in (go|defer) must be function call`), text: "Call the function: () belongs behind it."},
	{sign: regexp.MustCompile("^the workspace has no package " + regexp.QuoteMeta(Module) + "/"), text: "Exercises cannot use each other: copy what you need."},
	{sign: regexp.MustCompile(`^the workspace has no package`), text: "There are the standard library and the modules named in go.mod: do without this one."},
	{sign: regexp.MustCompile(`is not in std`), text: "The standard library has no such package: check the spelling of the path."},
	{sign: regexp.MustCompile(`^found packages `), text: "All files of one folder belong to one package: give them the same package line."},
	{sign: regexp.MustCompile(`^use of internal package`), text: "An internal package can be used only by its own module."},
	{sign: regexp.MustCompile(`no matching files found`), text: "The file to embed is not in the exercise's folder, or in one that is left out (hidden folders, testdata, vendor)."},
	{sign: regexp.MustCompile(`import cycle`), text: "Move what both packages need into a third one."},
	{sign: regexp.MustCompile(`^missing function body`), text: "A function needs its body in braces; the opening brace stands on the same line."},
}

func helpFor(message, source string) string {
	for _, h := range help {
		if h.sign.MatchString(message) && (h.source == nil || h.source.MatchString(source)) {
			return h.text
		}
	}
	return ""
}
