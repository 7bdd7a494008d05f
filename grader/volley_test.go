package grader

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/report"
)

// volleyProgram echoes, closes the connection after every third answer, answers
// /early without reading the body, and ends at /exit.
const volleyProgram = `package probe

import (
	"io"
	"net/http"
	"os"
	"sync/atomic"
)

func New() http.Handler {
	var n atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("POST /echo", func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1)%3 == 0 {
			w.Header().Set("Connection", "close")
		}
		io.Copy(w, r.Body)
	})
	mux.HandleFunc("POST /early", func(w http.ResponseWriter, r *http.Request) {
		http.MaxBytesReader(w, r.Body, 1).Read(make([]byte, 2))
		io.WriteString(w, "early")
	})
	mux.HandleFunc("POST /exit", func(http.ResponseWriter, *http.Request) { os.Exit(7) })
	return mux
}
`

func TestVolley(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "probe.go"), []byte(volleyProgram), 0o644); err != nil {
		t.Fatal(err)
	}
	const lanes, each = 5, 20
	e := probe()
	e.Exam = func(x *exam.X) {
		x.Check("in-order", "answers every request of a volley in its place", func(c *exam.C) {
			requests := make([][]exam.Request, lanes)
			for i := range requests {
				for j := range each {
					requests[i] = append(requests[i], exam.Request{Method: http.MethodPost, Path: "/echo", Body: fmt.Sprintf("%d/%d", i, j)})
				}
			}
			answers := c.Volley(requests...)
			c.Equal(len(answers), lanes, "the number of lanes")
			for i, lane := range answers {
				c.Equal(len(lane), each, "the number of answers")
				for j, r := range lane {
					c.Equal(string(r.Want(http.StatusOK).Body), fmt.Sprintf("%d/%d", i, j), "the answer")
				}
			}
		})
		x.Check("unfinished", "answers before the body ends", func(c *exam.C) {
			c.Equal(string(c.Post("/early", strings.Repeat("x", 1<<20), exam.Unfinished()).Body), "early", "the answer")
		})
		x.Check("exit", "survives a volley", func(c *exam.C) {
			c.Volley([]exam.Request{{Method: http.MethodPost, Path: "/echo", Body: "a"}, {Method: http.MethodPost, Path: "/exit"}})
		})
	}
	rep, err := newGrader(t).Grade(context.Background(), Submission{Exercise: e, Dir: dir}, func(Event) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"in-order", "unfinished"} {
		if c := rep.Check(id); c == nil || c.Status != report.CheckPassed {
			t.Errorf("check %s: %+v (%s)", id, c, rep.Reason)
		}
	}
	exit := rep.Check("exit")
	if exit == nil || exit.Feedback == nil {
		t.Fatalf("a program that exits passes: %+v", exit)
	}
	if want := "the program exited with status 7 instead of answering"; exit.Feedback.Saw != want || exit.Feedback.Did != "POST /exit" {
		t.Errorf("did %q, saw %q; want POST /exit and %q", exit.Feedback.Did, exit.Feedback.Saw, want)
	}
}
