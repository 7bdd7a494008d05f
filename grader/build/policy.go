package build

import (
	"bytes"
	"fmt"
	gobuild "go/build"
	"go/parser"
	"go/scanner"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// check refuses files that may not be submitted and those that would silently
// not be part of the program.
func (w *walk) check() {
	for _, name := range slices.Sorted(maps.Keys(w.files)) {
		if path.Ext(name) == ".go" {
			w.checkGo(name, w.files[name])
		}
	}
	for _, name := range w.request.Edit {
		w.checkThere(name)
	}
}

// checkGo looks at one Go file.
func (w *walk) checkGo(name string, content []byte) {
	if encoding := encodingOf(content); encoding != "" {
		w.refuse(name, lineOfOddByte(content), "is saved as "+encoding+"; Go reads UTF-8 only", "Save it again as UTF-8: most editors have “save with encoding”.")
		return
	}
	if len(bytes.TrimSpace(content)) == 0 {
		if slices.Contains(w.request.Edit, name) {
			w.refuse(name, 1, "is empty", "Restore the starter with cairn reset "+w.request.ID+", or write the file again.")
		} else {
			delete(w.files, name) // a file that somebody is about to write
		}
		return
	}
	w.checkDirectives(name, content)
	w.checkConstraints(name, content)
	w.checkHead(name, content)
}

// encodingOf names an encoding that Go does not read, or returns "".
func encodingOf(content []byte) string {
	switch {
	case bytes.HasPrefix(content, []byte{0xff, 0xfe, 0, 0}), bytes.HasPrefix(content, []byte{0, 0, 0xfe, 0xff}):
		return "UTF-32"
	case bytes.HasPrefix(content, []byte{0xff, 0xfe}), bytes.HasPrefix(content, []byte{0xfe, 0xff}):
		return "UTF-16"
	}
	// Without a mark: every other byte of English text is zero.
	start := content[:min(len(content), 64)]
	if len(start) >= 8 && bytes.Count(start, []byte{0}) >= len(start)*2/5 {
		return "UTF-16"
	}
	if !utf8.Valid(content) {
		return "Latin-1, or another of the old encodings"
	}
	return ""
}

// lineOfOddByte is the line of the first byte that is no UTF-8, 0 where zero bytes
// make lines meaningless.
func lineOfOddByte(content []byte) int {
	if bytes.IndexByte(content, 0) >= 0 {
		return 0
	}
	valid := strings.ToValidUTF8(string(content), "\x00")
	return 1 + strings.Count(valid[:max(0, strings.IndexByte(valid, 0))], "\n")
}

// directives that reach into other packages or past Go's rules.
var forbidden = []string{"//go:linkname", "//go:cgo_"}

// lineDirective claims another place for the code that follows.
var lineDirective = regexp.MustCompile(`^(//line .*:\d+|/\*line .*:\d+\*/)\s*$`)

func (w *walk) checkDirectives(name string, content []byte) {
	fset := token.NewFileSet()
	file := fset.AddFile(name, fset.Base(), len(content))
	var s scanner.Scanner
	s.Init(file, content, func(token.Position, string) {}, scanner.ScanComments)
	for {
		pos, tok, text := s.Scan()
		if tok == token.EOF {
			return
		}
		if tok != token.COMMENT {
			continue
		}
		if lineDirective.MatchString(text) {
			w.refuse(name, fset.PositionFor(pos, false).Line, "//line is not allowed here: what is wrong would be shown in another place", "Remove this line.")
		}
		for _, directive := range forbidden {
			if strings.HasPrefix(text, directive) {
				line := fset.PositionFor(pos, false).Line
				w.refuse(name, line, directive+" is not allowed here", "Use what the other package exports.")
			}
		}
	}
}

// checkConstraints asks Go itself whether a file counts on this machine.
func (w *walk) checkConstraints(name string, content []byte) {
	rules := gobuild.Default
	rules.CgoEnabled = false
	rules.OpenFile = func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
	rules.ReadDir = func(string) ([]fs.FileInfo, error) { return nil, nil }
	counts, err := rules.MatchFile("/", path.Base(name))
	if err != nil || counts || importsC(content) {
		return // a syntax error is better told by the compiler, import "C" by checkHead
	}
	line, why, help := constraintOf(content)
	if line == 0 {
		why = "its name says that it is for another system"
		help = "Rename the file: an ending such as _windows.go or _arm64.go counts as a condition."
	}
	message := "is not part of the program: " + why
	if slices.Contains(w.request.Edit, name) {
		w.refuse(name, line, message, help)
		return
	}
	w.leave(name, line, message, help)
	delete(w.files, name)
}

// constraintOf finds the line of a build constraint.
func constraintOf(content []byte) (line int, why, help string) {
	for i, text := range strings.Split(string(content), "\n") {
		text = strings.TrimSpace(text)
		if strings.HasPrefix(text, "//go:build") || strings.HasPrefix(text, "// +build") {
			return i + 1, "its line “" + text + "” does not hold here", "Remove this line."
		}
		if strings.HasPrefix(text, "package ") {
			break
		}
	}
	return 0, "", ""
}

func importsC(content []byte) bool {
	f, _ := parser.ParseFile(token.NewFileSet(), "", content, parser.ImportsOnly)
	if f == nil {
		return false
	}
	for _, spec := range f.Imports {
		if imported, err := strconv.Unquote(spec.Path.Value); err == nil && imported == "C" {
			return true
		}
	}
	return false
}

// checkHead looks at package clause and imports.
func (w *walk) checkHead(name string, content []byte) {
	if _, ok := w.files[name]; !ok {
		return
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, content, parser.ImportsOnly)
	if f == nil || err != nil && f.Name == nil {
		return // the compiler says it better
	}
	if f.Name != nil && w.request.Kind == Tests {
		w.checkOutside(name, fset.PositionFor(f.Name.Pos(), false).Line, f.Name.Name)
	} else if path.Dir(name) == "." && f.Name != nil && f.Name.Name != "_" && f.Name.Name != "" && f.Name.Name != w.request.ID {
		line := fset.PositionFor(f.Name.Pos(), false).Line
		w.refuse(name, line,
			fmt.Sprintf("is not part of the program: it says package %s, and the program's package is %s", f.Name.Name, w.request.ID),
			"Write package "+w.request.ID+" there, or move the file out of this folder.")
	}
	for _, spec := range f.Imports {
		if imported, err := strconv.Unquote(spec.Path.Value); err == nil && imported == "C" {
			w.refuse(name, fset.PositionFor(spec.Pos(), false).Line, `import "C" is not allowed here`, "Write the program in Go alone.")
		}
	}
}

// checkOutside refuses tests that are part of the package which they test: they are tried on other
// versions of it, which have nothing in common but what is exported.
func (w *walk) checkOutside(name string, line int, pkg string) {
	if outside := w.request.ID + "_test"; pkg != outside {
		w.refuse(name, line, "says package "+pkg+"; tests from outside the package say package "+outside,
			"Write package "+outside+", import the package, and use what it exports.")
	}
}

// checkThere says where a file that is missing may be.
func (w *walk) checkThere(name string) {
	if _, ok := w.files[name]; ok {
		return
	}
	for _, d := range w.refused {
		if d.File == name {
			return
		}
	}
	help := "Restore the starter with cairn reset " + w.request.ID + ", or write the file again."
	candidates := append(slices.Sorted(maps.Keys(w.files)), w.other...)
	for given := range w.request.Given {
		beside := path.Join(path.Dir(given), path.Base(name))
		if info, err := w.root.Lstat(beside); err == nil && info.Mode().IsRegular() {
			candidates = append(candidates, beside)
		}
	}
	for _, other := range candidates {
		if looksLike(other, name) && !slices.Contains(w.request.Edit, other) {
			w.refuse(other, 0, "is not part of the program: the file must be "+name, "Move it there.")
			return
		}
	}
	w.refuse(name, 0, "is missing", help)
}

// looksLike tells whether a file is probably the wanted one in a wrong place or
// under a wrong name: another folder, other case, an ending too many.
func looksLike(other, wanted string) bool {
	other, wanted = strings.ToLower(path.Base(other)), strings.ToLower(path.Base(wanted))
	stem := strings.TrimSuffix(wanted, ".go")
	return other == wanted || other == wanted+".txt" || other == stem+".txt" || other == stem
}
