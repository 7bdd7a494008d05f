package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func lost() Report {
	return Report{
		Version: 1, Exercise: "lostupdate", Title: "The lost update", Seed: 4711, Verdict: Failed,
		Phases: []Phase{{PhaseBuild, 900 * time.Millisecond}, {PhaseExamine, 420 * time.Millisecond}},
		Checks: []Check{
			{ID: "starts", Title: "starts and listens on $PORT", Status: CheckPassed, Duration: 80 * time.Millisecond},
			{ID: "two", Title: "two withdrawals at the same moment both count, whichever instance of the program they reach", Status: CheckFailed,
				Duration: 1300 * time.Millisecond,
				Feedback: &Feedback{
					Did: "two clients withdrew 30 at once, from 100", Expected: "balance 40: both withdrawals counted",
					Saw:    "both got 200; the balance is 70",
					Why:    "Read, compute, write: both requests read 100 before either of them wrote. The bank pays 60 and books 30.",
					Read:   "sql/lost-update#two-readers-one-writer",
					Detail: "goroutine 1 [running]:\n\tmain.main()\n\t\tmain.go:12",
				},
				Timeline: []Entry{
					{At: 0, Kind: KindHTTP, Actor: "client A", Text: `POST /accounts/7/withdraw {"amount":30}`, Result: `200 {"balance":70}`},
					{At: 2 * time.Millisecond, Kind: KindSQL, Actor: "instance 1 · session 3", Text: "select balance from accounts where id = $1 [7]", Result: "1 row: 100"},
					{At: 12 * time.Millisecond, Kind: KindSQL, Actor: "instance 2 · session 1", Text: "update accounts set balance = $1 where id = $2 [70 7]", Result: "UPDATE 1", Failed: true},
				}},
			{ID: "burst", Title: "twenty at once", Status: CheckFailed, Feedback: &Feedback{Did: "did", Expected: "want", Saw: "got", Why: "not shown", Read: "not/shown"},
				Timeline: []Entry{{At: time.Millisecond, Kind: KindLog, Actor: "instance 1", Text: "out of connections"}}},
			{ID: "crash", Title: "a crash half-way", Status: CheckBlocked, BlockedBy: "two"},
			{ID: "after", Title: "what comes after the crash", Status: CheckBlocked, BlockedBy: "crash"},
			{ID: "rest", Title: "the rest", Status: CheckBlocked, BlockedBy: "burst"},
		},
	}
}

func broken() Report {
	return Report{
		Version: 1, Exercise: "restcrud", Title: "REST CRUD", Verdict: Broken, Reason: "the program does not compile", Next: "correct line 12 and grade again",
		Diagnostics: []Diagnostic{{File: "restcrud.go", Line: 12, Col: 3, Message: "undefined: fmt", Source: "        fmt.Println(x)", MarkAt: 8, MarkLen: 3, Help: "Import \"fmt\" at the top of the file."}},
	}
}

func limit() Report {
	return Report{
		Version: 1, Exercise: "restcrud", Title: "REST CRUD", Verdict: Limit, Reason: "The program used more than 1 GiB of memory.",
		Log: "allocating\x1b[2J\nallocating\x07",
	}
}

