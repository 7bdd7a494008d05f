package build

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/safe"
)

// Limits of a submission.
const (
	maxFiles   = 200
	maxFile    = 1 << 20
	maxTotal   = 8 << 20
	maxDepth   = 8
	maxEntries = 5000 // looked at, whether they count or not
)

// Snapshot is a submission as it was at one moment, with the given files in
// place. Names are slash-separated and relative to the exercise's folder.
type Snapshot struct {
	Files map[string][]byte
	Own   map[string][]byte // those of Files that are the learner's, not given
	Hash  string            // SHA-256 of names and contents, in hex

	// leftOut are files that look as if they belonged to the program but do
	// not, with the reason. They are told when the program does not compile.
	leftOut []report.Diagnostic
}

// Take reads the submission once. Only regular files of the folder are read,
// never through a link. It returns a *RefusedError when files are missing, not
// allowed, or not part of the program although they should be, and a
// *TroubleError when the folder cannot be read.
func Take(r Request) (*Snapshot, error) {
	root, err := os.OpenRoot(r.Dir)
	if err != nil {
		return nil, &TroubleError{
			What: "the folder " + safe.Line(r.Dir) + " cannot be read",
			Do:   "run cairn start " + r.ID + " to get it",
			Err:  err,
		}
	}
	defer root.Close()
	w := &walk{request: r, root: root, files: map[string][]byte{}}
	w.folder(".", 0)
	switch {
	case w.stopped:
	case r.Kind == SQL:
		w.checkSQL()
	case r.Kind == Image, r.Kind == Workflow:
		w.checkListed()
	case r.Kind == Tests:
		w.checkTests()
	default:
		w.others()
		w.check()
	}
	if len(w.refused) > 0 {
		slices.SortStableFunc(w.refused, byPlace)
		for i := range w.refused {
			point(&w.refused[i], w.files[w.refused[i].File])
		}
		return nil, &RefusedError{Diagnostics: w.refused[:min(len(w.refused), maxDiagnostics)]}
	}
	own := maps.Clone(w.files)
	maps.Copy(w.files, r.Given)
	return &Snapshot{Files: w.files, Own: own, Hash: hashOf(w.files), leftOut: w.leftOut}, nil
}

