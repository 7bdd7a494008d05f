package exercises

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/bluekeyes/go-gitdiff/gitdiff"
)

// Mutant is a believable wrong solution: a patch on the reference solution, and
// the check that must catch it.
type Mutant struct {
	Name    string           // of its file, without .diff
	Check   string           // the first check to fail
	Also    []string         // checks that fail too
	Mistake string           // one sentence
	Masks   []*regexp.Regexp // what differs between two grades of its feedback
	Tries   int              // grades of which one must catch it; 1 unless the mistake needs luck to show
	File    string           // "exercises/lostupdate/mutants/mutex.diff"

	patch []byte
}

// maxTries is how often a mistake that needs luck to show may be tried.
const maxTries = 5

// Golden is the name of the file with the feedback that the mutant must get,
// relative to the exercise's folder.
func (m Mutant) Golden() string { return "mutants/" + m.Name + ".feedback" }

// Mutants returns the mutants, ordered by name. The error names each fault of
// their headers in one line with file and line.
func (e *Exercise) Mutants() ([]Mutant, error) {
	names, err := fs.Glob(e.fsys, "mutants/*.diff")
	if err != nil {
		return nil, fmt.Errorf("list the mutants of %s: %w", e.ID, err)
	}
	var all []Mutant
	var faults []error
	for _, name := range names {
		data, err := fs.ReadFile(e.fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", e.shown(name), err)
		}
		m := Mutant{Name: strings.TrimSuffix(path.Base(name), ".diff"), Tries: 1, File: e.shown(name), patch: data}
		if err := m.readHeader(); err != nil {
			faults = append(faults, err)
			continue
		}
		all = append(all, m)
	}
	return all, errors.Join(faults...)
}

// readHeader reads the lines that begin with # before the patch.
func (m *Mutant) readHeader() error {
	lines := bufio.NewScanner(bytes.NewReader(m.patch))
	n := 0
	for lines.Scan() {
		n++
		comment, ok := strings.CutPrefix(lines.Text(), "#")
		if !ok {
			break
		}
		key, value, _ := strings.Cut(comment, ":")
		value = strings.TrimSpace(value)
		switch strings.TrimSpace(key) {
		case "check":
			m.Check = value
		case "also":
			m.Also = append(m.Also, strings.Fields(value)...)
		case "mistake":
			m.Mistake = value
		case "mask":
			form, err := regexp.Compile(value)
			if err != nil {
				return fmt.Errorf("%s:%d: %q is no regular expression: %w", m.File, n, value, err)
			}
			m.Masks = append(m.Masks, form)
		case "tries":
			tries, err := strconv.Atoi(value)
			if err != nil || tries < 2 || tries > maxTries {
				return fmt.Errorf("%s:%d: %q is no number of tries; it is from 2 to %d", m.File, n, value, maxTries)
			}
			m.Tries = tries
		default:
			return fmt.Errorf("%s:%d: %q names none of check, also, mistake, mask and tries", m.File, n, lines.Text())
		}
		if value == "" || n == 1 && m.Check == "" {
			return fmt.Errorf("%s:%d: the first line of a mutant is # check: <id>, and no line of its header is empty", m.File, n)
		}
	}
	switch {
	case m.Check == "":
		return fmt.Errorf("%s:1: the first line of a mutant names the check that catches it: # check: <id>", m.File)
	case len(strings.Fields(m.Check)) != 1:
		return fmt.Errorf("%s:1: %q is not one check; list the others in a line # also: <ids>", m.File, m.Check)
	case m.Mistake == "":
		return fmt.Errorf("%s:1: the mutant doesn't say what the mistake is; add # mistake: and one sentence", m.File)
	}
	return nil
}

