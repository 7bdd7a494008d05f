package exam

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

// spoilt is a team with one thing wrong, and the error that is due.
type spoilt struct {
	what string
	team object
	due  wanted
}

func (s spoilt) did() string { return "POST /teams with a good team, only that " + s.what }

func wantEach(c *exam.C, cases []spoilt) {
	before := teams(c)
	for _, s := range cases {
		wantInvalid(c, c.Post("/teams", s.team), s.did(), s.due)
	}
	wantNoneStored(c, before, fmt.Sprintf("POST /teams with %d teams, each of which was answered with 422", len(cases)))
}

// runner returns a good team of which the runner at i has another value under
// key, and the pointer to it.
func spoiltRunner(c *exam.C, i int, key string, value any) (object, string) {
	team := newTeam(c)
	runnerOf(team, i)[key] = value
	return team, fmt.Sprintf("/runners/%d/%s", i, key)
}

// oneField breaks each rule about the values once, with the types as they are.
func oneField(c *exam.C) {
	team := func() object { return newTeam(c) }
	noCaptain := team()
	delete(noCaptain, "email")
	bare := team()
	delete(runnerOf(bare, 1), "shirt")
	cases := []spoilt{
		{"it has no email", noCaptain, at("/email", "required")},
		{"it has no runners", without(team(), "runners"), at("/runners", "required")},
		{"runner 1 has no shirt", bare, at("/runners/1/shirt", "required")},
		{"its name is Ox", with(team(), "name", "Ox"), at("/name", "length")},
		{"its name is \"\"", with(team(), "name", ""), at("/name", "length")},
		{"its name has 41 letters", with(team(), "name", strings.Repeat("x", 41)), at("/name", "length")},
		{"its email is captain", with(team(), "email", "captain"), at("/email", "format")},
		{"its email is a@b@c.example", with(team(), "email", "a@b@c.example"), at("/email", "format")},
		{"its email is @club.example", with(team(), "email", "@club.example"), at("/email", "format")},
		{"its email is captain@", with(team(), "email", "captain@"), at("/email", "format")},
		{"its email is my captain@club.example", with(team(), "email", "my captain@club.example"), at("/email", "format")},
		{"its email has 255 letters", with(team(), "email", strings.Repeat("x", 250)+"@c.de"), at("/email", "length")},
		{"its club is \"\"", with(team(), "club", ""), at("/club", "length")},
		{"its club has 61 letters", with(team(), "club", strings.Repeat("x", 61)), at("/club", "length")},
		{"its list of runners is empty", with(team(), "runners", []any{}), at("/runners", "length")},
		{"it has one runner", with(team(), "runners", team()["runners"].([]any)[:1]), at("/runners", "length")},
		{"it has seven runners", with(team(), "runners", seven(c)), at("/runners", "length")},
	}
	for _, r := range []struct {
		i          int
		what, key  string
		value      any
		dueForThis string
	}{
		{0, "runner 0 has the name \"\"", "name", "", "length"},
		{1, "runner 1 has a name of 41 letters", "name", strings.Repeat("x", 41), "length"},
		{1, "runner 1 was born in 1919", "born", 1919, "range"},
		{0, "runner 0 was born in 2013", "born", 2013, "range"},
		{1, "runner 1 was born in 0", "born", 0, "range"},
		{0, "runner 0 was born in -1990", "born", -1990, "range"},
		{1, "runner 1 has the shirt XXL", "shirt", "XXL", "choice"},
		{0, "runner 0 has the shirt m", "shirt", "m", "choice"},
		{0, "runner 0 has the shirt \"\"", "shirt", "", "choice"},
	} {
		team, pointer := spoiltRunner(c, r.i, r.key, r.value)
		cases = append(cases, spoilt{r.what, team, at(pointer, r.dueForThis)})
	}
	wantEach(c, cases)
	for _, edge := range []int{1920, 2012} {
		team, _ := spoiltRunner(c, 0, "born", edge)
		created(c, fmt.Sprintf("POST /teams with a good team, in which runner 0 was born in %d", edge), team)
	}
	oddAddresses(c)
	for _, n := range []int{3, 254} {
		address := "a@" + strings.Repeat("b", n-2)
		created(c, fmt.Sprintf("POST /teams with a good team whose email has %d characters", n), with(newTeam(c), "email", address))
	}
}

// oddAddresses sends such as keep to the rule and look as if they did not.
func oddAddresses(c *exam.C) {
	for _, odd := range []string{"a..b@club.example", "captain@club", "<captain>@club.example", "cap,tain@club.example"} {
		sent := with(newTeam(c), "email", odd)
		r := c.Post("/teams", sent)
		did := "POST /teams with a good team whose email is " + odd
		if errs, _ := readErrors(r); slices.Contains(errs, fieldError{"/email", "format"}) {
			c.Fail(exam.Finding{Did: did, Expected: "201 Created: one @, something before and behind it, no space", Saw: r.String() + ". A rule was applied that the table does not have",
				Why:  "Addresses are odder than patterns and parsers for them. The captain's mail gets there, and she cannot sign up.",
				Read: lesson + "how-long-is-a-name"})
		}
		accepted(c, r, did, sent)
	}
}

