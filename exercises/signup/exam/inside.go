package exam

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/wire"
)

// giveaway is a text that nobody writes for a stranger, and where it comes from.
type giveaway struct {
	pattern *regexp.Regexp
	whose   string
}

func from(whose string, patterns ...string) giveaway {
	return giveaway{regexp.MustCompile(strings.Join(patterns, "|")), whose}
}

// giveaways are as exact as they can be, so that a sentence of the learner's own
// is never taken for one.
var giveaways = []giveaway{
	from("a name from the table", `relay_entry\w*`, `\bentry_id\b`, `\bentered_name\b`, `\bcontact_mail\b`, `\bhome_club\b`, `\blineup\b`),
	from("SQL", `(?i)\binsert\s+into\b`, `(?i)\bselect\b[^"]*\bfrom\b[^"]*\bwhere\b`, `(?i)\bvalues\s*\(`, `\$\d\b`),
	from("a text of PostgreSQL", `SQLSTATE\W*\w*`, `ERROR: [a-z]`, `duplicate key value`, `violates \S+ constraint`, `\b(23505|22021|22001|22003|22P02|57P01)\b`,
		`value too long for type`, `invalid byte sequence`, `out of range for type`, `invalid input syntax`),
	from("a text of the driver", `\bpgx\w*`, `\bpgconn\b`, `\bpq: `, `\bsql: \w+`, `no rows in result set`, `[Ff]ailed to connect to`, `conn closed`, `closed pool`,
		`failed to deallocate`, `cannot scan`, `unable to encode`, `bad connection`),
	from("a text of Go's network code", `dial (tcp|unix|error)`, `connect: connection refused`, `connection reset by peer`, `broken pipe`, `\b(read|write) tcp\b`,
		`(^|[^/\w])127\.0\.0\.1\b`, `context deadline exceeded`, `context canceled`, `i/o timeout`),
	from("a text of encoding/json", `\bjson: (cannot|unknown|invalid|unsupported|Unmarshal)`, `cannot unmarshal`, `Go struct field`, `Go value`,
		`invalid character '`, `looking for beginning of`, `unexpected end of JSON input`, `unexpected EOF`, `"[^"]*\bEOF"`, `exceeded max depth`, `after top-level value`),
	from("a text of Go's library", `http: request body too large`, `\bmime: `, `strconv\.\w+`, `404 page not found`, `invalid syntax`, `value out of range"`),
	from("a trace of a panic", `goroutine \d+`, `runtime error`, `\w+\.go:\d+`, `nil pointer dereference`, `panic:`),
}

// wantOwnWords fails when something in the answer, its header included, was not
// written for the client.
func wantOwnWords(c *exam.C, r *exam.Response, did string, more ...giveaway) {
	text := string(r.Body)
	var names []string
	for name := range r.Header {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		text += "\n" + name + ": " + strings.Join(r.Header[name], ", ")
	}
	for _, g := range slices.Concat(giveaways, more) {
		found := g.pattern.FindString(text)
		if found == "" {
			continue
		}
		c.Fail(exam.Finding{Did: did, Expected: "nothing of the inside in the answer",
			Saw:    fmt.Sprintf("%q, which is %s", strings.Trim(found, `"`), g.whose),
			Detail: "The answer was: " + r.String()})
	}
}

// ownWords asks for every refusal that needs no database.
func ownWords(c *exam.C) {
	whole := jsonOf(newTeam(c))
	for _, bad := range []struct{ what, body string }{
		{"no body at all", ""},
		{"a team that breaks off before its last }", whole[:len(whole)-1]},
		{"a form, declared as JSON", "name=" + c.Words(1)},
		{"a list with a team in it", "[" + whole + "]"},
		{"500,000 times [", strings.Repeat("[", 500_000)},
		{"a good team and one more } behind it", whole + "}"},
		{"a good team that has a second name", strings.TrimSuffix(whole, "}") + `,"name":"` + c.Unique("Other") + `"}`},
		{"a good team, only that its name is 7", jsonOf(with(newTeam(c), "name", 7))},
		{"a good team, only that runner 1 is a text", jsonOf(with(newTeam(c), "runners", []any{runnerOf(newTeam(c), 0), "Ana"}))},
		{"a good team, only that runner 0 was born in 1984.5", strings.Replace(whole, `"born":19`, `"born":0.19`, 1)},
		{"a good team, only that runner 0 was born in 99999999999999999999", strings.Replace(whole, `"born":`, `"born":9999999999999999`, 1)},
		{"a good team, only that it has a key coach", jsonOf(with(newTeam(c), "coach", c.Words(1)))},
		{`a good team, only that its name has a \u0000 in it`, jsonOf(with(newTeam(c), "name", c.Words(1)+"\x00"))},
		{"a good team, only that its name has 300 letters", jsonOf(with(newTeam(c), "name", strings.Repeat("x", 300)))},
	} {
		r := c.Post("/teams", bad.body)
		if r.Status >= 400 { // what should have been refused is the matter of other checks
			wantOwnWords(c, r, "POST /teams with "+bad.what)
		}
	}
	_, large := sized(c, limit+1, false)
	wantOwnWords(c, c.Post("/teams", large), "POST /teams with a team of 1,048,577 bytes")
	wantOwnWords(c, c.Post("/teams", whole, exam.Header("Content-Type", "text/")), "POST /teams with Content-Type: text/")
	for _, id := range []string{c.Unique("team"), "99999999999999999999", fmt.Sprint(c.Int(1_000_000, 9_000_000)), "1%00"} {
		r := c.Get("/teams/" + id)
		wantOwnWords(c, r, r.Did())
	}
	for _, method := range []string{http.MethodDelete, http.MethodGet} {
		r := c.Do(method, "/teams", nil)
		wantOwnWords(c, r, r.Did())
	}
}

// inside asks for every refusal in which the database has a part.
func inside(c *exam.C) {
	team := newTeam(c)
	path := created(c, "", team)
	var secrets []string
	for _, row := range c.DB().Rows(`
		select distinct usename::text as name from pg_stat_activity
		where datname = current_database() and usename <> current_user
		union select current_database()::text`) {
		secrets = append(secrets, regexp.QuoteMeta(fmt.Sprint(row["name"])))
	}
	names := from("the name of the database or of its user", secrets...)
	look := func(r *exam.Response, did string) { wantOwnWords(c, r, did, names) }

	look(c.Post("/teams", with(newTeam(c), "name", team["name"])), "POST /teams with a good team, whose name another team has")
	collide(c)
	look(c.Post("/teams", newTeam(c)), didCollide)

	faults := gone(c)
	look(c.Post("/teams", newTeam(c)), didAway+"POST /teams with a good team")
	look(c.Get(path), didAway+"GET "+path)
	faults.Heal()
	back(c, path)

	faults.Refuse(true)
	faults.CutAfter(func(s wire.Statement) bool { return strings.Contains(strings.ToLower(s.SQL), "insert into") }, wire.CutBeforeSend)
	look(c.Post("/teams", newTeam(c)), didHalfway)
	faults.Heal()
	back(c, path)
}
