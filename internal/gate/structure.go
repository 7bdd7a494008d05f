package gate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cairn-learn/cairn/internal/nearest"
	"github.com/cairn-learn/cairn/lessons"
)

// structure checks what needs no grade. (The manifest, the task, the three
// hints and the given files were required when the exercise was loaded.)
func (r *run) structure(res *Result) {
	r.placeholders(res)
	for _, err := range []error{r.filesMissing(), r.taskLinks(), r.wideCode(), r.mutantHeaders(res), r.lessonMissing()} {
		if err == nil {
			continue
		}
		for line := range strings.Lines(err.Error()) {
			res.fault("%s", strings.TrimSpace(line))
		}
	}
}

// placeholder marks text that is still to be written.
const placeholder = "TODO"

// placeholders notes the first place in each text that is still to be written.
func (r *run) placeholders(res *Result) {
	texts := map[string]string{"task.md": r.e.Task, "exercise.yaml, summary": r.e.Summary}
	for i, hint := range r.e.Hints {
		texts[fmt.Sprintf("exercise.yaml, hint %d", i+1)] = hint
	}
	if r.options.Course != nil {
		if l := r.options.Course.Lesson(r.e.Lesson); l != nil && l.Written {
			texts["the lesson "+l.ID], _ = l.Markdown()
		}
	}
	for _, name := range sorted(texts) {
		if before, _, found := strings.Cut(texts[name], placeholder); found {
			res.Notes = append(res.Notes, fmt.Sprintf("%s, line %d: still to be written", name, 1+strings.Count(before, "\n")))
		}
	}
}

func (r *run) filesMissing() error {
	_, starter := r.e.Starter()
	_, solution := r.e.Solution()
	others, alternatives := r.e.Alternatives()
	if alternatives == nil && len(others) == 0 {
		alternatives = fmt.Errorf("exercises/%s/alternatives:1: there is no correct solution in another style; the exam must hold to the contract, not to one implementation", r.e.ID)
	}
	if strings.TrimSpace(r.e.Task) == "" {
		return errors.Join(fmt.Errorf("exercises/%s/task.md:1: the task is empty", r.e.ID), starter, solution, alternatives)
	}
	return errors.Join(starter, solution, alternatives)
}

// lessonMissing requires that the exercise's lesson can be read.
func (r *run) lessonMissing() error {
	if r.options.Course == nil {
		return nil
	}
	l := r.options.Course.Lesson(r.e.Lesson)
	switch {
	case l == nil:
		return fmt.Errorf("exercises/%s/exercise.yaml:1: lesson %s does not exist; the nearest is %s", r.e.ID, r.e.Lesson, r.options.Course.NearestID(r.e.Lesson))
	case !l.Written:
		return fmt.Errorf("content/%s.md:1: the lesson of exercise %s is not written yet", l.ID, r.e.ID)
	}
	return nil
}

// codeColumns is how wide code may be to survive a terminal of 80 columns.
const codeColumns = 76

// wideCode names lines of code that task and hints can't show whole.
func (r *run) wideCode() error {
	texts := map[string]string{"task.md": r.e.Task}
	for i, hint := range r.e.Hints {
		texts[fmt.Sprintf("exercise.yaml, hint %d", i+1)] = hint
	}
	var faults []error
	for _, name := range sorted(texts) {
		for _, b := range lessons.CodeBlocks(texts[name]) {
			for i, line := range strings.Split(b.Source, "\n") {
				if n := utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    ")); n > codeColumns {
					faults = append(faults, fmt.Errorf("exercises/%s/%s:%d: the code is %d columns wide, and %d fit", r.e.ID, name, b.Line+i, n, codeColumns))
				}
			}
		}
	}
	return errors.Join(faults...)
}

func (r *run) taskLinks() error {
	if r.options.Course == nil {
		return nil
	}
	faults := r.options.Course.CheckLinks("exercises/"+r.e.ID+"/task.md", r.e.Lesson, r.e.Task)
	for i, hint := range r.e.Hints {
		faults = append(faults, r.options.Course.CheckLinks(fmt.Sprintf("exercises/%s/exercise.yaml, hint %d", r.e.ID, i+1), r.e.Lesson, hint)...)
	}
	return errors.Join(faults...)
}

// mutantHeaders checks that the checks which mutants name exist, and notes those
// that no mutant names.
func (r *run) mutantHeaders(res *Result) error {
	all, err := r.e.Mutants()
	faults := []error{err}
	if len(all) < minMutants {
		faults = append(faults, fmt.Errorf("exercises/%s/mutants:1: there are %d mutants; an exercise has at least %d", r.e.ID, len(all), minMutants))
	}
	if r.spec.Exam == nil {
		return errors.Join(append(faults, fmt.Errorf("exercises/%s/exam/exam.go:1: the exam is not in the registry; run: go generate ./exercises", r.e.ID))...)
	}
	x, err := r.spec.Declare()
	if err != nil {
		return errors.Join(append(faults, err)...)
	}
	var ids []string
	for _, listed := range x.Listed() {
		ids = append(ids, listed[0])
	}
	caught := map[string]bool{ids[0]: true}
	for _, m := range all {
		for _, id := range append([]string{m.Check}, m.Also...) {
			caught[id] = true
			if !slices.Contains(ids, id) {
				faults = append(faults, fmt.Errorf("%s:1: the exam has no check %s; the nearest is %s", m.File, id, nearest.Name(id, ids)))
			}
		}
	}
	for _, id := range ids {
		if !caught[id] {
			res.Notes = append(res.Notes, fmt.Sprintf("exercises/%s/exam/exam.go: no mutant shows that check %s catches anything", r.e.ID, id))
		}
	}
	return errors.Join(faults...)
}
