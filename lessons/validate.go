package lessons

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/yuin/goldmark/ast"
)

// Validate checks what Load leaves: that every written lesson has a title, a
// quiz that can be answered, and links that lead somewhere, and that no lesson
// lies in the content folder that the course does not know. The error names
// each fault in one line with file and line.
func (c *Course) Validate() error {
	faults := c.strays()
	for _, l := range c.Lessons() {
		if !l.Written {
			if l.Exercise != "" {
				faults = append(faults, fmt.Errorf("%s:1: lesson %s has exercise %s but no text; write it here", shown(l.file()), l.ID, l.Exercise))
			}
			continue
		}
		faults = append(faults, c.validateText(l)...)
		faults = append(faults, c.validateQuiz(l)...)
	}
	for _, l := range c.Pages() {
		if !l.Written {
			faults = append(faults, fmt.Errorf("%s:1: the course names page %s, which has no text; write it here", shown(l.file()), l.ID))
			continue
		}
		faults = append(faults, c.validateText(l)...)
	}
	return errors.Join(faults...)
}

func (c *Course) validateText(l *Lesson) []error {
	src, err := l.source()
	if err != nil {
		return []error{err}
	}
	name := shown(l.file())
	var faults []error
	switch {
	case len(l.headings) == 0 || l.headings[0].Level != 1:
		faults = append(faults, fmt.Errorf("%s:1: lesson %s does not begin with its title as a heading (# %s)", name, l.ID, l.Title))
	case l.headings[0].Text != l.Title:
		faults = append(faults, fmt.Errorf("%s:%d: the heading is %q, but the course calls lesson %s %q", name, lineAt(src, l.headings[0].Offset), l.headings[0].Text, l.ID, l.Title))
	}
	return append(faults, c.CheckLinks(name, l.ID, string(src))...)
}

// CheckLinks returns a fault for every link of a markdown text that leads to a
// lesson or heading which does not exist. A link that is only #heading is one
// within the lesson with the given id; what leads out of the course is not
// followed. The name is used in errors only.
func (c *Course) CheckLinks(name, lesson, markdown string) []error {
	var faults []error
	for _, link := range links([]byte(markdown)) {
		if err := c.follow(lesson, link.target); err != nil {
			faults = append(faults, fmt.Errorf("%s:%d: %w", name, link.line, err))
		}
	}
	return faults
}

func (c *Course) follow(lesson, target string) error {
	if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
		return nil
	}
	if strings.HasPrefix(target, "#") {
		target = lesson + target
	}
	_, _, err := c.Resolve(target)
	return err
}

func (c *Course) validateQuiz(l *Lesson) []error {
	name := shown(l.quizFile())
	data, err := fs.ReadFile(l.fsys, l.quizFile())
	if errors.Is(err, fs.ErrNotExist) {
		return []error{fmt.Errorf("%s:1: lesson %s has no quiz; write it here", name, l.ID)}
	}
	if err != nil {
		return []error{err}
	}
	q, f, err := readQuiz(name, data)
	if err != nil {
		return []error{err}
	}
	return q.check(f, c)
}

// strays returns a fault for every lesson or quiz on disk that the course does
// not name, or whose lesson is not written.
func (c *Course) strays() []error {
	var faults []error
	err := fs.WalkDir(c.fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Dir(name) == "." {
			return err
		}
		id, isQuiz := strings.CutSuffix(name, ".quiz.yaml")
		id = strings.TrimSuffix(id, ".md")
		switch l := c.byID[id]; {
		case id == name:
			faults = append(faults, fmt.Errorf("%s:1: content holds lessons (.md) and quizzes (.quiz.yaml) only", shown(name)))
		case l == nil:
			faults = append(faults, fmt.Errorf("%s:1: the course has no lesson %s; the nearest is %s", shown(name), id, c.NearestID(id)))
		case isQuiz && l.Page:
			faults = append(faults, fmt.Errorf("%s:1: page %s is to be read only; it has no quiz", shown(name), id))
		case isQuiz && !l.Written:
			faults = append(faults, fmt.Errorf("%s:1: lesson %s has a quiz but no text", shown(name), id))
		}
		return nil
	})
	if err != nil {
		faults = append(faults, err)
	}
	return faults
}

type link struct {
	target string
	line   int
}

// links returns the links of a markdown text.
func links(src []byte) []link {
	var found []link
	line := 1
	_ = ast.Walk(parse(src), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Text:
			line = lineAt(src, n.Segment.Start)
		case *ast.Link:
			at := line
			if t, ok := n.FirstChild().(*ast.Text); ok {
				at = lineAt(src, t.Segment.Start)
			}
			found = append(found, link{string(n.Destination), at})
		}
		return ast.WalkContinue, nil
	})
	return found
}
