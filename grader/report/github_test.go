package report

import (
	"bytes"
	"strings"
	"testing"
)

func annotations(t *testing.T, all []Annotation) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteAnnotations(&b, all); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAnnotations(t *testing.T) {
	passed := lost()
	passed.Verdict, passed.Checks = Passed, passed.Checks[:1]
	traced := lost()
	traced.Checks = traced.Checks[1:2]
	traced.Checks[0].Title = "100%: one, two"
	traced.Checks[0].Feedback = &Feedback{Did: "GET /a\r\n::error::x", Saw: "50% of it",
		Detail: "panic\n\ngoroutine [running]:\n    net/http.(*x)\n        net/http/server.go:9\n    main.main\n        lostupdate/program/main.go:11\n    lostupdate.New\n        lostupdate/store/store.go:15"}
	tests := []struct {
		name   string
		report Report
		want   string
	}{
		{"failed", lost(), "::error file=lostupdate.go,line=1,title=lostupdate%3A two withdrawals at the same moment both count%2C whichever instance of the program they reach::" +
			"Did       two clients withdrew 30 at once, from 100%0AExpected  balance 40: both withdrawals counted%0ASaw       both got 200; the balance is 70%0A" +
			"Why       Read, compute, write: both requests read 100 before either of them wrote. The bank pays 60 and books 30.%0ARead on   sql/lost-update#two-readers-one-writer\n" +
			"::error file=lostupdate.go,line=1,title=lostupdate%3A twenty at once::Did       did%0AExpected  want%0ASaw       got%0AWhy       not shown%0ARead on   not/shown\n"},
		{"at the learner's frame", traced, "::error file=store/store.go,line=15,title=lostupdate%3A 100%25%3A one%2C two::" +
			"Did       GET /a\uFFFD%0A          ::error::x%0ASaw       50%25 of it\n"},
		{"broken", broken(), "::error file=restcrud.go,line=12,col=3,title=restcrud%3A broken::undefined: fmt%0AImport \"fmt\" at the top of the file.\n"},
		{"limit", limit(), "::error file=lostupdate.go,line=1,title=restcrud%3A limit::The program used more than 1 GiB of memory.\n"},
		{"passed", passed, "::notice title=lostupdate%3A passed::1 of 1 checks\n"},
		{"ungraded", Report{Exercise: "lostupdate", Verdict: Ungraded, Reason: "Docker is not running", Next: "start Docker"},
			"::error title=lostupdate%3A not graded::Docker is not running.%0AStart Docker.\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := annotations(t, tt.report.Annotations("lostupdate.go")); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// FuzzAnnotations holds that no text begins a line of its own, which GitHub could
// take for a command, or adds a property.
func FuzzAnnotations(f *testing.F) {
	f.Add("%0A::set-output name=x::y", "a,b:c\n::add-mask::x", "dir/\r\n::x.go")
	f.Add("x", "y", "0")
	f.Add("\u2028::error::\v::error::", "::", "##[error]")
	f.Fuzz(func(t *testing.T, message, title, file string) {
		got := annotations(t, []Annotation{{Error: true, File: file, Line: 3, Title: title, Message: message}})
		if n := strings.Count(got, "\n"); n != 1 || strings.ContainsAny(got, "\r\v\f\u0085") {
			t.Fatalf("more than one line in %q", got)
		}
		command, _, ok := strings.Cut(strings.TrimPrefix(got, "::error "), "::")
		if !ok {
			t.Fatalf("no command in %q", got)
		}
		names := ""
		for property := range strings.SplitSeq(command, ",") {
			name, value, _ := strings.Cut(property, "=")
			names += name + " "
			if strings.Contains(value, ":") {
				t.Errorf("a colon in the property %q", property)
			}
		}
		want := "file line title "
		if file == "" {
			want = "line title "
		}
		if title == "" {
			want = strings.TrimSuffix(want, "title ")
		}
		if names != want {
			t.Errorf("properties %q in %q, want %q", names, got, want)
		}
	})
}

func TestWriteMarkdown(t *testing.T) {
	hostile := lost()
	hostile.Checks = hostile.Checks[:2]
	hostile.Checks[1].Title = "a | b <img src=x> `c` [d](http://e)"
	hostile.Checks[1].Feedback.Saw = "```\n</details><script>x</script>\n````"
	tests := []struct {
		name   string
		report Report
	}{{"failed", lost()}, {"broken", broken()}, {"hostile", hostile},
		{"ungraded", Report{Exercise: "lostupdate", Title: "The lost update", Verdict: Ungraded, Reason: "Docker is not running", Next: "start Docker"}}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := WriteMarkdown(&b, tt.report, TextOptions{}); err != nil {
				t.Fatal(err)
			}
			golden(t, "summary-"+tt.name, b.String())
		})
	}
}

// FuzzMarkdown holds that what a program printed stays inside its block of code.
func FuzzMarkdown(f *testing.F) {
	f.Add("```\n# out", "title | x")
	f.Add("~~~~\n`````\n</details>", "<b>\n# x")
	f.Fuzz(func(t *testing.T, text, title string) {
		r := lost()
		r.Checks = r.Checks[1:2]
		r.Checks[0].Title, r.Checks[0].Feedback = title, &Feedback{Saw: text, Detail: text}
		var b bytes.Buffer
		if err := WriteMarkdown(&b, r, TextOptions{}); err != nil {
			t.Fatal(err)
		}
		marks, blocks := "", 0
		for line := range strings.SplitSeq(b.String(), "\n") {
			trimmed := strings.TrimLeft(line, " ")
			run := trimmed[:len(trimmed)-len(strings.TrimLeft(trimmed, "`"))]
			switch {
			case marks == "" && len(run) >= 3:
				marks = run
				blocks++
			case marks != "" && len(run) >= len(marks) && strings.TrimSpace(trimmed) == run:
				marks = ""
			case marks == "" && strings.ContainsAny(line, "<>"):
				t.Errorf("markup outside a block: %q", line)
			}
		}
		if marks != "" || blocks != 1 {
			t.Errorf("%d blocks, the last open is %q:\n%s", blocks, marks, b.String())
		}
	})
}