func seven(c *exam.C) []any {
	var list []any
	for len(list) < 7 {
		list = append(list, newTeam(c)["runners"].([]any)...)
	}
	return list[:7]
}

// wrongTypes sends values of the wrong JSON type, of which encoding/json makes an
// error of the whole document.
func wrongTypes(c *exam.C) {
	var cases []spoilt
	for _, t := range []struct {
		what, key string
		value     any
	}{
		{"its name is 7", "name", 7},
		{"its name is null", "name", nil},
		{"its email is a list", "email", []string{"captain@club.example"}},
		{"its club is null", "club", nil},
		{"its club is true", "club", true},
		{"its runners are null", "runners", nil},
		{"its runners are a text", "runners", "Ana, Dao"},
		{"its runners are an object", "runners", newTeam(c)["runners"].([]any)[0]},
	} {
		cases = append(cases, spoilt{t.what, with(newTeam(c), t.key, t.value), at("/"+t.key, "type")})
	}
	for _, t := range []struct {
		what, key string
		value     any
	}{
		{"runner 1 was born in \"1984\"", "born", "1984"},
		{"runner 1 was born in 1984.5", "born", 1984.5},
		{"runner 1 was born in null", "born", nil},
		{"the shirt of runner 1 is null", "shirt", nil},
		{"the name of runner 1 is an object", "name", object{"first": "Ana"}},
	} {
		team, pointer := spoiltRunner(c, 1, t.key, t.value)
		cases = append(cases, spoilt{t.what, team, at(pointer, "type")})
	}
	huge, pointer := spoiltRunner(c, 1, "born", json.Number("99999999999999999999"))
	cases = append(cases, spoilt{"runner 1 was born in 99999999999999999999", huge, at(pointer, "range")})
	for _, element := range []any{nil, "Ana", 7, []any{}} {
		team := newTeam(c)
		team["runners"].([]any)[1] = element
		cases = append(cases, spoilt{"runner 1 is " + jsonOf(element), team, at("/runners/1", "type")})
	}
	wantEach(c, cases)
	// A number that fits into no integer of Go's is out of range all the same.
	team, pointer := spoiltRunner(c, 0, "born", 1)
	body := strings.Replace(jsonOf(team), `"born":1,`, `"born":99999999999999999999,`, 1)
	wantInvalid(c, c.Post("/teams", body), "POST /teams with a good team, only that runner 0 was born in 99999999999999999999",
		at(pointer, "range", "type"))
}

func unknownKeys(c *exam.C) {
	team := newTeam(c)
	runnerOf(team, 1)["shoe"] = 43
	cases := []spoilt{
		{"it has a key clubb", with(newTeam(c), "clubb", c.Words(1)), at("/clubb", "unknown")},
		{"it has a key id", with(newTeam(c), "id", c.Int(1, 99)), at("/id", "unknown")},
		{"runner 1 has a key shoe", team, at("/runners/1/shoe", "unknown")},
		{"it has a key Club beside club", with(newTeam(c), "Club", c.Words(1)), at("/Club", "unknown")},
		{"it has a key start/finish", with(newTeam(c), "start/finish", "09:30"), at("/start~1finish", "unknown")},
		{"it has a key ~1", with(newTeam(c), "~1", true), at("/~01", "unknown")},
		{"it has a key coach, which is an object", with(newTeam(c), "coach", object{"name": c.Words(1)}), at("/coach", "unknown")},
	}
	wantEach(c, cases)
	shouting := newTeam(c)
	shouting["CLUB"] = shouting["club"]
	delete(shouting, "club")
	r := c.Post("/teams", shouting)
	did := "POST /teams with a good team, only that its club is under the key CLUB"
	if r.Status < 300 {
		c.Fail(exam.Finding{Did: did, Expected: "the error /CLUB unknown",
			Saw: r.String() + ": encoding/json takes CLUB for club. It compares keys without regard to capitals"})
	}
	wantInvalid(c, r, did, at("/CLUB", "unknown"))
}