// Apply returns the solution with the mistake in it. A hunk may have moved, but
// its lines must still be there. The error is one sentence with the patch's
// file and line, and the hunk.
func (m Mutant) Apply(solution map[string][]byte) (map[string][]byte, error) {
	files, _, err := gitdiff.Parse(bytes.NewReader(m.patch))
	if err != nil {
		return nil, m.explainParse(err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s:1: the mutant holds no patch", m.File)
	}
	mutated := maps.Clone(solution)
	hunk := 0
	for _, f := range files {
		name := stripped(f.NewName)
		src, ok := solution[name]
		if !ok {
			return nil, fmt.Errorf("%s:%d: the patch is on %q, which is no file of the solution (%s)", m.File, m.lineOf("--- ", 1), name, strings.Join(editable(solution), ", "))
		}
		moved := 0
		for _, frag := range f.TextFragments {
			hunk++
			if moved, err = relocate(frag, src, moved); err != nil {
				return nil, fmt.Errorf("%s:%d: hunk %s no longer applies to %s: %w; make the patch again", m.File, m.lineOf("@@", hunk), strings.TrimSpace(frag.Header()), name, err)
			}
		}
		var out bytes.Buffer
		if err := gitdiff.Apply(&out, bytes.NewReader(src), f); err != nil {
			return nil, fmt.Errorf("%s:1: the patch no longer applies to %s: %w", m.File, name, err)
		}
		if bytes.Equal(out.Bytes(), src) {
			return nil, fmt.Errorf("%s:1: the patch changes nothing in %s", m.File, name)
		}
		mutated[name] = out.Bytes()
	}
	return mutated, nil
}

// relocate moves a hunk to the place nearest its own where its old lines
// stand, given how far the hunk before it moved. It returns how far it moved.
func relocate(frag *gitdiff.TextFragment, src []byte, moved int) (int, error) {
	var old []string
	for _, l := range frag.Lines {
		if l.Old() {
			old = append(old, l.Line)
		}
	}
	if len(old) == 0 {
		return moved, nil
	}
	lines := strings.SplitAfter(string(src), "\n")
	stated := int(frag.OldPosition) - 1
	best, found := 0, false
	for at := 0; at+len(old) <= len(lines); at++ {
		if !slices.Equal(lines[at:at+len(old)], old) {
			continue
		}
		if !found || abs(at-stated-moved) < abs(best-stated-moved) {
			best, found = at, true
		}
	}
	if !found {
		return 0, fmt.Errorf("its %d lines from %q on stand nowhere in it", len(old), strings.TrimSpace(firstFilled(old)))
	}
	frag.OldPosition += int64(best - stated)
	frag.NewPosition += int64(best - stated)
	return best - stated, nil
}

// stripped returns a file's name without the a/ or b/ that diff puts before it.
func stripped(name string) string {
	if rest, ok := strings.CutPrefix(name, "a/"); ok {
		return rest
	}
	return strings.TrimPrefix(name, "b/")
}

func firstFilled(lines []string) string {
	for _, l := range lines {
		if strings.TrimSpace(l) != "" {
			return l
		}
	}
	return ""
}

func abs(n int) int { return max(n, -n) }

// lineOf returns the line of the nth line that begins with a prefix.
func (m Mutant) lineOf(prefix string, nth int) int {
	for i, l := range strings.Split(string(m.patch), "\n") {
		if strings.HasPrefix(l, prefix) {
			if nth--; nth == 0 {
				return i + 1
			}
		}
	}
	return 1
}

var parseErrorForm = regexp.MustCompile(`^gitdiff: line (\d+): (.*)$`)

func (m Mutant) explainParse(err error) error {
	line, message := 1, err.Error()
	if found := parseErrorForm.FindStringSubmatch(message); found != nil {
		line, _ = strconv.Atoi(found[1])
		message = found[2]
	}
	return fmt.Errorf("%s:%d: the patch can't be read: %s", m.File, line, message)
}

// editable lists the names of the files that a mutant can be on, for messages.
func editable(files map[string][]byte) []string {
	var names []string
	for name := range files {
		if name != taskFile && name != programFile {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
