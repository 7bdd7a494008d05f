package services

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const templatePrefix = "cairn_t_"

// templateName is the name of the fixture's template: fixtures that hold the same share one.
func (f Fixture) templateName() string {
	h := sha256.New()
	extensions := slices.Clone(f.Extensions)
	slices.Sort(extensions)
	fmt.Fprintf(h, "2\x00%s\x00%s", strings.Join(extensions, ","), f.SQL)
	return templatePrefix + hex.EncodeToString(h.Sum(nil)[:10])
}

// ensureTemplate makes the fixture's template if the server has none. A template belongs to the
// superuser, and nobody may connect to it; is_template is set last and marks it as complete.
func (p *Postgres) ensureTemplate(ctx context.Context, f Fixture) (string, error) {
	if p.version/10000 < f.MinVersion {
		do := "unset CAIRN_POSTGRES_IMAGE, or name a newer image there"
		if p.server.native {
			do = fmt.Sprintf("install PostgreSQL %d or newer, or Docker", f.MinVersion)
		}
		return "", unavailable(nil, do, "%s needs PostgreSQL %d or newer, and %s is PostgreSQL %s", f.Name, f.MinVersion, p.server.source, p.Version())
	}
	name := f.templateName()
	err := p.admin(ctx, func(c *pgx.Conn) error {
		if complete, err := templateComplete(ctx, c, name); err != nil || complete {
			return err
		}
		// Two cairns may want the same template: one builds, the other waits.
		key := templateKey(name)
		if _, err := c.Exec(ctx, "select pg_advisory_lock("+key+")"); err != nil {
			return err
		}
		defer func() { _, _ = c.Exec(context.WithoutCancel(ctx), "select pg_advisory_unlock("+key+")") }()
		if complete, err := templateComplete(ctx, c, name); err != nil || complete {
			return err
		}
		return p.buildTemplate(ctx, c, name, f)
	})
	return name, explainSQL(ctx, err, "preparing the database of "+f.Name)
}

// templateKey is the advisory lock of those who build or drop the template.
func templateKey(name string) string { return "hashtextextended(" + literal(name) + ", 0)" }

func templateComplete(ctx context.Context, c *pgx.Conn, name string) (complete bool, err error) {
	err = c.QueryRow(ctx, "select exists (select from pg_database where datname = $1 and datistemplate)", name).Scan(&complete)
	return complete, err
}

func (p *Postgres) buildTemplate(ctx context.Context, c *pgx.Conn, name string, f Fixture) error {
	db := identifier(name)
	for _, sql := range []string{
		"drop database if exists " + db + " with (force)",
		"create database " + db + " template template0 is_template false",
		"revoke all on database " + db + " from public",
		"comment on database " + db + " is " + literal(note{Fixture: f.Name}.String()),
	} {
		if _, err := c.Exec(ctx, sql); err != nil {
			return err
		}
	}
	if err := p.fillTemplate(ctx, name, f); err != nil {
		_, _ = c.Exec(context.WithoutCancel(ctx), "drop database if exists "+db+" with (force)")
		return err
	}
	_, err := c.Exec(ctx, "alter database "+db+" with is_template true allow_connections false")
	return err
}

func (p *Postgres) fillTemplate(ctx context.Context, name string, f Fixture) error {
	conn, err := p.connect(ctx, name)
	if err != nil {
		return err
	}
	defer closeConn(conn)
	for _, extension := range f.Extensions {
		_, err := conn.Exec(ctx, "create extension if not exists "+identifier(extension)+" cascade")
		var pg *pgconn.PgError
		if errors.As(err, &pg) && (pg.Code == "0A000" || pg.Code == "58P01" || pg.Code == "42704") {
			do := "unset CAIRN_POSTGRES_IMAGE, or name an image there that has it"
			if p.server.native {
				do = fmt.Sprintf("install that extension for PostgreSQL %d, or Docker", p.version/10000)
			}
			return unavailable(err, do, "%s needs the extension %q, and the PostgreSQL in %s lacks it", f.Name, extension, p.server.source)
		}
		if err != nil {
			return err
		}
	}
	// VACUUM takes no row for visible to all whose commit is not in the log on the disk yet.
	if _, err := conn.Exec(ctx, "set synchronous_commit = on"); err != nil {
		return err
	}
	if _, err := conn.PgConn().Exec(ctx, f.SQL).ReadAll(); err != nil {
		var pg *pgconn.PgError
		if errors.As(err, &pg) && pg.Code[:2] != "53" && pg.Code[:2] != "57" {
			return unavailable(err, "report it, the exercise is broken", "the data of %s does not load: %s%s", f.Name, at(f.SQL, pg.Position), pg.Message)
		}
		return err
	}
	// Statistics, and no first reader who has to write: every clone plans and reads alike.
	_, err = conn.Exec(ctx, "vacuum (analyze, freeze)")
	return err
}

// at is the line of a position in the SQL, "line 12: ", or "" for none.
func at(sql string, position int32) string {
	if position <= 0 {
		return ""
	}
	runes := []rune(sql)
	n := min(int(position)-1, len(runes))
	return fmt.Sprintf("line %d: ", 1+strings.Count(string(runes[:n]), "\n"))
}
