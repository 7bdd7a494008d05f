package build

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Version is the package under test as one of several: the one that is given, one that is written
// otherwise, or a wrong one.
type Version struct {
	Name  string
	Files map[string][]byte // Go files of the package, by name
}

// HashVersions is the SHA-256 of names and contents, in hex.
func HashVersions(versions []Version) string {
	all := map[string][]byte{}
	for _, v := range versions {
		all[v.Name] = []byte(hashOf(v.Files))
	}
	return hashOf(all)
}

// TestBinaries are the learner's tests, compiled with each version of the package.
type TestBinaries struct {
	Paths map[string]string // by the version's name
	m     *module
}

// Close removes the binaries.
func (b *TestBinaries) Close() error { b.m.remove(); return nil }

// checkTests refuses files of tests that are not, or not only, tests from outside the package.
func (w *walk) checkTests() {
	for _, name := range slices.Sorted(maps.Keys(w.files)) {
		if strings.Contains(name, "/") {
			w.leave(name, 0, "lies in a folder of its own, so it is no test of the package", "Move it beside "+w.request.Edit[0]+".")
			delete(w.files, name)
			continue
		}
		w.checkGo(name, w.files[name])
		w.checkEmbeds(name, w.files[name])
	}
	for _, name := range w.request.Edit {
		w.checkThere(name)
	}
}

// checkEmbeds refuses files that would be part of the tests: what a test is given to read beside
// the package could be the package.
func (w *walk) checkEmbeds(name string, content []byte) {
	file := token.NewFileSet().AddFile(name, -1, len(content))
	var s scanner.Scanner
	s.Init(file, content, func(token.Position, string) {}, scanner.ScanComments)
	for {
		pos, tok, text := s.Scan()
		if tok == token.EOF {
			return
		}
		if tok == token.COMMENT && strings.HasPrefix(text, "//go:embed") {
			w.refuse(name, file.Position(pos).Line, "//go:embed is not allowed in tests here: they run in an empty folder, with the package and nothing else", "Write what the test needs into the test.")
		}
	}
}

// CompileTests compiles the tests of a snapshot with each version, the first of which is the one
// that the learner has. In each, the declarations stand in other lines than with another seed, and
// the package has another path: nothing that a program can learn of its own code tells the versions
// apart but what they do. Errors are those of Compile; the caller closes the binaries.
func CompileTests(ctx context.Context, s *Snapshot, r Request, versions []Version, seed uint64) (*TestBinaries, error) {
	m, err := newModule(r)
	if err != nil {
		return nil, err
	}
	b := &TestBinaries{Paths: map[string]string{}, m: m}
	if err := b.compile(ctx, s, r, versions, rand.New(rand.NewPCG(seed, 1))); err != nil {
		m.remove()
		return nil, err
	}
	return b, nil
}

func (b *TestBinaries) compile(ctx context.Context, s *Snapshot, r Request, versions []Version, random *rand.Rand) error {
	tools, err := toolchain(ctx, b.m.src, r)
	if err != nil {
		return err
	}
	// The given one first and alone: what the tests do wrong is then said once, in the learner's
	// own lines.
	files := maps.Clone(s.Own)
	maps.Copy(files, versions[0].Files)
	if err := b.m.write(r.ID, files); err != nil {
		return err
	}
	r.test = true
	output, err := b.m.run(ctx, tools, r, "-o", filepath.Join(b.m.dir, "first"), "./"+r.ID)
	if err != nil {
		return err
	}
	if output != "" {
		return complaint(output, s, r)
	}
	targets, err := b.lay(s, r, versions, random)
	if err != nil {
		return err
	}
	output, err = b.m.run(ctx, tools, r, append([]string{"-o", b.m.dir + string(filepath.Separator)}, targets...)...)
	if err != nil {
		return err
	}
	if output != "" {
		return fmt.Errorf("the tests compile with the package as it is given, and not with another version of it: %s", output)
	}
	b.m.strip()
	return b.name()
}

// lay writes the versions and the tests into packages of their own, and returns those to compile.
func (b *TestBinaries) lay(s *Snapshot, r Request, versions []Version, random *rand.Rand) (targets []string, err error) {
	all, ok := newTogether(b.m, s, r, versions, random)
	taken := map[string]bool{r.ID: true, allFolder: true}
	for _, v := range versions {
		folder := r.ID
		for taken[folder] {
			folder = randomName(random, len(r.ID))
		}
		taken[folder] = true
		b.Paths[v.Name] = filepath.Join(b.m.dir, folder+".test")
		if ok {
			err = all.add(v, folder)
		} else {
			err = b.alone(s, r, v, folder, random)
			targets = append(targets, "./"+folder)
		}
		if err != nil {
			return nil, err
		}
	}
	if ok {
		return []string{"./" + allFolder}, all.finish()
	}
	return targets, nil
}

// alone writes a version and the tests into a package.
func (b *TestBinaries) alone(s *Snapshot, r Request, v Version, folder string, random *rand.Rand) error {
	files := map[string][]byte{}
	for name, content := range s.Own {
		files[name] = redirect(content, r.ID, folder)
	}
	for name, content := range v.Files {
		files[name] = Reformat(content, random)
	}
	return b.m.write(folder, files)
}

// name gives each version a program, where all have become one.
func (b *TestBinaries) name() error {
	one := filepath.Join(b.m.dir, allFolder+".test")
	if _, err := os.Stat(one); err != nil {
		return nil // each has its own
	}
	for _, path := range b.Paths {
		if err := sameFile(one, path); err != nil {
			return trouble(err)
		}
	}
	if err := os.Remove(one); err != nil {
		return trouble(err)
	}
	return nil
}

func randomName(random *rand.Rand, length int) string {
	name := make([]byte, length)
	for i := range name {
		name[i] = 'a' + byte(random.IntN(26))
	}
	return string(name)
}

// redirect makes tests import the package from another folder with a name of the same length, so
// that every column stays where it is.
func redirect(content []byte, id, folder string) []byte {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", content, parser.ImportsOnly)
	if err != nil {
		return content // the compiler has said it
	}
	content = bytes.Clone(content)
	for _, spec := range f.Imports {
		if imported, err := strconv.Unquote(spec.Path.Value); err == nil && imported == path.Join(Module, id) {
			at := fset.PositionFor(spec.Path.Pos(), false).Offset
			copy(content[at+1+len(Module)+1:], folder)
		}
	}
	return content
}

// Reformat returns Go source with up to four lines of comment before each declaration: the same
// program, whose functions stand in other lines.
func Reformat(content []byte, random *rand.Rand) []byte {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", content, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return content
	}
	var out bytes.Buffer
	done := 0
	for _, d := range f.Decls {
		at := fset.PositionFor(startOf(d), false).Offset
		out.Write(content[done:at])
		for range random.IntN(5) {
			fmt.Fprintf(&out, "// %s\n", randomName(random, 8))
		}
		out.WriteByte('\n')
		done = at
	}
	out.Write(content[done:])
	return out.Bytes()
}

// startOf is where a declaration begins, with its comment.
func startOf(d ast.Decl) token.Pos {
	var doc *ast.CommentGroup
	switch d := d.(type) {
	case *ast.FuncDecl:
		doc = d.Doc
	case *ast.GenDecl:
		doc = d.Doc
	}
	if doc != nil {
		return doc.Pos()
	}
	return d.Pos()
}
