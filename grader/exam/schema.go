package exam

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/cairn-learn/cairn/grader/safe"
)

// A program may do as it likes in its own database, and what it puts there must
// not deceive the examiner. So the examiner reads as a role of its own, in a
// session that is made as new before every statement, and looks at the relations
// that the statement names first: they have to be tables.

// relation is a table or what stands in its place.
type relation struct {
	OID          string
	Schema, Name string
	Kind         string   // as in pg_class.relkind
	Rules        []string // but that of a view
	Columns      []column
}

type column struct {
	Number    int
	Name      string
	Type      string
	Generated bool
}

// schema is what a database holds that can change the meaning of a statement.
type schema struct {
	Relations []relation
	Functions []string // in public, with the name of one of PostgreSQL's own
	Operators []string // likewise
}

// asNew undoes what a function or a trigger may have left in the session.
const asNew = "reset all; reset session authorization; deallocate all; close all; unlisten *; discard temp; select pg_catalog.pg_advisory_unlock_all();"

// schemaSQL is run with PostgreSQL's own functions and operators alone. Its
// parameters are the names of relations, functions and operators, or nulls.
const schemaSQL = `set search_path = pg_catalog; set statement_timeout = 0;
select json_build_object(
	'Relations', coalesce((select json_agg(json_build_object('OID', c.oid, 'Schema', n.nspname, 'Name', c.relname, 'Kind', c.relkind,
		'Rules', array(select rulename from pg_rewrite where ev_class = c.oid and rulename <> '_RETURN' order by 1),
		'Columns', (select json_agg(json_build_object('Number', attnum, 'Name', attname, 'Type', format_type(atttypid, atttypmod),
			'Generated', attgenerated <> '') order by attnum) from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped)))
		from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname not like 'pg\_%%' and n.nspname <> 'information_schema'
			and (%[1]s is null or c.relname::text = any(%[1]s))), '[]'),
	'Functions', array(select distinct p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
		where n.nspname = 'public' and (%[2]s is null or p.proname::text = any(%[2]s))
			and exists (select from pg_proc own where own.proname = p.proname and own.pronamespace = 'pg_catalog'::regnamespace)
			and not exists (select from pg_depend where classid = 'pg_proc'::regclass and objid = p.oid and deptype = 'e')),
	'Operators', array(select distinct o.oprname from pg_operator o join pg_namespace n on n.oid = o.oprnamespace
		where n.nspname = 'public' and (%[3]s is null or o.oprname::text = any(%[3]s))
			and not exists (select from pg_depend where classid = 'pg_operator'::regclass and objid = o.oid and deptype = 'e')));
reset search_path; reset statement_timeout`

// readSchema makes the session as new and returns what of the database matters to
// the statement; everything, when that is "".
func readSchema(ctx context.Context, conn *pgx.Conn, sql string) (*schema, error) {
	relations, functions, operators := "null::text[]", "null::text[]", "null::text[]"
	if sql != "" {
		var tables []string
		for _, r := range relationsIn(sql) {
			tables = append(tables, r.Name)
		}
		relations, functions, operators = textArray(tables), textArray(namesIn(sql)), textArray(symbol.FindAllString(sql, -1))
	}
	results, err := conn.PgConn().Exec(ctx, asNew+fmt.Sprintf(schemaSQL, relations, functions, operators)).ReadAll()
	if err != nil {
		return nil, err
	}
	found := &schema{}
	for _, r := range results {
		if len(r.FieldDescriptions) == 1 && r.FieldDescriptions[0].Name == "json_build_object" && len(r.Rows) == 1 {
			return found, json.Unmarshal(r.Rows[0][0], found)
		}
	}
	return nil, errors.New("PostgreSQL did not say what the database holds")
}

func textArray(texts []string) string {
	quoted := make([]string, len(texts))
	for i, t := range texts {
		quoted[i] = "'" + strings.ReplaceAll(t, "'", "''") + "'"
	}
	return "array[" + strings.Join(quoted, ",") + "]::text[]"
}

var (
	word   = regexp.MustCompile(`"(?:[^"]|"")+"|[\pL_][\pL\pN_$]*`)
	symbol = regexp.MustCompile("[-+*/<>=~!@#%^&|`?]+")
	dotted = `((?:"(?:[^"]|"")+"|[\pL_][\pL\pN_$]*)(?:\.(?:"(?:[^"]|"")+"|[\pL_][\pL\pN_$]*))?)`
	after  = regexp.MustCompile(`(?i)\b(?:from|join|into|update|table|using)\s+(?:only\s+)?` + dotted)
	comma  = regexp.MustCompile(`(?i)^(?:\s+as)?(?:\s+[\pL_][\pL\pN_$]*)?\s*,\s*` + dotted)
)

