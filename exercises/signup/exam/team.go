package exam

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cairn-learn/cairn/grader/exam"
)

// object is a JSON object, to be spoilt by a check before it is sent.
type object = map[string]any

// newTeam draws a good team with a name that nobody has.
func newTeam(c *exam.C) object {
	runners := make([]any, c.Int(2, 6))
	for i := range runners {
		runners[i] = object{
			"name":  c.Pick("Ana", "Björn", "Chidi", "Dao", "Élise", "Farid", "Grace", "Hồng") + " " + c.Words(1),
			"born":  c.Int(1930, 2010),
			"shirt": c.Pick("S", "M", "L", "XL"),
		}
	}
	return object{
		"name":    c.Unique("The " + c.Words(1)),
		"email":   c.Unique("Captain") + "@Club.example",
		"club":    c.Words(2),
		"runners": runners,
	}
}

func runnerOf(team object, i int) object { return team["runners"].([]any)[i].(object) }

// with returns the team with another value under key.
func with(team object, key string, value any) object {
	other := maps.Clone(team)
	other[key] = value
	return other
}

func without(team object, key string) object {
	other := maps.Clone(team)
	delete(other, key)
	return other
}

func jsonOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// created posts a good team, wants it accepted and returns its path.
func created(c *exam.C, did string, team object) (path string) {
	return acceptedBody(c, did, jsonOf(team), team)
}

// acceptedBody is created for a team that is written in a way of its own.
func acceptedBody(c *exam.C, did, body string, team object, opts ...exam.RequestOption) (path string) {
	r := c.Post("/teams", body, opts...)
	if did == "" {
		did = r.Did()
	}
	return accepted(c, r, did, team)
}

// accepted fails unless the answer is that to a good team: 201, Location and the
// team with its id.
func accepted(c *exam.C, r *exam.Response, did string, team object) (path string) {
	if r.Status != http.StatusCreated {
		f := exam.Finding{Did: did, Expected: "201 Created: this team keeps to every rule", Saw: r.String()}
		if p, ok := readErrors(r); ok && len(p) > 0 {
			f.Saw = fmt.Sprintf("%d with the errors %s", r.Status, listed(p))
			if slices.Contains(p, fieldError{"/name", "length"}) {
				name, _ := team["name"].(string)
				f.Saw += fmt.Sprintf(": the name has %d characters, in %d bytes", utf8.RuneCountInString(name), len(name))
			}
		}
		c.Fail(f)
	}
	r.WantType("application/json")
	got := r.Object()
	id, ok := got["id"].(json.Number)
	c.Require(ok, exam.Finding{Did: did, Expected: "the team with its id, a number", Saw: r.String()})
	path = "/teams/" + id.String()
	c.Require(locationPath(r) == path, exam.Finding{Did: did, Expected: "Location: " + path, Saw: "Location: " + r.Header.Get("Location")})
	same(c, did, got, team)
	noClub(c, did, got, team)
	return path
}

func locationPath(r *exam.Response) string {
	location := r.Header.Get("Location")
	if _, after, found := strings.Cut(location, "://"); found {
		_, rest, _ := strings.Cut(after, "/")
		return "/" + rest
	}
	return location
}

// same fails unless got is the team, with an id and perhaps more beside it.
func same(c *exam.C, did string, got, team object) {
	var sent object
	d := json.NewDecoder(strings.NewReader(jsonOf(team)))
	d.UseNumber()
	if err := d.Decode(&sent); err != nil {
		panic(err)
	}
	for _, key := range slices.Sorted(maps.Keys(sent)) {
		value, there := got[key]
		if there && reflect.DeepEqual(value, sent[key]) {
			continue
		}
		f := exam.Finding{Did: did, Expected: key + " is " + jsonOf(sent[key]), Saw: "there is no " + key}
		if there {
			f.Saw = key + " is " + jsonOf(value)
		}
		a, ok := sent[key].(string)
		b, too := value.(string)
		if ok && too && a != b && strings.TrimSpace(a) == strings.TrimSpace(b) {
			f.Saw += ": the spaces around it are gone"
			f.Why = "Whoever sent it has another text than you have, and finds out when the two are compared. What you do not want, refuse; what you accept, keep."
			f.Read = lesson + "how-long-is-a-name"
		}
		if ok && too && a != b && strings.EqualFold(a, b) {
			f.Saw += ": its capitals are not what they were"
			f.Why = "What stands before the @ is the receiving host's business, and there may be a difference. Compare without capitals if you must; keep what was sent."
			f.Read = lesson + "how-long-is-a-name"
		}
		c.Fail(f)
	}
}

// noClub fails when an answer has a club, and none was sent.
func noClub(c *exam.C, did string, got, team object) {
	_, sent := team["club"]
	value, there := got["club"]
	c.Require(sent || !there, exam.Finding{Did: did, Expected: "no member club: none was sent", Saw: "club is " + jsonOf(value),
		Why:  "A client that sends the team back as it came is refused, for null is no club.",
		Read: lesson + "missing-null-and-zero"})
}

// stored is how many teams of that name are in the table.
func stored(c *exam.C, name any) int64 {
	return c.DB().Int(`select count(*) from relay_entry where entered_name = $1`, name)
}

// teams is how many teams are in the table.
func teams(c *exam.C) int64 { return c.DB().Int(`select count(*) from relay_entry`) }

// wantNoneStored fails when teams have come into the table that were refused.
func wantNoneStored(c *exam.C, before int64, did string) {
	after := teams(c)
	c.Require(after == before, exam.Finding{Did: did, Expected: "no new row in relay_entry",
		Saw:  fmt.Sprintf("%d new rows: teams that were refused have been stored", after-before),
		Why:  "A captain who is told no mends the form and sends it again. Then the team is there twice, or its name is taken, by itself.",
		Read: lesson + "all-of-it-at-once"})
}

func accept(c *exam.C) {
	for _, team := range []object{newTeam(c), without(newTeam(c), "club")} {
		path := created(c, "", team)
		r := c.Get(path)
		r.Want(http.StatusOK).WantType("application/json")
		same(c, r.Did(), r.Object(), team)
		noClub(c, r.Did(), r.Object(), team)
		c.Require(stored(c, team["name"]) == 1, exam.Finding{
			Did:      "POST /teams, answered with 201",
			Expected: fmt.Sprintf("a row in relay_entry with entered_name %q", team["name"]),
			Saw:      "there is none",
		})
	}
}
