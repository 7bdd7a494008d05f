package services

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// connectionLimit is how many connections a program may hold: more than a program needs, and few
// enough that one that never gives any back can't hurt another grade.
const connectionLimit = 60

// Database is one grade's database, with a role of its own. It is nobody else's.
type Database struct {
	Host     string
	Port     int
	Name     string // of the database
	Role     string // of the program
	Password string // the role's
	Fixture  string // the fixture's name

	p        *Postgres
	fixture  Fixture
	examiner string // the password of the examiner's role
	release  sync.Once
}

// examinerSuffix makes the name of the examiner's role from that of the database.
const examinerSuffix = "_examiner"

// note is the comment on a database of cairn's: what it is for.
type note struct {
	Fixture string     `json:"fixture,omitempty"`
	Kept    *time.Time `json:"kept,omitempty"` // since when it outlives its grade
}

func (n note) String() string {
	data, _ := json.Marshal(n) // a string and a time always marshal
	return string(data)
}

// clone makes a database from the template, and a role that owns what is in it.
func (p *Postgres) clone(ctx context.Context, template string, f Fixture) (*Database, error) {
	name := p.lease.newName()
	d := &Database{
		Host: p.server.host, Port: p.server.port, Name: name, Role: name,
		Password: strings.ToLower(rand.Text()), Fixture: f.Name, p: p, fixture: f, examiner: strings.ToLower(rand.Text()),
	}
	err := p.admin(ctx, func(c *pgx.Conn) error {
		for _, sql := range d.creation(template, p.version) {
			if _, err := c.Exec(ctx, sql); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = p.handOver(ctx, d)
	}
	if err != nil {
		p.lease.forget(name)
		p.background(func(ctx context.Context) { _ = p.drop(ctx, name) })
		return nil, explainSQL(ctx, err, "cloning the database of "+f.Name)
	}
	return d, nil
}

func (d *Database) creation(template string, version int) []string {
	db, role, examiner := identifier(d.Name), identifier(d.Role), identifier(d.Name+examinerSuffix)
	strategy := ""
	if version >= 150000 {
		strategy = "strategy file_copy" // on a memory disk faster than through the log
	}
	return []string{
		fmt.Sprintf("create role %s login nosuperuser nocreatedb nocreaterole noreplication nobypassrls connection limit %d password %s",
			role, connectionLimit, literal(d.Password)),
		// What the program has put behind a table runs with the rights of whoever looks at it. So the
		// examiner has the program's, and none beyond but to see rows that a policy hides.
		fmt.Sprintf("create role %s login nosuperuser nocreatedb nocreaterole noreplication bypassrls in role %s password %s",
			examiner, role, literal(d.examiner)),
		fmt.Sprintf("create database %s template %s %s", db, identifier(template), strategy),
		fmt.Sprintf("revoke all on database %s from public; grant connect, create, temporary on database %s to %s; grant connect on database %s to %s; comment on database %s is %s",
			db, db, role, db, examiner, db, literal(note{Fixture: d.Fixture}.String())),
	}
}

// handOver gives what the template's superuser owns to the program's role, object by object:
// REASSIGN OWNED would take every database of the superuser as well. Members of extensions stay.
func (p *Postgres) handOver(ctx context.Context, d *Database) error {
	conn, err := p.connect(ctx, d.Name)
	if err != nil {
		return err
	}
	defer closeConn(conn)
	sql := strings.NewReplacer("$role", literal(d.Role), "$examiner", literal(d.Name+examinerSuffix)).Replace(handOverSQL)
	_, err = conn.Exec(ctx, sql)
	return err
}

const handOverSQL = `do $do$
declare
	command text;
	giver oid := current_user::regrole;
begin
	for command in
		select format('alter schema %I owner to %I', nspname, $role) from pg_namespace n
		where (nspowner = giver and nspname !~ '^pg_' and nspname <> 'information_schema' or nspname = 'public' and nspowner = 'pg_database_owner'::regrole)
			and not exists (select from pg_depend d where d.classid = 'pg_namespace'::regclass and d.objid = n.oid and d.deptype = 'e')
		union all
		select format('alter table %s owner to %I', c.oid::regclass, $role) from pg_class c
		where relowner = giver and relkind in ('r', 'p', 'v', 'm', 'f', 'S') and c.oid >= 16384
			and relnamespace <> 'pg_toast'::regnamespace
			and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid
				and (d.deptype = 'e' or c.relkind = 'S' and d.deptype in ('a', 'i')))
		union all
		select format('alter routine %s owner to %I', p.oid::regprocedure, $role) from pg_proc p
		where proowner = giver and p.oid >= 16384
			and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype in ('e', 'i'))
		union all
		select format('alter type %s owner to %I', t.oid::regtype, $role) from pg_type t
		where typowner = giver and t.oid >= 16384
			and (typtype in ('e', 'd', 'r') or typtype = 'b' and typcategory <> 'A'
				or typtype = 'c' and exists (select from pg_class c where c.oid = typrelid and c.relkind = 'c'))
			and not exists (select from pg_depend d where d.classid = 'pg_type'::regclass and d.objid = t.oid and d.deptype = 'e')
		union all
		select format('alter statistics %s.%I owner to %I', stxnamespace::regnamespace, stxname, $role) from pg_statistic_ext
		where stxowner = giver
		union all
		select format('alter text search configuration %s.%I owner to %I', cfgnamespace::regnamespace, cfgname, $role) from pg_ts_config c
		where cfgowner = giver and c.oid >= 16384
			and not exists (select from pg_depend d where d.classid = 'pg_ts_config'::regclass and d.objid = c.oid and d.deptype = 'e')
		union all
		select format('alter text search dictionary %s.%I owner to %I', dictnamespace::regnamespace, dictname, $role) from pg_ts_dict c
		where dictowner = giver and c.oid >= 16384
			and not exists (select from pg_depend d where d.classid = 'pg_ts_dict'::regclass and d.objid = c.oid and d.deptype = 'e')
	loop
		execute command;
	end loop;
	-- What belongs to another role the examiner sees all the same.
	for command in
		select format('grant all on table %s to %I', c.oid::regclass, $examiner) from pg_class c
		where relowner not in (giver, $role::regrole) and relkind in ('r', 'p', 'v', 'm', 'f') and c.oid >= 16384
			and relnamespace <> 'pg_toast'::regnamespace
		union all
		select format('grant all on sequence %s to %I', c.oid::regclass, $examiner) from pg_class c
		where relowner not in (giver, $role::regrole) and relkind = 'S' and c.oid >= 16384
		union all
		select format('grant usage on schema %I to %I', nspname, $examiner) from pg_namespace
		where nspowner not in (giver, $role::regrole) and nspname !~ '^pg_' and nspname <> 'information_schema'
	loop
		execute command;
	end loop;
end
$do$`

// ProgramURL is the address for the program under examination, with its own role. hostport is
// where it is to connect, such as a proxy; "" means the server itself.
func (d *Database) ProgramURL(hostport string) string {
	if hostport == "" {
		hostport = d.p.Addr()
	}
	u := url.URL{Scheme: "postgres", Host: hostport, Path: "/" + d.Name, User: url.UserPassword(d.Role, d.Password), RawQuery: "sslmode=disable"}
	return u.String()
}

// ExaminerURL is the address for the examiner: the server itself, as a role of its own that may do
// in this database what the program may, sees past row level security, and can do nothing outside.
// It is never shown to the program.
func (d *Database) ExaminerURL() string {
	u := url.URL{Scheme: "postgres", Host: d.p.Addr(), Path: "/" + d.Name, User: url.UserPassword(d.Name+examinerSuffix, d.examiner),
		RawQuery: "sslmode=disable&application_name=operator"}
	return u.String()
}

// Verify makes sure, on a fresh connection, that the server at this address is the one that cairn
// started and still holds the database. Errors are *Unavailable, or the context's.
func (d *Database) Verify(ctx context.Context) error {
	conn, err := d.p.connect(ctx, d.Name)
	if err != nil {
		return explainSQL(ctx, err, "verifying the server")
	}
	closeConn(conn)
	return nil
}

// CloseSessions ends every session of the program in this database, as an operator would with
// pg_terminate_backend, and returns how many there were.
func (d *Database) CloseSessions(ctx context.Context) (int, error) {
	n := 0
	err := d.p.admin(ctx, func(c *pgx.Conn) error {
		return c.QueryRow(ctx, "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = $1 and usename = $2", d.Name, d.Role).Scan(&n)
	})
	return n, explainSQL(ctx, err, "closing the program's sessions")
}

// Release ends the grade's use. With keep the database stays as the grade left it, until the next
// grade of the same fixture or a prune, and keeps the server warm as long as this process runs;
// otherwise its sessions are closed and it is dropped in the background. Only the first call counts.
func (d *Database) Release(keep bool) {
	d.release.Do(func() {
		p := d.p
		if !keep || p.setKept(d.Fixture, true) {
			p.inUse.Add(-1)
		}
		runs := p.background(func(ctx context.Context) {
			if keep {
				_ = p.keep(ctx, d) // unmarked, it is swept
			} else {
				_ = p.drop(ctx, d.Name) // what is left is swept later
			}
			p.lease.forget(d.Name)
		})
		if !runs {
			p.lease.forget(d.Name)
		}
		p.spareAhead(d.fixture)
	})
}

// setKept notes whether this process keeps a database of a fixture, and tells whether it did before.
func (p *Postgres) setKept(fixture string, keep bool) (before bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before, p.kept[fixture] = p.kept[fixture], keep
	return before
}
