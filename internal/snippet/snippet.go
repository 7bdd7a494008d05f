// Package snippet checks the Go code in lessons with the compiler's own type
// checker.
//
// A block that begins with a package clause is a file and must compile as it
// stands. Any other block is a fragment, declarations or statements: it must
// parse and be formatted as gofmt does it, and what it says about the packages
// it uses must be true. A fragment may use names that it does not declare, and
// the packages it names need no import.
package snippet

import (
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// Snippet is one piece of Go code. File and Line say where its source begins.
type Snippet struct {
	File   string
	Line   int // counted from 1
	Source string
}

// aliases maps the name that a fragment uses to the package that it means.
var aliases = map[string]string{
	"http": "net/http", "httptest": "net/http/httptest", "json": "encoding/json", "slog": "log/slog",
	"sql": "database/sql", "atomic": "sync/atomic", "rand": "math/rand/v2", "exec": "os/exec", "signal": "os/signal",
	"pgx": "github.com/jackc/pgx/v5", "pgxpool": "github.com/jackc/pgx/v5/pgxpool", "pgconn": "github.com/jackc/pgx/v5/pgconn",
	"url": "net/url", "template": "html/template", "utf8": "unicode/utf8",
	"filepath": "path/filepath", "debug": "runtime/debug", "hex": "encoding/hex", "base64": "encoding/base64",
	"sha256": "crypto/sha256", "hmac": "crypto/hmac", "testing": "testing", "time": "time", "fmt": "fmt", "errors": "errors",
	"context": "context", "strings": "strings", "strconv": "strconv", "sync": "sync", "io": "io", "os": "os", "net": "net",
	"log": "log", "bytes": "bytes", "sort": "sort", "slices": "slices", "maps": "maps", "cmp": "cmp", "math": "math",
	"mime": "mime", "bufio": "bufio", "syscall": "syscall", "runtime": "runtime", "regexp": "regexp", "unicode": "unicode",
}

// Check returns the faults of snippets, each one line that begins with
// file:line. dir is a folder of the module whose dependencies the snippets may
// use. The error is about the check itself, not about a snippet.
func Check(dir string, snippets []Snippet) ([]error, error) {
	var faults []error
	var parsed []*file
	needed := map[string]bool{}
	for _, s := range snippets {
		f, err := parse(s)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		if fault := f.unformatted(); fault != nil {
			faults = append(faults, fault)
		}
		parsed = append(parsed, f)
		for _, imported := range f.imports() {
			needed[imported] = true
		}
	}
	exports, err := exportData(dir, needed)
	if err != nil {
		return faults, err
	}
	for _, f := range parsed {
		faults = append(faults, f.typeCheck(exports)...)
	}
	return faults, nil
}

// file is a snippet as the parser understands it: itself, or wrapped to be one.
type file struct {
	Snippet
	fset    *token.FileSet
	tree    *ast.File
	whole   bool // begins with a package clause
	wrapped int  // lines put before the snippet
}

// parse reads a snippet as a file, as declarations, or as statements.
func parse(s Snippet) (*file, error) {
	if packageClause.MatchString(s.Source) {
		return parseAs(s, "", "", true)
	}
	f, asDeclarations := parseAs(s, "package p\n", "", false)
	if asDeclarations == nil {
		return f, nil
	}
	f, asStatements := parseAs(s, "package p\nfunc _() {\n", "\n}\n", false)
	if asStatements == nil {
		return f, nil
	}
	if declares.MatchString(s.Source) {
		return nil, asDeclarations
	}
	return nil, asStatements
}

var (
	packageClause = regexp.MustCompile(`(?m)\A(?:\s*//[^\n]*\n|\s*\n)*package \w+`)
	declares      = regexp.MustCompile(`(?m)\A(?:\s*//[^\n]*\n|\s*\n)*(?:func \w|func \(|type |import )`)
)

func parseAs(s Snippet, before, after string, whole bool) (*file, error) {
	f := &file{Snippet: s, fset: token.NewFileSet(), whole: whole, wrapped: strings.Count(before, "\n")}
	tree, err := parser.ParseFile(f.fset, s.File, before+s.Source+after, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		line, message := 1, err.Error()
		if list, ok := err.(scanner.ErrorList); ok {
			line, message = list[0].Pos.Line, list[0].Msg
		}
		return nil, f.fault(line, message)
	}
	f.tree = tree
	return f, nil
}

// fault returns an error at a line of the parsed source. What is wrong with the
// wrapping is wrong at the snippet's first or last line.
func (f *file) fault(line int, message string) error {
	last := strings.Count(strings.TrimRight(f.Source, "\n"), "\n")
	return fmt.Errorf("%s:%d: %s", f.File, f.Line+min(max(0, line-1-f.wrapped), last), message)
}

// unformatted returns a fault at the first line that gofmt would change.
func (f *file) unformatted() error {
	want, err := format.Source([]byte(f.Source))
	if err != nil {
		return nil // said by the parser
	}
	have, formatted := strings.Split(f.Source, "\n"), strings.Split(string(want), "\n")
	for i := range have {
		if i >= len(formatted) || have[i] != formatted[i] {
			return fmt.Errorf("%s:%d: not as gofmt formats it: %q", f.File, f.Line+i, have[i])
		}
	}
	return nil
}

// imports returns the packages that the snippet imports, or would have to.
func (f *file) imports() []string {
	var all []string
	named := map[string]bool{}
	for _, spec := range f.tree.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			all = append(all, p)
			named[path.Base(p)] = true
		}
	}
	if f.whole {
		return all
	}
	for name := range f.selected() {
		if p, ok := aliases[name]; ok && !named[name] {
			all = append(all, p)
		}
	}
	return all
}