// atOnce sends teams that are wrong in many places, and in different ways.
func atOnce(c *exam.C) {
	team := newTeam(c)
	runners := seven(c)[:4]
	runners[0].(object)["born"] = "1984"
	runners[1] = c.Words(1)
	delete(runners[2].(object), "shirt")
	runners[2].(object)["shoe"] = 43
	runners[3].(object)["name"] = ""
	runners[3].(object)["born"] = 1850
	team = with(team, "runners", runners)
	team["name"], team["email"], team["club"], team["coach"] = "Ox", "captain", nil, c.Words(1)
	wantInvalid(c, c.Post("/teams", team), "POST /teams with a team that is wrong in ten places",
		at("/name", "length"), at("/email", "format"), at("/club", "type"), at("/coach", "unknown"),
		at("/runners/0/born", "type"), at("/runners/1", "type"), at("/runners/2/shirt", "required"),
		at("/runners/2/shoe", "unknown"), at("/runners/3/name", "length"), at("/runners/3/born", "range"))

	wantInvalid(c, c.Post("/teams", "{}"), "POST /teams with {}",
		at("/name", "required"), at("/email", "required"), at("/runners", "required"))
	wantInvalid(c, c.Post("/teams", `{"name":"Ox","runners":[{}]}`), `POST /teams with {"name":"Ox","runners":[{}]}`,
		at("/name", "length"), at("/email", "required"), at("/runners", "length"),
		at("/runners/0/name", "required"), at("/runners/0/born", "required"), at("/runners/0/shirt", "required"))
}

// many sends teams with exactly 100 errors and with more.
func many(c *exam.C) {
	due := func(n int) []wanted {
		list := []wanted{at("/runners", "length")}
		for i := range n {
			for _, key := range []string{"name", "born", "shirt"} {
				list = append(list, at(fmt.Sprintf("/runners/%d/%s", i, key), "required"))
			}
		}
		return list
	}
	send := func(n int) *exam.Response {
		list := make([]any, n)
		for i := range list {
			list[i] = object{}
		}
		return c.Post("/teams", with(newTeam(c), "runners", list))
	}
	const full, over = 33, 20_000
	did := func(n int) string { return fmt.Sprintf("POST /teams with %d runners, each of them {}", n) }
	wantInvalid(c, send(full), did(full), due(full)...)

	r := send(over)
	p := wantProblem(c, r, did(over), kindInvalid)
	possible := map[fieldError]bool{}
	for _, w := range due(over) {
		possible[fieldError{w.pointer, w.codes[0]}] = true
	}
	f := exam.Finding{Did: did(over), Expected: "100 errors", Saw: fmt.Sprintf("%d errors, in an answer of %d bytes", len(p.Errors), len(r.Body))}
	c.Require(len(p.Errors) == 100, f)
	for _, e := range p.Errors {
		f.Expected, f.Saw = "100 of those that there are", fmt.Sprintf("%s %s, which is none of them or is there twice", e.Pointer, e.Code)
		c.Require(possible[e], f)
		delete(possible, e)
	}
}

// characters sends texts of which bytes, characters and what is left after
// trimming differ.
func characters(c *exam.C) {
	filled := func(letter string, n int) string {
		unique := c.Unique("")
		return strings.Repeat(letter, n-len(unique)) + unique
	}
	for _, letter := range []string{"ü", "走", "🏃"} {
		created(c, "POST /teams with a good team, whose name is 40 characters, most of them "+letter, with(newTeam(c), "name", filled(letter, 40)))
		wantInvalid(c, c.Post("/teams", with(newTeam(c), "name", filled(letter, 41))),
			"POST /teams with a good team, only that its name is 41 characters, most of them "+letter, at("/name", "length"))
		wantInvalid(c, c.Post("/teams", with(newTeam(c), "name", letter+letter)),
			"POST /teams with a good team, only that its name is "+letter+letter+", two characters", at("/name", "length"))
	}
	spaced := "  " + c.Unique("Ox") + " "
	path := created(c, fmt.Sprintf("POST /teams with a good team, whose name is %q", spaced), with(newTeam(c), "name", spaced))
	r := c.Get(path)
	same(c, r.Did(), r.Object(), object{"name": spaced})
	c.Require(stored(c, spaced) == 1, exam.Finding{Did: fmt.Sprintf("POST /teams with the name %q, answered with 201", spaced),
		Expected: "that name in the table, with its spaces", Saw: "it is not there"})

	team, pointer := spoiltRunner(c, 0, "name", "Ana\x1bDao")
	wantEach(c, []spoilt{
		{`its name has a \u0000 in it`, with(newTeam(c), "name", c.Words(1)+"\x00"+c.Words(1)), at("/name", "format")},
		{"its name has a line break in it", with(newTeam(c), "name", c.Words(1)+"\n"+c.Words(1)), at("/name", "format")},
		{`its club has a \u0085 (next line, a control character) in it`, with(newTeam(c), "club", c.Words(1)+"\u0085"+c.Words(1)), at("/club", "format")},
		{`its name has a \u009f in it`, with(newTeam(c), "name", c.Words(1)+"\u009f"), at("/name", "format")},
		{`its club has a \u007f in it`, with(newTeam(c), "club", c.Words(1)+"\x7f"), at("/club", "format")},
		{`its email has a \u0000 in it`, with(newTeam(c), "email", "cap\x00tain@club.example"), at("/email", "format")},
		{`runner 0 has a \u001b in the name`, team, at(pointer, "format")},
	})
}
