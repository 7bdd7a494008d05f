package grader

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cairn-learn/cairn/grader/build"
	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/report"
)

// builderImage has a shell; where it is not needed, tests build from nothing, which is quicker.
const builderImage = "golang:1.26"

// imageExercise asks for an image of at most a megabyte, without what is in secret.txt.
func imageExercise() Exercise {
	return Exercise{
		ID: "tiny", Title: "A tiny image", Edit: []string{"Dockerfile", ".dockerignore"}, Kind: build.Image,
		Given: map[string][]byte{"empty": nil, "word": []byte("pebble\n")},
		Exam: func(x *exam.X) {
			x.Images(builderImage)
			x.Check("plain", "needs no BuildKit", func(c *exam.C) {
				for _, p := range c.Dockerfile().Beyond() {
					c.Fail(exam.Finding{Did: "read the Dockerfile", Expected: "what every builder knows", Saw: p.What})
				}
			})
			x.Check("builds", "builds", func(c *exam.C) {
				secret := c.Unique("secret")
				c.BuildImage(exam.ImageBuild{
					Files: map[string][]byte{"secret.txt": []byte("x" + secret + "y"), "large": make([]byte, 2<<20), ".git/config": []byte(secret)},
					Args:  map[string]string{"TOKEN": secret}, Secrets: map[string]string{"the secret": secret},
				})
			}, exam.After("plain"))
			x.Check("small", "is small", func(c *exam.C) {
				size := c.Image().Size()
				c.Require(size <= 1<<20, exam.Finding{Did: "added up", Expected: "a megabyte", Saw: fmt.Sprint(size)})
			}, exam.After("builds"))
			x.Check("secrets", "tells no secret", func(c *exam.C) {
				for _, t := range c.Image().Found {
					c.Fail(exam.Finding{Did: "looked", Expected: "nothing", Saw: fmt.Sprintf("%s %s gone=%v", t.File, t.In, t.Gone)})
				}
			}, exam.After("builds"))
		},
		Limits: Limits{Limits: exam.Limits{Check: 2 * time.Minute, Exam: 4 * time.Minute}},
	}
}

