package build

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Linking takes longest of all when tests are compiled with a version. So all versions become one
// program where that makes no difference: each process runs the tests with the version by whose
// name it was started, and nothing of the others runs in it.

// together is the learner's tests and all versions as one package of tests.
type together struct {
	m      *module
	id     string
	own    map[string][]byte // the learner's files
	tests  []testFunc
	random *rand.Rand

	imports, table bytes.Buffer
}

// testFunc is a test, a benchmark or a fuzz test of the learner's.
type testFunc struct{ name, kind string } // kind is T, B or F

// newTogether reports false where tests have to be linked with each version alone: something is
// done before the first of them runs, by the package or by TestMain, or there are examples, which
// are told from other functions by their comments.
func newTogether(m *module, s *Snapshot, r Request, versions []Version, random *rand.Rand) (*together, bool) {
	g := &together{m: m, id: r.ID, own: s.Own, random: random}
	for _, name := range slices.Sorted(maps.Keys(s.Own)) {
		f, err := parser.ParseFile(token.NewFileSet(), name, s.Own[name], parser.SkipObjectResolution)
		if err != nil || !isQuiet(f) || strings.HasSuffix(plainName(name), "_test.go") || !g.collect(f) {
			return nil, false
		}
	}
	for _, v := range versions {
		for name, content := range v.Files {
			f, err := parser.ParseFile(token.NewFileSet(), name, content, parser.SkipObjectResolution)
			if err != nil || !isQuiet(f) {
				return nil, false
			}
		}
	}
	return g, len(g.tests) > 0
}

// collect takes the tests of a file, in their order.
func (g *together) collect(f *ast.File) bool {
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Recv != nil {
			continue
		}
		name := fn.Name.Name
		switch {
		case name == "TestMain" || isTest(name, "Example"):
			return false
		case isTest(name, "Test"):
			g.tests = append(g.tests, testFunc{name, "T"})
		case isTest(name, "Benchmark"):
			g.tests = append(g.tests, testFunc{name, "B"})
		case isTest(name, "Fuzz"):
			g.tests = append(g.tests, testFunc{name, "F"})
		}
	}
	return true
}

// isTest tells whether go test takes a function for a test, as its documentation says: TestX, where
// X does not begin with a lower-case letter.
func isTest(name, prefix string) bool {
	rest, ok := strings.CutPrefix(name, prefix)
	first, _ := utf8.DecodeRuneInString(rest)
	return ok && (rest == "" || !unicode.IsLower(first))
}

// plainName is a file of tests as one that every package can have.
func plainName(name string) string { return strings.TrimSuffix(name, "_test.go") + ".go" }

// add writes a version and the tests that import it, each as a package.
func (g *together) add(v Version, folder string) error {
	files := map[string][]byte{}
	for name, content := range v.Files {
		files[name] = Reformat(content, g.random)
	}
	if err := g.m.write(folder, files); err != nil {
		return err
	}
	tests := map[string][]byte{}
	for name, content := range g.own {
		tests[plainName(name)] = append([]byte("//line "+name+":1\n"), redirect(content, g.id, folder)...)
	}
	if err := g.m.write(folder+"_test", tests); err != nil {
		return err
	}
	fmt.Fprintf(&g.imports, "\tv%s %q\n", folder, path.Join(Module, folder+"_test"))
	fmt.Fprintf(&g.table, "\t%q: {", folder+".test")
	for _, t := range g.tests {
		fmt.Fprintf(&g.table, "v%s.%s, ", folder, t.name)
	}
	g.table.WriteString("},\n")
	return nil
}

// allFolder holds the tests of all versions.
const allFolder = "all"

// finish writes the package of tests that calls those of the version whose name the process has.
func (g *together) finish() error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "package %s_test\n\nimport (\n\t\"os\"\n\t\"path/filepath\"\n\t\"testing\"\n\n%s)\n\n", allFolder, g.imports.Bytes())
	b.WriteString("type version struct {\n")
	for _, t := range g.tests {
		fmt.Fprintf(&b, "\t%s func(*testing.%s)\n", t.name, t.kind)
	}
	fmt.Fprintf(&b, "}\n\nvar chosen = map[string]version{\n%s}[filepath.Base(os.Args[0])]\n", g.table.Bytes())
	for _, t := range g.tests {
		fmt.Fprintf(&b, "\nfunc %[1]s(t *testing.%[2]s) { chosen.%[1]s(t) }\n", t.name, t.kind)
	}
	return g.m.write(allFolder, map[string][]byte{"all_test.go": b.Bytes()})
}

// quiet are the functions that a package may call for the values of its variables: they do nothing
// that could be seen from outside.
var quiet = []string{
	"errors.New", "fmt.Errorf", "regexp.MustCompile", "strings.NewReplacer", "strings.Repeat", "time.Date",
	"append", "cap", "len", "make", "max", "min", "new", "string",
}

// isQuiet tells whether nothing is done when a file's package is initialised but that variables get
// their values.
func isQuiet(f *ast.File) bool {
	still := true
	look := func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false // is not called
		case *ast.CallExpr:
			still = still && slices.Contains(quiet, called(n))
		case *ast.UnaryExpr:
			still = still && n.Op != token.ARROW
		}
		return still
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			still = still && (d.Recv != nil || d.Name.Name != "init")
		case *ast.GenDecl:
			if d.Tok == token.VAR {
				ast.Inspect(d, look)
			}
		}
	}
	return still
}

// called is the name of a function, "errors.New", or "".
func called(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		if pkg, ok := f.X.(*ast.Ident); ok {
			return pkg.Name + "." + f.Sel.Name
		}
	}
	return ""
}

// sameFile gives a file one more name, or where that cannot be, a copy.
func sameFile(from, to string) (err error) {
	if os.Link(from, to) == nil {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(filepath.Clean(to), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
