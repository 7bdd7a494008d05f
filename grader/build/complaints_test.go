package build

import (
	"strings"
	"testing"

	"github.com/cairn-learn/cairn/grader/report"
)

// body is a program that is right but for the lines of one function.
func body(lines string) files {
	return files{"greeter.go": solution + "\nfunc more() int {\n" + lines + "\n}\n"}
}

// complaints are programs that do not compile, and what is said of each.
var complaints = []struct {
	name, message, help string
	files               files
	file                string
	line                int
	source              string
}{
	{"undefined", "undefined: coutn", "check the spelling", body("\treturn coutn"), "greeter.go", 15, "    return coutn"},
	{"undefined in a package", "undefined: http.StatusFine", "capital letter", body("\treturn http.StatusFine"), "greeter.go", 15, ""},
	{"no field", "has no field or method", "documentation", body("\treturn http.Request{}.Pathh"), "greeter.go", 15, ""},
	{"unused variable", "declared and not used: x", "every variable is used", body("\tx := 1\n\treturn 2"), "greeter.go", 15, "    x := 1"},
	{"unused import", `"fmt" imported and not used`, "remove this line", files{"greeter.go": strings.Replace(solution, `import "net/http"`, "import \"fmt\"\nimport \"net/http\"", 1)}, "greeter.go", 3, `import "fmt"`},
	{"missing return", "missing return", "end with a return", body("\tprintln(1)"), "greeter.go", 16, "}"},
	{"wrong type", "cannot use \"a\"", "convert it", body("\tvar n int = \"a\"\n\treturn n"), "greeter.go", 15, ""},
	{"assignment mismatch", "assignment mismatch: 1 variable but http.NewRequest returns 2 values", "return an error besides", body("\tr := http.NewRequest(\"GET\", \"/\", nil)\n\t_ = r\n\treturn 1"), "greeter.go", 15, ""},
	{"few arguments", "not enough arguments in call to http.Error\nhave (nil)\nwant (http.ResponseWriter, string, int)", "have", body("\thttp.Error(nil)\n\treturn 1"), "greeter.go", 15, ""},
	{"many arguments", "too many arguments in call", "have", body("\thttp.StatusText(1, 2)\n\treturn 1"), "greeter.go", 15, ""},
	{"return values", "too many return values", "exactly the values", body("\treturn 1, nil"), "greeter.go", 15, ""},
	{"no new variables", "no new variables on left side of :=", "instead of :=", body("\ta := 1\n\ta := 2\n\treturn a"), "greeter.go", 16, ""},
	{"mismatched types", "mismatched types int and string", "int64(x)", body("\ts := \"a\"\n\treturn more() + s"), "greeter.go", 16, ""},
	{"redeclared", "redeclared in this block", "taken already", files{"greeter.go": solution + "\nfunc New() {}\n"}, "greeter.go", 14, ""},
	{"newline", "unexpected newline", "ends too early", body("\tprintln(1,\n\t\t2\n\t)\n\treturn 1"), "greeter.go", 16, ""},
	{"brace missing", "unexpected EOF", "closing brace", files{"greeter.go": strings.TrimSuffix(solution, "}\n")}, "greeter.go", 12, ""},
	{"statement outside", "non-declaration statement outside function body", "inside a function", files{"greeter.go": solution + "\nprintln(1)\n"}, "greeter.go", 14, ""},
	{"declared with := outside", "non-declaration statement outside function body", "declared with var", files{"greeter.go": solution + "\nx := 1\n"}, "greeter.go", 14, ""},
	{"no such package", "package encoding/jsno is not in std", "spelling of the path", files{"greeter.go": strings.Replace(solution, `"net/http"`, "(\n\t\"encoding/jsno\"\n\t\"net/http\"\n)", 1)}, "greeter.go", 4, "    \"encoding/jsno\""},
	{"module not there", "the workspace has no package github.com/gorilla/mux", "do without this one", files{"greeter.go": strings.Replace(solution, `"net/http"`, "(\n\t\"github.com/gorilla/mux\"\n\t\"net/http\"\n)", 1)}, "greeter.go", 4, ""},
	{"another exercise", "the workspace has no package other", "cannot use each other", files{"greeter.go": strings.Replace(solution, `"net/http"`, "(\n\t\"github.com/cairn-learn/cairn/exercises/other\"\n\t\"net/http\"\n)", 1)}, "greeter.go", 4, ""},
	{"missing method", "does not implement http.Handler", "lacks a method", body("\tvar h http.Handler = 1\n\t_ = h\n\treturn 1"), "greeter.go", 15, ""},
	{"import cycle", "import cycle not allowed", "third one", files{
		"greeter.go": strings.Replace(solution, `"net/http"`, "(\n\t_ \"github.com/cairn-learn/cairn/exercises/greeter/store\"\n\t\"net/http\"\n)", 1),
		"store/s.go": "package store\n\nimport _ \"github.com/cairn-learn/cairn/exercises/greeter\"\n",
	}, "greeter", 0, ""},
	{"New renamed", "program/main.go calls greeter.New, which your package does not have any more", "Add New to your package again", files{"greeter.go": strings.Replace(solution, "func New()", "func Make()", 1)}, "program/main.go", 11, "    var h http.Handler = greeter.New()"},
	{"New changed", "program/main.go does not fit your package any more: not enough arguments", "task.md asks for", files{"greeter.go": strings.Replace(solution, "func New()", "func New(x int)", 1)}, "program/main.go", 11, ""},
	{"draft told", "is not part of the program", "Remove this line", files{"greeter.go": strings.Replace(solution, "http.NewServeMux()", "newMux()", 1), "mux.go": "//go:build ignore\n\npackage greeter\n\nfunc newMux() {}\n"}, "mux.go", 1, ""},
	// Names.
	{"not exported", "undefined: http.statusOK (but have StatusOK)", "capital first letter", body("\treturn http.statusOK"), "greeter.go", 15, ""},
	{"not there and small", "undefined: http.newThing", "used from outside", body("\treturn http.newThing"), "greeter.go", 15, ""},
	{"field not exported", "cannot refer to unexported field inShutdown", "inside their own package", body("\tvar s http.Server\n\tprintln(s.inShutdown)\n\treturn 1"), "greeter.go", 16, ""},
	{"no such field", "unknown field Adress in struct literal", "no field of this name", body("\t_ = http.Server{Adress: \":80\"}\n\treturn 1"), "greeter.go", 15, ""},
	{"pointer to interface", "is pointer to interface", "remove the *", body("\tvar h *http.Handler\n\th.ServeHTTP(nil, nil)\n\treturn 1"), "greeter.go", 16, ""},
	{"method twice", "method T.A already declared", "taken already", files{"greeter.go": solution + "\ntype T int\n\nfunc (T) A() {}\nfunc (T) A() {}\n"}, "greeter.go", 17, ""},
	{"err of an inner block", "declared and not used: err", "an err declared outside", body("\tvar err error\n\tif true {\n\t\tr, err := http.Get(\"\")\n\t\t_ = r\n\t}\n\tprintln(err)\n\treturn 1"), "greeter.go", 17, ""},
	{"result of an inner block", "result parameter err not in scope at return", "another variable of this name", files{"greeter.go": solution + "\nfunc f() (err error) {\n\tif true {\n\t\terr := f()\n\t\tif err != nil {\n\t\t\treturn\n\t\t}\n\t}\n\treturn\n}\n"}, "greeter.go", 18, ""},
	{"late import", "imports must appear before other declarations", "top of the file", files{"greeter.go": solution + "\nimport \"fmt\"\n"}, "greeter.go", 14, ""},

	// Values and types.
	{"result thrown away", "is not used", "goes nowhere", body("\tvar x []int\n\tappend(x, 1)\n\treturn 1"), "greeter.go", 16, ""},
	{"pointer receiver", "method ServeHTTP has pointer receiver", "&x instead of x", files{"greeter.go": solution + "\ntype T struct{}\n\nfunc (*T) ServeHTTP(http.ResponseWriter, *http.Request) {}\n\nvar _ http.Handler = T{}\n"}, "greeter.go", 18, ""},
	{"other signature", "wrong type for method ServeHTTP", "another signature", files{"greeter.go": solution + "\ntype T struct{}\n\nfunc (T) ServeHTTP(http.ResponseWriter) {}\n\nvar _ http.Handler = T{}\n"}, "greeter.go", 18, ""},
	{"no nil", "cannot use nil as int value", "zero value", body("\treturn nil"), "greeter.go", 15, ""},
	{"compared with nil", "mismatched types string and untyped nil", "zero value", body("\ts := \"\"\n\tprintln(s == nil)\n\treturn 1"), "greeter.go", 16, ""},
	{"pointer wanted", "as *http.Request value in argument", "put &", body("\tvar r http.Request\n\thttp.NewServeMux().Handler(r)\n\treturn 1"), "greeter.go", 16, ""},
	{"value wanted", "as http.Server value in", "put *", body("\tvar p *http.Server\n\tvar s http.Server = p\n\tprintln(&s)\n\treturn 1"), "greeter.go", 16, ""},
	{"too large a number", "(overflows)", "does not fit", body("\tvar b byte = 300\n\treturn int(b)"), "greeter.go", 15, ""},
	{"assignment as condition", "cannot use assignment x = 1 as value", "compare with ==", body("\tx := 2\n\tif x = 1 {\n\t}\n\treturn 1"), "greeter.go", 16, ""},
	{"number as condition", "non-boolean condition", "true or false", body("\tif 1 {\n\t}\n\treturn 1"), "greeter.go", 15, ""},
	{"two values for one", "in single-value context", "assign them to names first", files{"greeter.go": solution + "\nfunc two() (int, error) { return 1, nil }\n\nvar x = 1 + two()\n"}, "greeter.go", 16, ""},
	{"nothing used", "(no value) used as value", "returns nothing", body("\tx := http.Error(nil, \"\", 1)\n\treturn x"), "greeter.go", 15, ""},
	{"field declared", "non-name s.Addr on left side of :=", "new variables only", body("\tvar s http.Server\n\ts.Addr := \"\"\n\treturn 1"), "greeter.go", 16, ""},
	{"field in a map", "cannot assign to struct field", "take it out", body("\tm := map[string]http.Cookie{}\n\tm[\"\"].Name = \"x\"\n\treturn 1"), "greeter.go", 16, ""},
	{"case twice", "duplicate case 1", "same value", body("\tswitch more() {\n\tcase 1:\n\tcase 1:\n\t}\n\treturn 1"), "greeter.go", 17, ""},
	{"no call", "expression in defer must be function call", "() belongs behind it", body("\tdefer more\n\treturn 1"), "greeter.go", 15, ""},

	// Form.
	{"comma missing", "unexpected newline in composite literal; possibly missing comma or }", "comma", body("\t_ = []int{\n\t\t1\n\t}\n\treturn 1"), "greeter.go", 16, "        1"},
	{"brace on its own line", "unexpected newline, expected { after if clause", "not on the next one", body("\tif true\n\t{\n\t}\n\treturn 1"), "greeter.go", 15, ""},
	{"function's brace", "unexpected semicolon or newline before {", "not on the next one", files{"greeter.go": solution + "\nfunc more() int\n{\n\treturn 1\n}\n"}, "greeter.go", 15, ""},
	{"else on its own line", "unexpected keyword else", "} else {", body("\tif true {\n\t}\n\telse {\n\t}\n\treturn 1"), "greeter.go", 17, ""},
	{"line cut off", "unexpected newline, expected ]", "something is missing", files{"greeter.go": solution + "\nvar m map[string\n]int\n"}, "greeter.go", 14, ""},
	{"text without end", "newline in string", "closing quotation mark", body("\tprintln(\"a)\n\treturn 1"), "greeter.go", 15, ""},
	{"text in single marks", "more than one character in rune literal", "double quotation marks", body("\tprintln('abc')\n\treturn 1"), "greeter.go", 15, ""},
	{"no package line", "expected 'package'", "package line", files{"greeter.go": solution, "more.go": "func more() {}\n"}, "more.go", 1, ""},
	{"another language", "syntax error: unexpected name x at end of statement", "does not understand", body("\tint x = 1\n\treturn 1"), "greeter.go", 15, ""},
	{"no body", "missing function body", "body in braces", files{"greeter.go": solution + "\nfunc more()\n"}, "greeter.go", 14, ""},

	// Files and packages.
	{"declared in two files", "redeclared in this block\ngreeter.go:6:6: other declaration of New", "taken already", files{"greeter.go": solution, "more.go": "package greeter\n\nfunc New() {}\n"}, "more.go", 3, ""},
	{"two packages in a folder", "found packages store (a.go) and other (b.go) in the folder store", "same package line", files{
		"greeter.go": strings.Replace(solution, `"net/http"`, "(\n\t_ \"github.com/cairn-learn/cairn/exercises/greeter/store\"\n\t\"net/http\"\n)", 1),
		"store/a.go": "package store\n", "store/b.go": "package other\n",
	}, "greeter.go", 4, ""},
	{"internal package", "use of internal package internal/poll not allowed", "only by its own module", files{"greeter.go": strings.Replace(solution, `"net/http"`, "(\n\t_ \"internal/poll\"\n\t\"net/http\"\n)", 1)}, "greeter.go", 4, ""},
	{"nothing to embed", "no matching files found", "file to embed", files{"greeter.go": strings.Replace(solution, `"net/http"`, "(\n\t_ \"embed\"\n\t\"net/http\"\n)\n\n//go:embed page.html\nvar page string", 1)}, "greeter.go", 8, ""},
}