func gradeImage(t *testing.T, g *Grader, e Exercise, dockerfile, ignore string) Report {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"Dockerfile": dockerfile, ".dockerignore": ignore, "notes.txt": "the learner's own", "word": "changed"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	rep, err := g.Grade(t.Context(), Submission{Exercise: e, Dir: dir, Seed: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

const (
	keepOut   = ".git\nsecret.txt\n"
	nothing   = "# nothing\n"
	tinyImage = "FROM scratch\nCOPY word /word\n"
)

// outcome is the verdict, and the first check that failed with what was seen.
func imageOutcome(rep Report) string {
	text := string(rep.Verdict)
	if f := rep.FirstFailed(); f != nil {
		text += " " + f.ID + ": " + f.Feedback.Saw
	}
	return text
}

func TestImages(t *testing.T) {
	needEngine(t)
	t.Parallel()
	g := newServiceGrader(t)
	for name, c := range map[string]struct{ dockerfile, ignore, want string }{
		"passes":               {tinyImage, nothing, "passed"},
		"all but secrets":      {"FROM scratch\nCOPY . /\nCOPY empty /large\n", keepOut + "large\n", "passed"},
		"notes do not count":   {"FROM scratch\nCOPY notes.txt /\n", nothing, "failed builds: COPY failed"},
		"given files stay":     {"FROM scratch\nCOPY word /\nCOPY large /large\n", "large\n", "failed builds: COPY failed"},
		"a faked size":         {"FROM scratch\nLABEL size=7B\nCOPY large /large\nCOPY empty /large\n", nothing, "failed small: 2097152"},
		"hidden again":         {"FROM scratch\nCOPY secret.txt /s\nCOPY empty /s\n", nothing, "failed secrets: s  gone=true"},
		"in a folder":          {"FROM scratch\nCOPY .git /etc/git\n", nothing, "failed secrets: etc/git/config  gone=false"},
		"in the environment":   {"FROM scratch\nCOPY word /\nARG TOKEN\nENV A=$TOKEN\n", nothing, "failed secrets:  the environment gone=false"},
		"in a label":           {"FROM scratch\nCOPY word /\nARG TOKEN\nLABEL a=$TOKEN\n", nothing, "failed secrets:  the history gone=false"},
		"an unused argument":   {"FROM scratch\nARG TOKEN\nCOPY word /\n", nothing, "passed"},
		"BuildKit":             {"FROM scratch\nCOPY <<E /a\nE\n", nothing, "failed plain: COPY <<E"},
		"another frontend":     {"# syntax=example.com/evil\n" + tinyImage, nothing, "failed plain: the line # syntax=example.com/evil"},
		"cairn's own labels":   {tinyImage + "LABEL org.cairn.service=postgres\n", nothing, "failed builds: a label whose name begins with org.cairn"},
		"a base there is not":  {"FROM cairn-test/none:1\n", nothing, "ungraded"},
		"a base by its digest": {"FROM scratch AS a\nCOPY word /\nFROM cairn-test/none@sha256:" + strings.Repeat("0", 64) + "\n", nothing, "ungraded"},
	} {
		t.Run(name, func(t *testing.T) {
			rep := gradeImage(t, g, imageExercise(), c.dockerfile, c.ignore)
			if got := imageOutcome(rep); !strings.HasPrefix(got, c.want) || c.want == "passed" && got != "passed" {
				t.Errorf("%s, want %s; %s %s", got, c.want, rep.Reason, rep.Next)
			}
		})
	}
}

func TestBuildThatNeverEnds(t *testing.T) {
	needEngine(t)
	t.Parallel()
	g := newServiceGrader(t)
	e := imageExercise()
	e.Limits.Check = 8 * time.Second
	rep := gradeImage(t, g, e, "FROM "+builderImage+"\nRUN sleep infinity\n", nothing)
	if rep.Verdict != report.Limit || !strings.Contains(rep.Reason, "building the image took longer than 4s") {
		t.Errorf("%s %s", imageOutcome(rep), rep.Reason)
	}
}

func TestDockerfileThatCannotBeRead(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix://"+filepath.Join(t.TempDir(), "none")) // it is not asked
	g := newServiceGrader(t)
	rep := gradeImage(t, g, imageExercise(), "FROM scratch\n\nCOPPY word /\n", nothing)
	if rep.Verdict != report.Broken || len(rep.Diagnostics) != 1 || rep.Diagnostics[0].Line != 3 || rep.Diagnostics[0].File != "Dockerfile" {
		t.Errorf("%s %+v", imageOutcome(rep), rep.Diagnostics)
	}
	rep = gradeImage(t, g, imageExercise(), tinyImage, "[a\n")
	if rep.Verdict != report.Broken || len(rep.Diagnostics) != 1 || rep.Diagnostics[0].File != ".dockerignore" {
		t.Errorf("%s %+v", imageOutcome(rep), rep.Diagnostics)
	}
}

// Without an engine the half that needs none has its say.
func TestImageWithoutAnEngine(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix://"+filepath.Join(t.TempDir(), "none"))
	g := newServiceGrader(t)
	rep := gradeImage(t, g, imageExercise(), "# syntax=a\n"+tinyImage, nothing)
	if got := imageOutcome(rep); got != "failed plain: the line # syntax=a" {
		t.Errorf("%s %s", got, rep.Reason)
	}
	rep = gradeImage(t, g, imageExercise(), tinyImage, nothing)
	if rep.Verdict != report.Ungraded || rep.Next == "" || !strings.Contains(rep.Reason, "no Docker engine") {
		t.Errorf("%s %s; %s", rep.Verdict, rep.Reason, rep.Next)
	}
}
