package sqlite

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/internal/progress"
)

const childVariable = "CAIRN_PROGRESS_CHILD"

// runChild is the process that gets killed: a learner at work. It says "begin N"
// before it saves step N, and "saved N" when the store has returned. It reports
// false when this process is the test itself.
func runChild() bool {
	path := os.Getenv(childVariable)
	if path == "" {
		return false
	}
	if os.Getenv(childVariable+"_FIRST") == "reader" {
		readOnly(path)
		return true
	}
	first, err := strconv.Atoi(os.Getenv(childVariable + "_FIRST"))
	s := Open(path)
	for n := first; err == nil; n++ {
		fmt.Println("begin", n)
		if err = step(s, n); err == nil {
			fmt.Println("saved", n)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
	return true
}

// step does what learners do, in turn. Everything it saves carries n.
func step(s *Store, n int) error {
	ctx, at := context.Background(), time.Unix(int64(n), 0)
	switch n % 6 {
	case 0:
		return s.SaveAnswer(ctx, progress.QuizAnswer{Lesson: "sql/a", Question: fmt.Sprint(n), Chosen: []int{n}, At: at})
	case 1:
		return s.SaveRead(ctx, progress.LessonRead{Lesson: fmt.Sprint(n), At: at})
	case 2:
		return s.SavePlace(ctx, progress.Place{Lesson: fmt.Sprint(n), Screen: "lesson", Line: n, At: at})
	case 3:
		return s.SaveHint(ctx, progress.Hint{Exercise: fmt.Sprint(n), Rung: 1, At: at})
	default:
		_, err := s.SaveAttempt(ctx, progress.Of(reportOfStep(n)))
		return err
	}
}

func reportOfStep(n int) *report.Report {
	r := reportOf("update", report.Failed, time.Unix(int64(n), 0))
	r.Seed = uint64(n)
	r.Log = strings.Repeat(fmt.Sprintln("line of step", n), 200)
	r.Files = map[string][]byte{
		"update.go": []byte(strings.Repeat(fmt.Sprintf("func f%d() {}\n", n), 500)),
		"same.go":   []byte("package update\n"),
	}
	return r
}

// TestKillLosesNothingSaved kills a session 200 times at random moments: while
// it opens the store, between two steps, and in the middle of one.
func TestKillLosesNothingSaved(t *testing.T) {
	const kills = 200
	dir := t.TempDir()
	saved := map[string]map[int]bool{} // by store
	hit, opening, keptAnyway := 0, 0, 0
	for i := range kills {
		// Each store gets 20 of them, so that every twentieth hits a new one.
		path := filepath.Join(dir, fmt.Sprint(i/20), "progress.db")
		if saved[path] == nil {
			saved[path] = map[int]bool{}
		}
		flying := killOne(t, path, 1000*i, saved[path])
		s := opened(t, path)
		if len(s.notices) > 0 {
			t.Fatalf("after kill %d: %v", i, s.notices)
		}
		found := present(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for n := range saved[path] {
			if !found[n] {
				t.Fatalf("kill %d: step %d was shown as saved and is gone", i, n)
			}
		}
		switch {
		case flying < 0:
			continue
		case flying == 1000*i:
			opening++
		}
		hit++
		if found[flying] {
			keptAnyway++ // committed, but the word did not get out
			saved[path][flying] = true
		}
	}
	t.Logf("%d of %d kills hit a step between its begin and its end, %d of them while the store opened; %d of these steps had been kept already", hit, kills, opening, keptAnyway)
	if hit < kills/4 || opening == 0 || opening == hit {
		t.Errorf("too few kills hit work in flight: %d, %d while opening", hit, opening)
	}
}

// killOne runs a session and kills it at a random moment. It adds what was shown
// as saved and returns the step that had begun and not ended, -1 when there is
// none.
func killOne(t *testing.T, path string, first int, saved map[int]bool) int {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+path, fmt.Sprintf("%s_FIRST=%d", childVariable, first))
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// The moment: some lines into the session, and a little later. How long a step
	// takes differs between machines; the random part goes from nothing to
	// more than one.
	lines := bufio.NewScanner(out)
	flying, enough := -1, 1+rand.IntN(12)
	read := func() bool {
		if !lines.Scan() {
			return false
		}
		word, number, _ := strings.Cut(lines.Text(), " ")
		n, err := strconv.Atoi(number)
		if err != nil {
			t.Fatalf("the session said %q", lines.Text())
		}
		if flying = n; word == "saved" {
			saved[n], flying = true, -1
		}
		return true
	}
	for range enough {
		if !read() {
			break
		}
	}
	for until := time.Now().Add(time.Duration(rand.IntN(6000)) * time.Microsecond); time.Now().Before(until); {
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for read() { // what it said before the end
	}
	if err := lines.Err(); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if said.Len() > 0 {
		t.Fatalf("the session ended by itself: %s", said.String())
	}
	return flying
}

// present returns every step that the store holds, and fails when one is
// there in part.
func present(t *testing.T, s *Store) map[int]bool {
	t.Helper()
	found := map[int]bool{}
	add := func(text string) {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		found[n] = true
	}
	answers, err1 := s.Answers(t.Context(), "")
	for _, a := range answers {
		add(a.Question)
	}
	lessons, err2 := s.Read(t.Context())
	for name := range lessons {
		add(name)
	}
	hints, err3 := s.Hints(t.Context())
	for name := range hints {
		add(name)
	}
	err4 := s.rows(t.Context(), "places", func(rows *sql.Rows) error {
		var lesson string
		err := rows.Scan(&lesson)
		add(lesson)
		return err
	}, "select lesson from place")
	all, err5 := s.Attempts(t.Context(), "")
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		t.Fatal(err)
	}
	for _, short := range all {
		whole(t, s, short)
		found[int(short.Seed)] = true
	}
	return found
}

// whole fails when an attempt lacks a part.
func whole(t *testing.T, s *Store, short progress.Attempt) {
	t.Helper()
	want := reportOfStep(int(short.Seed))
	a, err := s.Attempt(t.Context(), short.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Checks) != len(want.Checks) || a.Report == nil || a.Report.Log != want.Log ||
		string(a.Files["update.go"]) != string(want.Files["update.go"]) || len(a.Files) != 2 {
		t.Fatalf("attempt %d is not whole: %d checks, %d files", short.ID, len(a.Checks), len(a.Files))
	}
}
