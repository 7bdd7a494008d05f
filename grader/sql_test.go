package grader

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cairn-learn/cairn/grader/build"
	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/services"
)

// sqlExercise asks for a table in which no n is below zero.
func sqlExercise() Exercise {
	return Exercise{
		ID: "ledger", Title: "A ledger", Edit: []string{"schema.sql"}, Kind: build.SQL,
		Fixture: &services.Fixture{Name: "ledger", SQL: "create table given (id int)"},
		Exam: func(x *exam.X) {
			x.Check("takes", "takes a number", func(c *exam.C) {
				id, refused := c.DB().Try("insert into ledger (n) values (1) returning id")
				c.Require(refused == nil && id != "", exam.Finding{Expected: "the row is taken", Saw: "refused"})
				c.Equal(c.DB().Int("select count(*) from ledger"), 1, "the number of rows")
			}, exam.Why("Somebody needs it."))
			x.Check("refuses", "refuses one below zero", func(c *exam.C) {
				_, refused := c.DB().Try("insert into ledger (n) values (-1)")
				c.Require(refused != nil && refused.Class("23"), exam.Finding{Did: "wrote -1", Expected: "23514", Saw: "it was taken"})
			}, exam.After("takes"))
		},
		Limits: Limits{Build: 5 * time.Second},
	}
}

const ledger = "create table ledger (id serial primary key, n int check (n >= 0));\n"

func gradeSQL(t *testing.T, g *Grader, e Exercise, sql string) Report {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"schema.sql": sql, "notes.sql": "\\copy this", "dump.go": "no Go"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	rep, err := g.Grade(t.Context(), Submission{Exercise: e, Dir: dir, Seed: 1, Race: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func TestSQL(t *testing.T) {
	needEngine(t)
	t.Parallel()
	g := newServiceGrader(t)
	t.Run("passes", func(t *testing.T) {
		rep := gradeSQL(t, g, sqlExercise(), "\ufeff"+ledger)
		if rep.Verdict != report.Passed || len(rep.Checks) != 3 || rep.Checks[0].ID != "applies" {
			t.Fatalf("%s %s %+v %+v", rep.Verdict, rep.Reason, rep.Diagnostics, rep.Checks)
		}
		var phases []string
		for _, p := range rep.Phases {
			phases = append(phases, string(p.Name))
		}
		if got := strings.Join(phases, " "); got != "snapshot services apply examine report" {
			t.Errorf("phases: %s", got)
		}
		if len(rep.Files) != 1 {
			t.Errorf("files: %v", rep.Files)
		}
		if evidence := rep.Checks[2].Timeline; len(evidence) != 1 || !evidence[0].Failed || !strings.HasPrefix(evidence[0].Result, "ERROR 23514") {
			t.Errorf("evidence: %+v", evidence)
		}
	})
	for name, sql := range map[string]string{
		"no constraint": "begin;\ncreate table ledger (id serial primary key, n int);\ncommit;",
		"no table":      "-- nothing but a comment",
		"no schema":     ledger + "drop schema public cascade;",
		"a view":        "create table l (id serial, n int check (n >= 0)); create view ledger as select * from l;",
		"no rights":     ledger + "do $$ begin execute format('revoke %I from %I', current_user, current_user || '_examiner'); exception when others then drop table ledger; end $$;",
	} {
		t.Run(name, func(t *testing.T) {
			rep := gradeSQL(t, g, sqlExercise(), sql)
			if rep.Verdict != report.Failed || rep.FirstFailed() == nil {
				t.Errorf("%s %s %+v", rep.Verdict, rep.Reason, rep.Diagnostics)
			}
		})
	}
}

func TestSQLThatDoesNotApply(t *testing.T) {
	needEngine(t)
	t.Parallel()
	g := newServiceGrader(t)
	for _, c := range []struct {
		name, sql string
		line      int
		says      string
	}{
		{"syntax", "-- première\n" + ledger + "create table x (\n  a int,,\n  b int);", 4, `syntax error at or near ","`},
		{"unknown table", ledger + "\ninsert into ledgers values (1);", 3, `relation "ledgers" does not exist`},
		{"twice", ledger + "\n;;\n" + ledger, 4, `relation "ledger" already exists`},
		{"fails as it runs", ledger + "-- a row\ninsert into ledger (n)\nvalues (-1);\nselect 1;", 3, "SQLSTATE 23514"},
		{"psql", ledger + "\\copy ledger from 'x'\n", 2, `\copy is a command of psql`},
		{"psql behind", ledger + "select 1 \\gexec\n", 2, `at or near "\"`},
		{"copy", ledger + "copy ledger from stdin;\n", 2, "waits for rows"},
		{"never committed", "begin;\n" + ledger, 1, "never committed"},
		{"part of no transaction", ledger + "vacuum ledger;\n", 2, "cannot"},
		{"zero byte", ledger + "\x00 drop table ledger;", 2, "zero byte"},
		{"empty", "  \n", 1, "is empty"},
		{"superuser", ledger + "alter role current_user superuser;", 2, "SQLSTATE 42501"},
		{"another superuser", "create role boss superuser login;", 1, "SQLSTATE 42501"},
		{"as somebody else", "set session authorization postgres;", 1, "SQLSTATE"},
		{"another database", "create database more;", 1, "SQLSTATE"},
		{"the server's files", "select pg_read_file('/etc/hostname');", 1, "SQLSTATE 42501"},
		{"a program", ledger + "copy ledger to program 'cat';", 2, "SQLSTATE 42501"},
		{"the examiner's role", "do $$ begin execute format('drop role %I', current_user || '_examiner'); end $$;", 1, "SQLSTATE 42501"},
		{"the examiner's password", "do $$ begin execute format('alter role %I password ''x''', current_user || '_examiner'); end $$;", 1, "SQLSTATE 42501"},
		{"its own session", ledger + "select pg_terminate_backend(pg_backend_pid());\nselect 1;", 2, "ends the session that it runs in"},
		{"the examiner's session", "select pg_terminate_backend(pid) from pg_stat_activity where usename = current_user || '_examiner';", 1, "SQLSTATE 42501"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rep := gradeSQL(t, g, sqlExercise(), c.sql)
			if rep.Verdict != report.Broken || len(rep.Diagnostics) == 0 {
				t.Fatalf("%s %s %+v", rep.Verdict, rep.Reason, rep.Diagnostics)
			}
			if d := rep.Diagnostics[0]; d.File != "schema.sql" || d.Line != c.line || !strings.Contains(d.Message, c.says) {
				t.Errorf("%s:%d: %s", d.File, d.Line, d.Message)
			}
		})
	}
}

func TestSQLThatDoesNotEnd(t *testing.T) {
	needEngine(t)
	t.Parallel()
	g := newServiceGrader(t)
	for name, sql := range map[string]string{
		"sleeps":       ledger + "select pg_sleep(100);",
		"never mind":   ledger + "set statement_timeout = 0; set client_min_messages = error;\ndo $$ begin loop begin perform pg_sleep(100); exception when query_canceled then null; end; end loop; end $$;",
		"rows for two": ledger + "select * from generate_series(1, 10000000000);",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := sqlExercise()
			e.Limits.Build = 2 * time.Second
			rep := gradeSQL(t, g, e, sql)
			if rep.Verdict != report.Limit || !strings.Contains(rep.Reason, "longer than 2s; it was at schema.sql, line") {
				t.Fatalf("%s %s %s %+v", rep.Verdict, rep.Reason, rep.Next, rep.Diagnostics)
			}
			if name == "sleeps" && !strings.HasSuffix(rep.Reason, "line 2") {
				t.Error(rep.Reason)
			}
		})
	}
}

