package lessons

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/cairn-learn/cairn/internal/strictyaml"
)

// Quiz is the questions at the end of a lesson.
type Quiz struct {
	Questions []Question `yaml:"questions"`
}

// Question asks for one answer, or for every right one when Multiple is set.
type Question struct {
	ID       string   `yaml:"id"`       // unique within the quiz
	Ask      string   `yaml:"ask"`      // markdown
	Multiple bool     `yaml:"multiple"` // more than one answer may be right
	Answers  []Answer `yaml:"answers"`
	Read     string   `yaml:"read"` // lesson#heading to read again, or ""
}

// Answer is one choice. Because explains why it is right or wrong.
type Answer struct {
	Text    string `yaml:"text"`
	Right   bool   `yaml:"right"`
	Because string `yaml:"because"`
}

// The bounds of a quiz.
const (
	minQuestions = 3
	maxQuestions = 6
	minAnswers   = 2
	maxAnswers   = 8
)

// Correct reports whether the chosen answers, by index, are exactly the right
// ones.
func (q Question) Correct(chosen ...int) bool {
	picked := make(map[int]bool, len(chosen))
	for _, i := range chosen {
		if i < 0 || i >= len(q.Answers) {
			return false
		}
		picked[i] = true
	}
	for i, a := range q.Answers {
		if a.Right != picked[i] {
			return false
		}
	}
	return true
}

// Hash sums up what is asked and offered, in hex: an answer given to another
// wording can be told by it.
func (q Question) Hash() string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %t", q.Ask, q.Multiple)
	for _, a := range q.Answers {
		fmt.Fprintf(h, " %q %t", a.Text, a.Right)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func readQuiz(name string, data []byte) (*Quiz, *strictyaml.File, error) {
	var q Quiz
	f, err := strictyaml.Read(name, data, &q)
	if err != nil {
		return nil, nil, err
	}
	return &q, f, nil
}

// check returns every fault of the quiz.
func (q *Quiz) check(f *strictyaml.File, c *Course) []error {
	var faults []error
	fault := func(path, format string, args ...any) {
		faults = append(faults, f.Errorf(path, format, args...))
	}
	if n := len(q.Questions); n < minQuestions || n > maxQuestions {
		fault("$.questions", "a quiz has %d to %d questions; this one has %d", minQuestions, maxQuestions, n)
	}
	seen := map[string]bool{}
	for i, question := range q.Questions {
		at := fmt.Sprintf("$.questions[%d]", i)
		switch {
		case question.ID == "":
			fault(at, "the question has no id")
		case seen[question.ID]:
			fault(at+".id", "there is another question with id %q", question.ID)
		}
		seen[question.ID] = true
		question.check(at, fault)
		if question.Read != "" {
			if _, _, err := c.Resolve(question.Read); err != nil {
				fault(at+".read", "%w", err)
			}
		}
	}
	return faults
}

func (q Question) check(at string, fault func(path, format string, args ...any)) {
	if strings.TrimSpace(q.Ask) == "" {
		fault(at, "question %q asks nothing", q.ID)
	}
	if n := len(q.Answers); n < minAnswers || n > maxAnswers {
		fault(at+".answers", "question %q has %d answers; %d to %d make a choice", q.ID, n, minAnswers, maxAnswers)
	}
	right := 0
	texts := map[string]bool{}
	for i, a := range q.Answers {
		answer := fmt.Sprintf("%s.answers[%d]", at, i)
		if a.Right {
			right++
		}
		if strings.TrimSpace(a.Text) == "" {
			fault(answer, "an answer of question %q has no text", q.ID)
		}
		if texts[a.Text] {
			fault(answer+".text", "question %q has this answer twice", q.ID)
		}
		texts[a.Text] = true
		if strings.TrimSpace(a.Because) == "" {
			fault(answer, "answer %q of question %q is not explained; say why under because", a.Text, q.ID)
		}
	}
	switch {
	case right == 0:
		fault(at+".answers", "question %q has no right answer", q.ID)
	case right > 1 && !q.Multiple:
		fault(at+".answers", "question %q has %d right answers; one is right unless it says multiple: true", q.ID, right)
	}
}