func TestWriteText(t *testing.T) {
	passed := lost()
	passed.Verdict, passed.Checks = Passed, passed.Checks[:1]
	kept := lost()
	kept.Checks, kept.World = kept.Checks[2:3], &World{Service: "postgres", URL: "postgres://role:secret@127.0.0.1:5432/base"}
	kept.Redis = &World{Service: "redis", URL: "redis://default:secret@127.0.0.1:6379/0"}
	long := broken()
	long.Diagnostics[0].Source, long.Diagnostics[0].MarkAt, long.Diagnostics[0].MarkLen = "    return strings.Repeat(\"日本\", 3) + strings.Repeat(\"…\", 4) + coutn + more", 64, 5
	tests := []struct {
		name   string
		report Report
		o      TextOptions
	}{
		{"failed", lost(), TextOptions{}},
		{"failed-narrow", lost(), TextOptions{Width: 40}},
		{"failed-none", lost(), TextOptions{Width: 120, NoTimes: true, Evidence: None}},
		{"failed-full", lost(), TextOptions{Evidence: Full}},
		{"failed-ascii", lost(), TextOptions{ASCII: true}},
		{"failed-color", lost(), TextOptions{Color: true}},
		{"kept", kept, TextOptions{}},
		{"passed", passed, TextOptions{}},
		{"broken", broken(), TextOptions{}},
		{"broken-color", broken(), TextOptions{Color: true}},
		{"broken-narrow", long, TextOptions{Width: 40, ASCII: true}},
		{"limit", limit(), TextOptions{}},
		{"ungraded", Report{Exercise: "lostupdate", Title: "The lost update", Verdict: Ungraded, Reason: "Docker is not running", Next: "start Docker"}, TextOptions{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := WriteText(&b, tt.report, tt.o); err != nil {
				t.Fatal(err)
			}
			golden(t, tt.name, b.String())
			width := tt.o.Width
			if width == 0 {
				width = 80
			}
			for _, line := range strings.Split(b.String(), "\n") {
				if n := ansi.StringWidth(line); n > width {
					t.Errorf("%d columns wide, more than %d: %q", n, width, line)
				}
				if strings.HasSuffix(line, " ") {
					t.Errorf("blanks at the end of %q", line)
				}
			}
			if i := strings.IndexFunc(b.String(), func(r rune) bool { return r > unicode.MaxASCII }); tt.o.ASCII && i >= 0 {
				t.Errorf("not ASCII at %q", b.String()[i:])
			}
			if !tt.o.Color && strings.Contains(b.String(), "\x1b") {
				t.Errorf("an escape without colours in %q", b.String())
			}
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update rewrites it); got:\n%s", path, got)
	}
}

func TestFeedbackText(t *testing.T) {
	f := lost().Checks[1].Feedback
	got := f.Text(60)
	want := `Did       two clients withdrew 30 at once, from 100
Expected  balance 40: both withdrawals counted
Saw       both got 200; the balance is 70
Why       Read, compute, write: both requests read 100
          before either of them wrote. The bank pays 60 and
          books 30.
Read on   sql/lost-update#two-readers-one-writer

goroutine 1 [running]:
    main.main()
        main.go:12
`
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestTimelineKeepsBothEnds(t *testing.T) {
	c := Check{Title: "burst", Status: CheckFailed}
	for i := range 500 {
		c.Timeline = append(c.Timeline, Entry{Actor: "client", Text: "request number " + string(rune('A'+i%26)), At: time.Duration(i) * time.Millisecond})
	}
	var b strings.Builder
	if err := WriteFeedback(&b, c, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "request number"); n != mostEntries {
		t.Errorf("%d entries are shown, want %d", n, mostEntries)
	}
	for _, want := range []string{" 0ms ", " 499ms ", "452 more; cairn grade --evidence=full shows all"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, b.String())
		}
	}
}

func TestFullEvidenceIsWhole(t *testing.T) {
	c := Check{Title: "burst", Status: CheckFailed}
	for i := range 500 {
		c.Timeline = append(c.Timeline, Entry{Actor: "client", Text: "request number", At: time.Duration(i) * time.Millisecond})
	}
	var b strings.Builder
	if err := WriteFeedback(&b, c, TextOptions{Evidence: Full}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "request number"); n != len(c.Timeline) {
		t.Errorf("%d entries are shown, want all %d", n, len(c.Timeline))
	}
}

// FuzzText holds that no text, however wild, leaves its column or reaches the
// terminal as a control sequence.
func FuzzText(f *testing.F) {
	f.Add("plain words", 40)
	f.Add("\x1b]0;title\x07 \xff\xfe 日本語日本語日本語日本語日本語日本語日本語日本語", 41)
	f.Add(strings.Repeat("x", 300)+" \u202e end\r\n\tb", 80)
	f.Fuzz(func(t *testing.T, text string, width int) {
		width = 40 + abs(width)%100
		got := (&Feedback{Did: text, Saw: text, Detail: text}).Text(width)
		for _, line := range strings.Split(got, "\n") {
			if n := ansi.StringWidth(line); n > width {
				t.Errorf("%d columns, want at most %d: %q", n, width, line)
			}
			if strings.ContainsFunc(line, unicode.IsControl) {
				t.Errorf("control characters in %q", line)
			}
		}
	})
}

func abs(n int) int {
	if n < 0 {
		return -(n + 1)
	}
	return n
}