func TestExplain(t *testing.T) {
	needEngine(t)
	t.Parallel()
	e := sqlExercise()
	e.Exam = func(x *exam.X) {
		x.Check("reads", "reads by an index", func(c *exam.C) {
			const sql = "select count(*) from given where id < 10"
			plan, refused := c.DB().Explain(sql)
			c.Require(refused == nil && plan.Buffers() > 100, exam.Finding{Saw: "no index, and few buffers"})
			var index string
			plan, _ = c.DB().Explain(sql, "create index by_id on given (id)", "set local enable_seqscan = off")
			for depth, node := range plan.All() {
				if node.Index != "" && node.Rows() == 9 && depth > 0 {
					index = node.Index
				}
			}
			c.Equal(index, "by_id", "the index")
			c.Require(plan.Buffers() < 30, exam.Finding{Saw: "too many buffers"})
			plan, _ = c.DB().Explain(sql)
			c.Require(plan.Buffers() > 100, exam.Finding{Saw: "the index is still there"})
		})
		x.Check("writes", "leaves nothing", func(c *exam.C) {
			plan, refused := c.DB().Explain("insert into given select generate_series(1, 1000)")
			c.Require(refused == nil && plan.WALBytes > 1000, exam.Finding{Saw: "no WAL"})
			c.Equal(c.DB().Int("select count(*) from given"), 50_000, "the number of rows")
			_, refused = c.DB().Explain("select 1 / count(*) from given where id < 0")
			c.Require(refused != nil && refused.Code == "22012", exam.Finding{Saw: "no refusal"})
			_, refused = c.DB().Explain("select count(*) from given", "drop table nothing")
			c.Require(refused != nil && refused.Code == "42P01", exam.Finding{Saw: "no refusal of what comes before"})
		})
	}
	rep := gradeSQL(t, newServiceGrader(t), e, "insert into given select generate_series(1, 50000);")
	if rep.Verdict != report.Passed {
		t.Fatalf("%s %s %+v", rep.Verdict, rep.Reason, rep.Checks)
	}
	var said []string
	for _, entry := range rep.Checks[2].Timeline {
		if entry.Failed {
			said = append(said, entry.Result)
		}
	}
	if len(said) != 2 || said[0] != "ERROR 22012 division by zero" {
		t.Errorf("evidence: %q", said)
	}
}