// relationsIn lists the relations that a statement names; a name without a
// schema is one of public.
func relationsIn(sql string) []relation {
	var all []relation
	for _, at := range after.FindAllStringSubmatchIndex(sql, -1) {
		name, rest := sql[at[2]:at[3]], sql[at[3]:]
		all = append(all, relationOf(name))
		for next := comma.FindStringSubmatchIndex(rest); next != nil; next = comma.FindStringSubmatchIndex(rest) {
			name, rest = rest[next[2]:next[3]], rest[next[3]:]
			all = append(all, relationOf(name))
		}
	}
	return all
}

func relationOf(name string) relation {
	parts := namesIn(name)
	if len(parts) == 1 {
		return relation{Schema: "public", Name: parts[0]}
	}
	return relation{Schema: parts[0], Name: parts[1]}
}

// namesIn lists the names in a statement as PostgreSQL reads them.
func namesIn(sql string) []string {
	all := word.FindAllString(sql, -1)
	for i, w := range all {
		if inner, quoted := strings.CutPrefix(w, `"`); quoted {
			all[i] = strings.ReplaceAll(strings.TrimSuffix(inner, `"`), `""`, `"`)
		} else {
			all[i] = strings.ToLower(w)
		}
	}
	return all
}

var kinds = map[string]string{"v": "a view", "m": "a materialized view", "f": "a foreign table"}

// fault says what stands in the place of what the statement names, nil when all
// is as the task has it. Before is how the grade found the database.
func (now *schema) fault(sql string, before *schema, reshaped []string) *Finding {
	for _, named := range relationsIn(sql) {
		is, was := now.relation(named), before.relation(named)
		if is == nil || slices.Contains(reshaped, named.Name) {
			continue // PostgreSQL says it better
		}
		if expected, saw := is.differs(was); saw != "" {
			return schemaFinding(sql, expected, saw)
		}
	}
	for _, f := range now.Functions {
		if !slices.Contains(before.Functions, f) {
			return schemaFinding(sql, "functions of PostgreSQL do what they always do",
				fmt.Sprintf("the schema public has a function %s of the program's, with the name of one of PostgreSQL's own", f))
		}
	}
	for _, o := range now.Operators {
		if !slices.Contains(before.Operators, o) {
			return schemaFinding(sql, "operators of PostgreSQL do what they always do",
				fmt.Sprintf("the schema public has an operator %s of the program's", o))
		}
	}
	return nil
}

func schemaFinding(sql, expected, saw string) *Finding {
	return &Finding{
		Did:      "before it ran: " + safe.Line(sql) + ", the examiner looked at what it would read",
		Expected: expected,
		Saw:      saw,
		Why:      "Others read the database beside the program: reports, backups, the next service. They take a name for what it says.",
	}
}

func (s *schema) relation(named relation) *relation {
	i := slices.IndexFunc(s.Relations, func(r relation) bool { return r.Schema == named.Schema && r.Name == named.Name })
	if i < 0 {
		return nil
	}
	return &s.Relations[i]
}

// differs says what was expected of a relation and how it is not that. was is
// nil when the program has made it.
func (is *relation) differs(was *relation) (expected, saw string) {
	if was == nil {
		was = &relation{Kind: "r"}
	}
	if kind := kinds[is.Kind]; kind != "" && is.Kind != was.Kind {
		return is.Name + " is a table", is.Name + " is " + kind
	}
	for _, r := range is.Rules {
		if !slices.Contains(was.Rules, r) {
			return is.Name + " is a table without rules", fmt.Sprintf("%s has the rule %s, which does something else in its place", is.Name, r)
		}
	}
	for _, c := range was.Columns {
		if saw := is.columnDiffers(c, is.OID == was.OID); saw != "" {
			return fmt.Sprintf("%s has the column %s of type %s, as the task gives it", is.Name, c.Name, c.Type), saw
		}
	}
	return "", ""
}

func (is *relation) columnDiffers(was column, sameTable bool) string {
	i := slices.IndexFunc(is.Columns, func(c column) bool { return c.Name == was.Name })
	if i < 0 {
		return fmt.Sprintf("%s has no column %s any more", is.Name, was.Name)
	}
	switch c := is.Columns[i]; {
	case c.Type != was.Type:
		return fmt.Sprintf("the column %s of %s is of type %s", c.Name, is.Name, c.Type)
	case c.Generated && !was.Generated:
		return fmt.Sprintf("the column %s of %s is generated: nobody can store anything there", c.Name, is.Name)
	case sameTable && c.Number != was.Number:
		return fmt.Sprintf("the column %s of %s is another one, which has taken its name", c.Name, is.Name)
	}
	return ""
}
