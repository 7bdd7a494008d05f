package grader_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf16"

	"golang.org/x/tools/txtar"

	"github.com/cairn-learn/cairn/grader"
)

// submission is one case of the corpus. testdata/corpus/README.md tells what may
// stand in its file.
type submission struct {
	name, file string
	kind       string // "cheat", "accident", "odd"
	of         string // the exercise
	limits     grader.Limits
	lay        []string // what a file of text cannot hold: links, pipes, encodings
	masks      []*regexp.Regexp
	files      []txtar.File
	comment    []byte
	golden     string
}

const goldenName = "golden"

// corpus reads every case.
func corpus(t *testing.T) []*submission {
	t.Helper()
	files, err := filepath.Glob("testdata/corpus/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	var all []*submission
	for _, file := range files {
		c, err := readCase(file)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, c)
	}
	// Those that have to run into a limit take longest: they begin.
	slices.SortStableFunc(all, func(a, b *submission) int { return cmp.Compare(b.limits.Check, a.limits.Check) })
	return all
}

func readCase(file string) (*submission, error) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		return nil, err
	}
	c := &submission{name: strings.TrimSuffix(filepath.Base(file), ".txtar"), file: file, comment: archive.Comment}
	about := false
	for line := range strings.Lines(string(archive.Comment)) {
		key, value, found := strings.Cut(strings.TrimSpace(line), ": ")
		if !found || !strings.HasPrefix(key, "# ") {
			about = about || strings.TrimSpace(line) != ""
			continue
		}
		if err := c.set(strings.TrimPrefix(key, "# "), value); err != nil {
			return nil, fmt.Errorf("%s: %w", strings.TrimSpace(line), err)
		}
	}
	for _, f := range archive.Files {
		if f.Name == goldenName {
			c.golden = string(f.Data)
		} else {
			c.files = append(c.files, f)
		}
	}
	switch {
	case !about:
		return nil, fmt.Errorf("a sentence must say what the case is")
	case c.kind != "cheat" && c.kind != "accident" && c.kind != "odd":
		return nil, fmt.Errorf("the kind %q is none of cheat, accident, odd", c.kind)
	case corpusExercises[c.of] == nil:
		return nil, fmt.Errorf("there is no exercise %q", c.of)
	}
	return c, nil
}

// set takes one line of the header.
func (c *submission) set(key, value string) (err error) {
	switch key {
	case "kind":
		c.kind = value
	case "exercise":
		c.of = value
	case "lay":
		c.lay = append(c.lay, value)
	case "mask":
		var m *regexp.Regexp
		m, err = regexp.Compile(value)
		c.masks = append(c.masks, m)
	case "limits":
		err = c.setLimits(value)
	default:
		err = fmt.Errorf("the key %q is unknown", key)
	}
	return err
}

// setLimits reads "start=300ms memory=64".
func (c *submission) setLimits(text string) error {
	for _, field := range strings.Fields(text) {
		name, value, _ := strings.Cut(field, "=")
		if name == "memory" || name == "file" {
			mb, err := strconv.Atoi(value)
			if err != nil {
				return err
			}
			*map[string]*int64{"memory": &c.limits.Memory, "file": &c.limits.File}[name] = int64(mb) << 20
			continue
		}
		d, err := time.ParseDuration(value)
		if err != nil {
			return err
		}
		known := map[string]*time.Duration{"start": &c.limits.Start, "check": &c.limits.Check, "exam": &c.limits.Exam, "request": &c.limits.Request, "run": &c.limits.Run, "build": &c.limits.Build}
		if known[name] == nil {
			return fmt.Errorf("the limit %q is unknown", name)
		}
		*known[name] = d
	}
	return nil
}

// exercise is the case's exercise, with the case's limits, or ones that a busy
// machine doesn't reach.
func (c *submission) exercise() grader.Exercise {
	e := corpusExercises[c.of]()
	e.Limits = c.limits
	for limit, usual := range map[*time.Duration]time.Duration{
		&e.Limits.Start: 30 * time.Second, &e.Limits.Request: 20 * time.Second, &e.Limits.Check: time.Minute, &e.Limits.Exam: 2 * time.Minute,
	} {
		if *limit == 0 {
			*limit = usual
		}
	}
	return e
}

// layOut makes the submission's folder.
func (c *submission) layOut(t *testing.T, dir string) {
	t.Helper()
	for _, f := range c.files {
		put(t, filepath.Join(dir, filepath.FromSlash(f.Name)), f.Data)
	}
	for _, line := range c.lay {
		words := strings.Fields(line)
		at := filepath.Join(dir, words[1])
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		switch words[0] {
		case "symlink": // symlink NAME TARGET
			err = os.Symlink(words[2], at)
		case "hardlink": // hardlink NAME FILE
			err = os.Link(filepath.Join(dir, words[2]), at)
		case "pipe": // pipe NAME
			err = syscall.Mkfifo(at, 0o644)
		case "utf-16", "bom", "crlf", "latin-1": // CODE FILE
			err = encode(at, words[0])
		case "bytes": // bytes NAME SIZE: a file of zeros
			var size int64
			if size, err = strconv.ParseInt(words[2], 10, 64); err == nil {
				put(t, at, nil)
				err = os.Truncate(at, size)
			}
		default:
			err = fmt.Errorf("unknown: %s", line)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func put(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// encode saves a file of UTF-8 in another code.
func encode(path, code string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	switch code {
	case "bom":
		data = append([]byte("\xef\xbb\xbf"), data...)
	case "crlf":
		data = []byte(strings.ReplaceAll(string(data), "\n", "\r\n"))
	case "utf-16":
		units := utf16.Encode([]rune("\ufeff" + string(data)))
		data = nil
		for _, u := range units {
			data = append(data, byte(u), byte(u>>8))
		}
	case "latin-1":
		text := string(data)
		data = nil
		for _, r := range text {
			data = append(data, byte(r))
		}
	}
	return os.WriteFile(path, data, 0o644)
}

// writeGolden puts the report into the case's file.
func (c *submission) writeGolden(t *testing.T, text string) {
	t.Helper()
	c.golden = text
	a := &txtar.Archive{Comment: c.comment, Files: append(c.files[:len(c.files):len(c.files)], txtar.File{Name: goldenName, Data: []byte(text)})}
	if err := os.WriteFile(c.file, txtar.Format(a), 0o644); err != nil {
		t.Fatal(err)
	}
}