// selected returns the names x of every x.Sel in the snippet that it does not
// declare itself.
func (f *file) selected() map[string]bool {
	names, declared := map[string]bool{}, map[string]bool{}
	ast.Inspect(f.tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok {
				names[x.Name] = true
			}
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				if x, ok := left.(*ast.Ident); ok && n.Tok == token.DEFINE {
					declared[x.Name] = true
				}
			}
		case *ast.Field:
			for _, x := range n.Names {
				declared[x.Name] = true
			}
		case *ast.ValueSpec:
			for _, x := range n.Names {
				declared[x.Name] = true
			}
		}
		return true
	})
	for name := range declared {
		delete(names, name)
	}
	return names
}

// typeCheck returns what the compiler would say. Of a fragment it drops what
// follows from its being one.
func (f *file) typeCheck(exports exports) []error {
	if !f.whole {
		if err := f.addImports(); err != nil {
			return []error{err}
		}
	}
	var faults []error
	conf := types.Config{
		Importer: exports.importer(f.fset),
		Error: func(err error) {
			e, ok := err.(types.Error)
			if !ok {
				faults = append(faults, f.fault(1, err.Error()))
				return
			}
			if f.whole || !fragmentary(e.Msg) {
				faults = append(faults, f.fault(e.Fset.Position(e.Pos).Line, strings.ReplaceAll(e.Msg, "\n", " ")))
			}
		},
	}
	_, _ = conf.Check("snippet", f.fset, []*ast.File{f.tree}, nil) // every error went to conf.Error
	return faults
}

// addImports parses the fragment again with the imports that it leaves out, on
// its first line so that the others keep their numbers.
func (f *file) addImports() error {
	have := map[string]bool{}
	for _, spec := range f.tree.Imports {
		have[strings.Trim(spec.Path.Value, `"`)] = true
	}
	var before strings.Builder
	before.WriteString("package p;")
	for _, p := range f.imports() {
		if !have[p] {
			fmt.Fprintf(&before, "import %q;", p)
		}
	}
	before.WriteString("\n")
	after := ""
	if f.wrapped > 1 {
		before.WriteString("func _() {\n")
		after = "\n}\n"
	}
	again, err := parseAs(f.Snippet, before.String(), after, false)
	if err != nil {
		return err
	}
	*f = *again
	return nil
}

var undefinedName = regexp.MustCompile(`^undefined: \w+$`)

// fragmentary reports whether a complaint is only about a fragment's being one.
func fragmentary(message string) bool {
	return undefinedName.MatchString(message) ||
		strings.HasPrefix(message, "declared and not used") ||
		strings.Contains(message, "imported and not used") ||
		strings.Contains(message, "is not used") ||
		message == "missing return" ||
		strings.HasPrefix(message, "missing function body") ||
		strings.HasPrefix(message, "too many return values") ||
		strings.HasPrefix(message, "not enough return values")
}