func hashOf(files map[string][]byte) string {
	h := sha256.New()
	part := func(b []byte) {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(b)))
		h.Write(size[:])
		h.Write(b)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		part([]byte(name))
		part(files[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// walk collects files and complaints.
type walk struct {
	request Request
	root    *os.Root
	files   map[string][]byte
	other   []string // regular files that are no Go files; read only when something embeds
	total   int64
	entries int
	stopped bool

	refused []report.Diagnostic
	leftOut []report.Diagnostic
}

func (w *walk) refuse(name string, line int, message, help string) {
	w.refused = append(w.refused, report.Diagnostic{File: safe.Line(name), Line: line, Message: safe.Line(message), Help: safe.Line(help)})
}

func (w *walk) leave(name string, line int, message, help string) {
	w.leftOut = append(w.leftOut, report.Diagnostic{File: safe.Line(name), Line: line, Message: safe.Line(message), Help: safe.Line(help)})
}

// folder walks one folder and what is below it.
func (w *walk) folder(dir string, depth int) {
	if depth > maxDepth {
		w.refuse(dir, 0, fmt.Sprintf("folders are nested more than %d deep", maxDepth), "Move the code nearer to the exercise's folder.")
		return
	}
	f, err := w.root.Open(dir)
	if err != nil {
		w.refuse(dir, 0, "cannot be read: "+cause(err), "")
		return
	}
	entries, err := f.ReadDir(maxEntries + 1)
	_ = f.Close()
	if err != nil && err != io.EOF {
		w.refuse(dir, 0, "cannot be read: "+cause(err), "")
		return
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	for _, entry := range entries {
		if w.stopped {
			return
		}
		if w.entries++; w.entries > maxEntries {
			w.stopped = true
			w.refuse(dir, 0, fmt.Sprintf("there are more than %d files in the exercise's folder", maxEntries), "Move what is not part of the program somewhere else.")
			return
		}
		w.entry(path.Join(dir, entry.Name()), entry, depth)
	}
}

// entry takes, skips or refuses one name in a folder.
func (w *walk) entry(name string, entry fs.DirEntry, depth int) {
	base := entry.Name()
	if (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")) && !w.isNamed(name) {
		return // Go and the editors keep their own there
	}
	switch mode := entry.Type(); {
	case mode&fs.ModeSymlink != 0:
		w.refuse(name, 0, "is a symbolic link, which is not allowed here", "Put the file itself in its place.")
	case mode.IsDir():
		if !w.skipFolder(name, base) {
			w.folder(name, depth+1)
		}
	case w.request.Kind.listed() && !slices.Contains(w.request.Edit, name):
		w.other = append(w.other, name) // notes, dumps, scripts: the learner's own business
	case !mode.IsRegular():
		w.refuse(name, 0, "is "+kindOf(mode)+", which is not allowed here", "Only ordinary files can be submitted.")
	case w.request.Kind.listed():
		w.take(name)
	case foreign[strings.ToLower(path.Ext(base))] != "":
		w.refuse(name, 0, foreign[strings.ToLower(path.Ext(base))]+", which is not allowed here", "Write the program in Go alone.")
	case path.Ext(base) != ".go":
		w.other = append(w.other, name)
	case strings.HasSuffix(base, "_test.go") != (w.request.Kind == Tests):
		// Tests are the learner's own business, or else the only thing that counts.
	default:
		if _, given := w.request.Given[name]; !given {
			w.take(name)
		}
	}
}

// isNamed tells whether a name is that of a file to edit, or of a folder above one.
func (w *walk) isNamed(name string) bool {
	return slices.ContainsFunc(w.request.Edit, func(file string) bool {
		return file == name || strings.HasPrefix(file, name+"/")
	})
}

// skipFolder tells whether a folder cannot hold code of the learner's program.
func (w *walk) skipFolder(name, base string) bool {
	if w.request.Kind.listed() && !w.isNamed(name) {
		return true
	}
	if base == "testdata" || base == "vendor" || base == "node_modules" {
		return true
	}
	below := func(file string) bool { return strings.HasPrefix(file, name+"/") }
	if slices.ContainsFunc(w.request.Edit, below) {
		return false
	}
	for given := range w.request.Given {
		if path.Dir(given) == name {
			return true // the whole folder is the exercise's
		}
	}
	if _, err := w.root.Lstat(name + "/go.mod"); err == nil {
		w.leave(name+"/go.mod", 0, "makes this folder a module of its own, so its files are not part of the program", "Remove this go.mod.")
		return true
	}
	return false
}

// foreign are the kinds of files that Go would compile or link beside Go.
var foreign = map[string]string{
	".s": "is assembler code", ".sx": "is assembler code",
	".syso": "is an object file", ".a": "is an object file", ".so": "is an object file", ".o": "is an object file",
	".c": "is C code", ".h": "is C code", ".cc": "is C++ code", ".cpp": "is C++ code", ".cxx": "is C++ code",
	".hh": "is C++ code", ".hpp": "is C++ code", ".hxx": "is C++ code", ".m": "is Objective-C code",
	".f": "is Fortran code", ".for": "is Fortran code", ".f90": "is Fortran code",
	".swig": "is SWIG code", ".swigcxx": "is SWIG code",
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	default:
		return "a device"
	}
}

// take reads one file into the snapshot.
func (w *walk) take(name string) {
	if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd || r == '\\' }) {
		w.refuse(name, 0, "has a character in its name that Go does not accept", "Rename the file.")
		return
	}
	content, problem, help := w.read(name)
	switch {
	case problem != "":
		w.refuse(name, 0, problem, help)
	case len(w.files) == maxFiles:
		w.stopped = true
		w.refuse(name, 0, fmt.Sprintf("is one file too many: %d are allowed", maxFiles), "")
	case w.total+int64(len(content)) > maxTotal:
		w.stopped = true
		w.refuse(name, 0, fmt.Sprintf("makes the submission larger than %d MB", maxTotal>>20), "")
	default:
		w.total += int64(len(content))
		w.files[name] = content
	}
}

// read reads a regular file that nothing else links to. What the entry said is
// not trusted: the file may have been swapped since.
func (w *walk) read(name string) (content []byte, problem, help string) {
	// Without O_NONBLOCK, opening a pipe would wait for a writer.
	f, err := w.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, "cannot be read: " + cause(err), "Check the file's permissions."
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, "cannot be read: " + cause(err), ""
	}
	if !info.Mode().IsRegular() {
		return nil, "is not an ordinary file", "Only ordinary files can be submitted."
	}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok && sys.Nlink > 1 {
		return nil, "is a hard link: the same file is known by another name elsewhere, which is not allowed here",
			"Replace it by a copy: cp " + path.Base(name) + " copy && mv copy " + path.Base(name)
	}
	content, err = io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, "cannot be read: " + cause(err), ""
	}
	if len(content) > maxFile {
		return nil, fmt.Sprintf("is larger than %d MB", maxFile>>20), ""
	}
	return content, "", ""
}

// others takes the files that are no Go files, when there is a go:embed that
// may want them. One that cannot be taken is only missing then.
func (w *walk) others() {
	embeds := false
	for _, content := range w.files {
		embeds = embeds || strings.Contains(string(content), "//go:embed")
	}
	if !embeds {
		return
	}
	for _, name := range w.other {
		content, problem, help := w.read(name)
		if problem == "" && (len(w.files) == maxFiles || w.total+int64(len(content)) > maxTotal) {
			problem = "does not fit into the submission any more"
		}
		if problem != "" {
			w.leave(name, 0, problem, help)
			continue
		}
		w.total += int64(len(content))
		w.files[name] = content
	}
}

// cause is the innermost reason of a file error, without the path.
func cause(err error) string {
	for {
		inner, ok := err.(interface{ Unwrap() error })
		if !ok || inner.Unwrap() == nil {
			return err.Error()
		}
		err = inner.Unwrap()
	}
}

func byPlace(a, b report.Diagnostic) int {
	if c := strings.Compare(a.File, b.File); c != 0 {
		return c
	}
	if a.Line != b.Line {
		return a.Line - b.Line
	}
	return a.Col - b.Col
}
