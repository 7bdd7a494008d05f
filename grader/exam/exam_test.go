package exam

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cairn-learn/cairn/grader/report"
)

func TestDeclare(t *testing.T) {
	nothing := func(*C) {}
	tests := []struct {
		name string
		exam func(*X)
		want string // part of the error, "" for none
	}{
		{"one check", func(x *X) { x.Check("works", "works", nothing) }, ""},
		{"after the built-in one", func(x *X) { x.Check("works", "works", nothing, After(StartsID)) }, ""},
		{"no check", func(x *X) {}, "declares no check"},
		{"repeated", func(x *X) { x.Check("a", "a", nothing); x.Check("a", "a", nothing) }, "declared twice"},
		{"built-in id", func(x *X) { x.Check(StartsID, "a", nothing) }, "declared twice"},
		{"bad id", func(x *X) { x.Check("Not So", "a", nothing) }, "lowercase words"},
		{"no title", func(x *X) { x.Check("a", "", nothing) }, "no title"},
		{"after a later one", func(x *X) { x.Check("a", "a", nothing, After("b")); x.Check("b", "b", nothing) }, "not declared before"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Declare(tt.exam)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("error: %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestRandomDataFollowsSeedAndCheck(t *testing.T) {
	draw := func(seed uint64, id string) uint64 { return newRand(seed, id).Uint64() }
	first, again := draw(1, "a"), draw(1, "a")
	if first != again {
		t.Error("the same seed and check draw different data")
	}
	if draw(1, "a") == draw(2, "a") || draw(1, "a") == draw(1, "b") {
		t.Error("another seed or check draws the same data")
	}
}

func TestGroupsOverlapOnlyWhenDeclared(t *testing.T) {
	nothing := func(*C) {}
	x, err := Declare(func(x *X) {
		x.Check("a", "a", nothing, Parallel())
		x.Check("b", "b", nothing, Parallel())
		x.Check("c", "c", nothing, Parallel(), After("b"))
		x.Check("d", "d", nothing)
		x.Check("e", "e", nothing, Parallel())
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, group := range (&Session{x: x}).groups() {
		var ids []string
		for _, sp := range group {
			ids = append(ids, sp.id)
		}
		got = append(got, strings.Join(ids, "+"))
	}
	if want := "a+b c d e"; strings.Join(got, " ") != want {
		t.Errorf("groups %v, want %s", got, want)
	}
}

func TestAnswersStandBelowWhatLedToThem(t *testing.T) {
	entries := splitAnswers([]report.Entry{
		{At: 0, Duration: 50, Kind: report.KindHTTP, Actor: "client A", Text: "POST /x", Result: "200"},
		{At: 10, Duration: 5, Kind: report.KindSQL, Actor: "session 1", Text: "select 1", Result: "1 row"},
		{At: 60, Duration: 5, Kind: report.KindHTTP, Actor: "client B", Text: "GET /x", Result: "500", Failed: true},
		{At: 70, Kind: report.KindLog, Actor: "program", Text: "late"},
	})
	slices.SortStableFunc(entries, func(a, b report.Entry) int { return int(a.At - b.At) })
	var got []string
	for _, e := range entries {
		got = append(got, strings.TrimSuffix(fmt.Sprintf("%d %s %s → %s", e.At, e.Actor, e.Text, e.Result), " → "))
	}
	want := []string{
		"0 client A POST /x", "10 session 1 select 1 → 1 row", "50 client A got 200",
		"60 client B GET /x → 500", "70 program late",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestRequestsShowTheHeadersThatAnExamSets(t *testing.T) {
	r := newRequest(time.Second, "POST", "/messages", map[string]int{"n": 1},
		[]RequestOption{Header("X-Customer", "acme\x1b[2J"), Header("If-Match", `"7"`), Header("Accept", "")})
	if got, want := r.String(), `POST /messages {"n":1} · If-Match: "7" · X-Customer: acme`; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if r := newRequest(time.Second, "PUT", "/x", "a", []RequestOption{Header("Content-Type", "text/plain")}); r.String() != "PUT /x a · Content-Type: text/plain" {
		t.Errorf("got %q", r.String())
	}
}
