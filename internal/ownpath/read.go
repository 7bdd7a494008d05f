package ownpath

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"

	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/internal/strictyaml"
)

// FileName is the path file of a folder.
const FileName = "path.yaml"

// What a path may hold at most.
const (
	maxFile    = 64 << 10  // bytes of the path file
	maxPage    = 256 << 10 // bytes of one page
	maxPages   = 50
	maxTitle   = 60 // characters
	maxLine    = 300
	maxNesting = 12 // of quotes and lists: deeper ones leave no room for a word, and take long to set
	maxStages  = 50
	maxSteps   = 200
)

// Checked is a path that was read and found right.
type Checked struct {
	Path  *Path
	Notes []string // what its author should look at, each with file and line
}

// Read reads a path file, or path.yaml of a folder, with its pages, and checks it
// against the road. Its day 1 is start. The error names each fault in one line
// with file and line.
func Read(name string, r *road.Road, start time.Time) (*Checked, error) {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		name = filepath.Join(name, FileName)
	}
	data, err := readFile(name)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(filepath.Dir(name))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	checked, err := Parse(name, data, r, start, func(page string) ([]byte, error) { return readPage(root, page) })
	if err != nil {
		return nil, err
	}
	if whole, err := filepath.Abs(name); err == nil {
		name = whole
	}
	checked.Path.From = name
	return checked, nil
}

// readFile reads the path file.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > maxFile:
		return nil, fmt.Errorf("%s:1: the file has more than %d KB; is it a path file?", name, maxFile>>10)
	}
	return data, nil
}

// The form of a path file. Stones are names, or maps that name a page.
type (
	pathYAML struct {
		ID      string      `yaml:"id"`
		Title   string      `yaml:"title"`
		Summary string      `yaml:"summary"`
		Stages  []stageYAML `yaml:"stages"`
	}
	stageYAML struct {
		Title  string `yaml:"title"`
		By     string `yaml:"by"`
		Stones []any  `yaml:"stones"`
	}
)

// Parse reads the text of a path file and asks for its pages by their names. The
// name of the file is used in errors only, which are as those of Read.
func Parse(name string, data []byte, r *road.Road, start time.Time, page func(string) ([]byte, error)) (*Checked, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("%s:%d: the file is not UTF-8", name, 1+bytes.Count(data[:validUpTo(data)], []byte("\n")))
	}
	if line, why := tooClever(data); line > 0 {
		return nil, fmt.Errorf("%s:%d: %s", name, line, why)
	}
	var y pathYAML
	file, err := strictyaml.Read(name, data, &y)
	if err != nil {
		return nil, nearestKey(err)
	}
	c := &checker{
		file: file, road: r, start: start, page: page, names: newNames(r), at: map[string]place{},
		path: &Path{Version: Version, ID: y.ID, Start: start.Format(dateForm)},
	}
	c.head(y)
	for i, s := range y.Stages {
		c.stage(fmt.Sprintf("$.stages[%d]", i), i, s)
	}
	if len(c.faults) > 0 {
		return nil, errors.Join(c.faults...)
	}
	c.remarks()
	return &Checked{Path: c.path, Notes: c.notes}, nil
}

var unknownKey = regexp.MustCompile(`unknown key "([A-Za-z_-]{1,20})"$`)

// nearestKey adds to the complaint about an unknown key the one that may be meant.
func nearestKey(err error) error {
	m := unknownKey.FindStringSubmatch(err.Error())
	if m == nil {
		return err
	}
	return fmt.Errorf("%w%s", err, suggest(m[1], []string{"id", "title", "summary", "stages", "by", "stones"}))
}

// deepest is how far a path file may be nested; its form needs four.
const deepest = 10

// tooClever returns the line of the first thing in a file with which a few bytes
// keep a machine busy, and what is to be said of it; 0 where there is none. An alias
// can stand for more than a machine can hold, and nesting is dear to read.
func tooClever(data []byte) (line int, why string) {
	depth, dashes, dashed := 0, 0, 0
	for _, t := range lexer.Tokenize(string(data)) {
		if t.Position == nil {
			continue
		}
		switch t.Type {
		case token.AnchorType, token.AliasType:
			return t.Position.Line, "a path file has no anchors (&) and aliases (*); write it out"
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		case token.SequenceEntryType:
			if t.Position.Line != dashed {
				dashes, dashed = 0, t.Position.Line
			}
			dashes++
		}
		if depth > deepest || dashes > deepest {
			return t.Position.Line, "this is nested too deep for a path file"
		}
	}
	return 0, ""
}

// readPage reads a page that lies in the folder of the path file. Links are not
// followed: a page from elsewhere is not what its author meant to hand over.
func readPage(root *os.Root, name string) ([]byte, error) {
	parts := strings.Split(name, "/")
	for i := range parts {
		part := strings.Join(parts[:i+1], "/")
		info, err := root.Lstat(filepath.FromSlash(part))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, errors.New("there is no such file beside the path file" + similar(root, parts[:i], parts[i], i < len(parts)-1))
		case err != nil:
			return nil, plainly(err)
		case info.Mode()&fs.ModeSymlink != 0:
			return nil, fmt.Errorf("%s is a symbolic link; put the file itself there", part)
		case i < len(parts)-1 && !info.IsDir():
			return nil, fmt.Errorf("%s is no folder", part)
		case i == len(parts)-1 && !info.Mode().IsRegular():
			return nil, errors.New("it is no regular file")
		case i == len(parts)-1 && info.Size() > maxPage:
			return nil, fmt.Errorf("it has %d KB; a page may have %d", info.Size()>>10, maxPage>>10)
		}
	}
	f, err := root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, plainly(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxPage+1))
	if err != nil {
		return nil, plainly(err)
	}
	return data, nil
}

// similar suggests the page, or the folder, of a folder that is most like a name.
func similar(root *os.Root, folder []string, name string, folders bool) string {
	entries, err := fs.ReadDir(root.FS(), filepath.ToSlash(filepath.Join(append([]string{"."}, folder...)...)))
	if err != nil {
		return ""
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() == folders && (folders || strings.HasSuffix(strings.ToLower(e.Name()), ".md")) {
			names = append(names, strings.Join(append(slices.Clone(folder), e.Name()), "/"))
		}
	}
	return suggest(strings.Join(append(slices.Clone(folder), name), "/"), names)
}

// plainly is an error without the name of the file, which is said already.
func plainly(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
