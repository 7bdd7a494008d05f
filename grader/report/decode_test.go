package report

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode"
)

func TestDecode(t *testing.T) {
	want := lost()
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	want.Checks[1].Feedback.Detail = strings.ReplaceAll(want.Checks[1].Feedback.Detail, "\t", "    ")
	if !reflect.DeepEqual(*got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", *got, want)
	}
	for data, want := range map[string]string{
		``:                              "read a report: ",
		`[]`:                            "read a report: ",
		`{"version":99}`:                "it is of version 99, and this cairn reads up to 1",
		`{"version":1,"verdict":"won"}`: `there is no verdict "won"`,
		`{"version":1,"verdict":"passed","checks":[{"status":"fine"}]}`: `there is no status "fine"`,
	} {
		if _, err := Decode([]byte(data)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", data, err, want)
		}
	}
}

// FuzzDecode holds that whatever is decoded can be shown in every form, with no
// control sequence in any text, and stays as it is when it is written and read again.
func FuzzDecode(f *testing.F) {
	for _, r := range []Report{lost(), broken(), limit()} {
		data, err := json.Marshal(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"verdict":"failed","title":"\u001b]0;x\u0007","checks":[{"id":"a","status":"blocked","blocked_by":"b"},{"id":"b","status":"blocked","blocked_by":"a"}]}`))
	f.Add([]byte(`{"verdict":"broken","diagnostics":[{"line":-1,"col":-9,"source":"日本","mark_at":1,"mark_len":99999999}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Decode(data)
		if err != nil {
			return
		}
		var b bytes.Buffer
		for _, o := range []TextOptions{{}, {Width: 40, ASCII: true, Evidence: Full}} {
			if err := WriteText(&b, *r, o); err != nil {
				t.Fatal(err)
			}
		}
		if i := strings.IndexFunc(b.String(), func(r rune) bool { return unicode.IsControl(r) && r != '\n' }); i >= 0 {
			t.Errorf("a control character in %q", b.String()[i:])
		}
		valid(t, []byte(junit(t, withNames(*r), TextOptions{})))
		if err := WriteMarkdown(io.Discard, *r, TextOptions{}); err != nil {
			t.Fatal(err)
		}
		annotations(t, r.Annotations("x.go"))
		again, err := json.Marshal(r)
		if err != nil {
			return // a time beyond the year 9999
		}
		if second, err := Decode(again); err != nil || !reflect.DeepEqual(normal(second), normal(r)) {
			t.Errorf("read again: %v\n%+v\n%+v", err, second, r)
		}
	})
}

// withNames is a report that has the names a grade always has.
func withNames(r Report) Report {
	r.Exercise = "x" + r.Exercise
	r.Checks = append([]Check(nil), r.Checks...)
	for i := range r.Checks {
		r.Checks[i].Title = "x" + r.Checks[i].Title
	}
	return r
}

// normal forgets what JSON does not tell apart, and a cut of long lines that is
// noted once more when it is made again.
func normal(r *Report) string {
	data, _ := json.Marshal(r)
	if bytes.Contains(data, []byte("bytes more)")) {
		return ""
	}
	return string(data)
}
