package exam

import (
	"fmt"
	"strings"
	"testing"
)

func TestRelationsIn(t *testing.T) {
	for sql, want := range map[string]string{
		"select n from counters where id = $1":                                      "public.counters",
		"insert into Audit.\"Log Entries\" (id) values ('from x')":                  "audit.Log Entries public.x", // a text is taken for more than it is
		"select * from a, b as bb, c.d x join e on true":                            "public.a public.b c.d public.e",
		"update only accounts set balance = 0":                                      "public.accounts",
		"delete from items using parts where true":                                  "public.items public.parts",
		"lock table counters":                                                       "public.counters",
		"select 1":                                                                  "",
		"select balance from accounts where id in (select account_id\nfrom ledger)": "public.accounts public.ledger",
	} {
		var got []string
		for _, r := range relationsIn(sql) {
			got = append(got, r.Schema+"."+r.Name)
		}
		if !sameWords(strings.Join(got, " "), want) {
			t.Errorf("%s: %q, want %q", sql, got, want)
		}
	}
}

// sameWords compares without regard to order.
func sameWords(a, b string) bool {
	count := map[string]int{}
	for _, w := range strings.Split(a, " ") {
		count[w]++
	}
	for _, w := range strings.Split(b, " ") {
		count[w]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

// TestSchemaFault compares what a grade found with what a program has made of it.
func TestSchemaFault(t *testing.T) {
	given := func() schema {
		return schema{Relations: []relation{
			{OID: "1", Schema: "public", Name: "items", Kind: "r", Rules: []string{"old"}, Columns: []column{{1, "id", "integer", false}, {2, "name", "text", false}}},
			{OID: "2", Schema: "public", Name: "totals", Kind: "m"},
		}, Functions: []string{"length"}, Operators: []string{"<<"}}
	}
	const sql = "select name from items join totals on true"
	tests := []struct {
		name   string
		change func(*schema)
		saw    string
	}{
		{"as given", func(*schema) {}, ""},
		{"more columns", func(s *schema) {
			s.Relations[0].Columns = append(s.Relations[0].Columns, column{3, "more", "text", true})
		}, ""},
		{"made anew", func(s *schema) {
			s.Relations[0].OID, s.Relations[0].Columns = "9", []column{{1, "name", "text", false}, {2, "id", "integer", false}}
		}, ""},
		{"parts", func(s *schema) { s.Relations[0].Kind = "p" }, ""},
		{"gone", func(s *schema) { s.Relations = nil }, ""}, // PostgreSQL says it better
		{"view", func(s *schema) { s.Relations[0].Kind = "v" }, "items is a view"},
		{"foreign table", func(s *schema) { s.Relations[0].Kind = "f" }, "items is a foreign table"},
		{"rule", func(s *schema) { s.Relations[0].Rules = []string{"old", "new"} }, "items has the rule new"},
		{"column gone", func(s *schema) { s.Relations[0].Columns = s.Relations[0].Columns[:1] }, "items has no column name any more"},
		{"type", func(s *schema) { s.Relations[0].Columns[0].Type = "text" }, "the column id of items is of type text"},
		{"generated", func(s *schema) { s.Relations[0].Columns[0].Generated = true }, "the column id of items is generated"},
		{"another column", func(s *schema) { s.Relations[0].Columns[0].Number = 7 }, "the column id of items is another one"},
		{"view in place of the view", func(s *schema) { s.Relations[1].Kind = "v" }, "totals is a view"},
		{"function", func(s *schema) { s.Functions = append(s.Functions, "count") }, "a function count of the program's"},
		{"operator", func(s *schema) { s.Operators = append(s.Operators, "=") }, "an operator = of the program's"},
	}
	for _, tt := range tests {
		before, now := given(), given()
		tt.change(&now)
		saw := ""
		if f := now.fault(sql, &before, nil); f != nil {
			saw = f.Saw
		}
		if saw != tt.saw && (tt.saw == "" || !strings.Contains(saw, tt.saw)) {
			t.Errorf("%s: saw %q, want %q", tt.name, saw, tt.saw)
		}
	}
	before, now := given(), given()
	now.Relations[0].Kind = "v"
	if f := now.fault(sql, &before, []string{"items"}); f != nil {
		t.Errorf("a relation that the exam lets be reshaped: %+v", f)
	}
}

func TestWholeNumbersHoweverWritten(t *testing.T) {
	for text, want := range map[string]string{
		`{"n": 130}`: "130", `{"n": 130.0}`: "130", `{"n": 1.3e2}`: "130", `{"n": 13E+1}`: "130", `{"n": -0.0}`: "0",
		`{"n": 1.5}`: "1.5", `{"n": 1e400}`: "1e400", `{"n": "130.0"}`: "130.0", `{"n": [1e1, {"m": 2.0}]}`: "[10 map[m:2]]",
		`{"n": 1e-99999999999}`: "1e-99999999999",
	} {
		var v map[string]any
		if err := decodeJSON([]byte(text), &v); err != nil || fmt.Sprint(v["n"]) != want {
			t.Errorf("%s: %v, %v, want %s", text, v["n"], err, want)
		}
	}
	var typed struct{ N int64 }
	if err := decodeJSON([]byte(`{"n": 1.3e2}`), &typed); err != nil || typed.N != 130 {
		t.Errorf("into an int64: %d, %v", typed.N, err)
	}
	for _, text := range []string{"", "{", "{} {}", "{}x", `{"n": 1.}`} {
		if err := decodeJSON([]byte(text), new(any)); err == nil {
			t.Errorf("%q is taken for JSON", text)
		}
	}
}

func TestTextIsNoNumber(t *testing.T) {
	for _, tt := range []struct {
		got, want any
		same      bool
	}{{"7", 7, false}, {"7", "7", true}, {int64(7), 7, true}, {true, "true", false}} {
		c := &C{spec: &spec{}, session: &Session{}}
		done := make(chan struct{})
		go func() { defer close(done); c.Equal(tt.got, tt.want, "it") }()
		<-done
		if same := c.finding == nil; same != tt.same {
			t.Errorf("%#v and %#v: same %t, want %t", tt.got, tt.want, same, tt.same)
		}
	}
}