// TestDiagnostics runs the compiler on what beginners write, so that other words
// of a newer compiler are noticed here and not by a learner.
func TestDiagnostics(t *testing.T) {
	met := map[string]bool{}
	for _, test := range complaints {
		t.Run(test.name, func(t *testing.T) {
			_, err := test.files.build(t)
			all := diagnostics(t, err)
			for _, d := range all {
				met[d.Help] = true
				if d.File == test.file && d.Line == test.line && strings.Contains(d.Message, test.message) &&
					strings.Contains(d.Help, test.help) && d.Help != "" && (test.source == "" || d.Source == test.source) {
					return
				}
			}
			t.Errorf("got %+v", all)
		})
	}
	for _, h := range help {
		if !met[h.text] {
			t.Errorf("no complaint of the table gets the help %q", h.text)
		}
	}
}

// TestRefusalShowsTheLine holds that a refusal with a line shows it, as a complaint
// of the compiler does.
func TestRefusalShowsTheLine(t *testing.T) {
	_, err := files{"greeter.go": strings.Replace(solution, "package greeter", "package main", 1)}.build(t)
	all := diagnostics(t, err)
	if len(all) != 1 || all[0].Line != 1 || all[0].Source != "package main" || !strings.Contains(all[0].Message, "the program's package is greeter") {
		t.Errorf("got %+v", all)
	}
}

// TestMark holds that the place is marked as a reader sees it, and not as the
// compiler counts, in bytes.
func TestMark(t *testing.T) {
	tests := []struct {
		line, mark string
		col        int
	}{
		{"\treturn coutn", "           ^^^^^", 9},
		{"\ts := \"日本\" + coutn", "                  ^^^^^", 18},
		{`x := "a b"`, "     ^^^^^", 6},
		{"x := 1", "  ^^", 3},
		{"if x", "    ^", 5},
		{"}", "^", 1},
		{"caf\xe9 x", "     ^", 6},
		{"x", "", 9},
		{"x", "", 0},
		{"a\x1b[31mb", " ^", 5},
		{"\r\n", "^", 1},
	}
	for _, test := range tests {
		d := report.Diagnostic{Line: 2, Col: test.col}
		point(&d, []byte("first\n"+test.line+"\nlast"))
		got := ""
		if d.MarkLen > 0 {
			got = strings.Repeat(" ", d.MarkAt) + strings.Repeat("^", d.MarkLen)
		}
		if got != test.mark {
			t.Errorf("line %q column %d: %q under %q, want %q", test.line, test.col, got, d.Source, test.mark)
		}
	}
}
