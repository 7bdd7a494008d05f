package services

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// keptAtMost is how many databases stay for a look; the oldest go first.
const keptAtMost = 8

// dropSessionsIn is how long a drop waits for closed sessions to be gone.
const dropSessionsIn = 2 * time.Second

// drop removes a grade's database and its roles. Sessions are closed first, and no new one is let in:
// a drop that has to do so itself takes over 100 ms more. What doesn't exist is no error.
func (p *Postgres) drop(ctx context.Context, name string) error {
	return p.admin(ctx, func(c *pgx.Conn) error {
		// A drop that was cut short leaves a database that takes no other command than a drop.
		const invalid = -2
		var whole bool
		if err := c.QueryRow(ctx, "select exists (select from pg_database where datname = $1 and datconnlimit <> $2)", name, invalid).Scan(&whole); err != nil {
			return err
		}
		db := identifier(name)
		if whole {
			if _, err := c.Exec(ctx, "alter database "+db+" allow_connections false"); err != nil {
				return err
			}
			if err := closeSessions(ctx, c, name); err != nil {
				return err
			}
		}
		if _, err := c.Exec(ctx, "drop database if exists "+db+" with (force)"); err != nil {
			return err
		}
		_, err := c.Exec(ctx, "drop role if exists "+db+", "+identifier(name+examinerSuffix))
		return err
	})
}

func closeSessions(ctx context.Context, c *pgx.Conn, name string) error {
	wait := time.Millisecond
	for deadline := time.Now().Add(dropSessionsIn); time.Now().Before(deadline); wait = min(2*wait, 20*time.Millisecond) {
		var left int
		if err := c.QueryRow(ctx, "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = $1", name).Scan(&left); err != nil {
			return err
		}
		if left == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
		}
	}
	return nil // the drop forces what is left
}

// keep marks a database as one that outlives its grade, and drops the oldest beyond keptAtMost.
func (p *Postgres) keep(ctx context.Context, d *Database) error {
	now := time.Now().UTC()
	mark := note{Fixture: d.Fixture, Kept: &now}
	if err := p.exec(ctx, "comment on database "+identifier(d.Name)+" is "+literal(mark.String())); err != nil {
		return err
	}
	return p.dropKept(ctx, "", time.Time{}, keptAtMost)
}

// dropKept drops kept databases, of one fixture or, with "", of all: those that were kept before a
// time, unless that is zero, but for the newest.
func (p *Postgres) dropKept(ctx context.Context, fixture string, before time.Time, newest int) error {
	dbs, err := p.databases(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for i := len(dbs) - 1; i >= 0; i-- {
		if dbs[i].Kept.IsZero() || fixture != "" && dbs[i].Fixture != fixture || !before.IsZero() && !dbs[i].Kept.Before(before) {
			continue
		}
		if newest > 0 {
			newest--
			continue
		}
		errs = append(errs, p.drop(ctx, dbs[i].Name))
	}
	return errors.Join(errs...)
}

// DatabaseInfo is a database of cairn's on a server.
type DatabaseInfo struct {
	Name     string
	Fixture  string
	Template bool
	half     bool      // a template that isn't complete
	Kept     time.Time // since when it is kept; zero when it isn't
	Live     bool      // whether the cairn that made it still runs
	lease    string    // "" for a template
}

// databases lists cairn's databases and roles without one, kept ones last, in the order of their
// keeping. Live isn't set.
func (p *Postgres) databases(ctx context.Context) ([]DatabaseInfo, error) {
	var dbs []DatabaseInfo
	err := p.admin(ctx, func(c *pgx.Conn) error {
		rows, err := c.Query(ctx, `select datname, coalesce(shobj_description(oid, 'pg_database'), '{}'), datistemplate
			from pg_database where datname like 'cairn\_%'
			union all
			select distinct name, '{}', false from pg_roles, regexp_replace(rolname, '`+examinerSuffix+`$', '') name
			where rolname like 'cairn\_%' and not exists (select from pg_database where datname = name)
			order by 1`)
		if err != nil {
			return err
		}
		dbs, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (DatabaseInfo, error) {
			var name, comment string
			var template bool
			err := row.Scan(&name, &comment, &template)
			info := describe(name, comment)
			info.half = info.Template && !template
			return info, err
		})
		return err
	})
	slices.SortStableFunc(dbs, func(a, b DatabaseInfo) int { return a.Kept.Compare(b.Kept) })
	return dbs, err
}

func describe(name, comment string) DatabaseInfo {
	info := DatabaseInfo{Name: name, Template: strings.HasPrefix(name, templatePrefix)}
	if !info.Template {
		info.lease, _, _ = strings.Cut(strings.TrimPrefix(name, "cairn_"), "_")
	}
	var n note
	if json.Unmarshal([]byte(comment), &n) == nil {
		info.Fixture = n.Fixture
		if n.Kept != nil {
			info.Kept = *n.Kept
		}
	}
	return info
}

// sweep drops what cairns left behind that no longer run: databases, and roles without one. Kept
// databases and templates stay.
func (p *Postgres) sweep(ctx context.Context) {
	_, _ = p.dropDead(ctx) // what is in the way now is swept by the next cairn
}

// dropDead drops what has no live lease, and returns it.
func (p *Postgres) dropDead(ctx context.Context) ([]DatabaseInfo, error) {
	dbs, err := p.withLife(ctx)
	if err != nil {
		return nil, err
	}
	var dropped []DatabaseInfo
	var errs []error
	for _, d := range dbs {
		drop := p.drop
		switch {
		case d.half:
			drop = p.dropHalf
		case d.Template || d.Live || !d.Kept.IsZero():
			continue
		}
		if err := drop(ctx, d.Name); err != nil {
			errs = append(errs, err)
			continue
		}
		dropped = append(dropped, d)
	}
	return dropped, errors.Join(errs...)
}

// dropHalf drops a template that was never completed, unless somebody is at it.
func (p *Postgres) dropHalf(ctx context.Context, name string) error {
	return p.admin(ctx, func(c *pgx.Conn) error {
		var free bool
		if err := c.QueryRow(ctx, "select pg_try_advisory_lock("+templateKey(name)+")").Scan(&free); err != nil || !free {
			return err
		}
		defer func() { _, _ = c.Exec(context.WithoutCancel(ctx), "select pg_advisory_unlock("+templateKey(name)+")") }()
		if complete, err := templateComplete(ctx, c, name); err != nil || complete {
			return err
		}
		_, err := c.Exec(ctx, "drop database if exists "+identifier(name)+" with (force)")
		return err
	})
}

// withLife lists cairn's databases and tells for each whether its cairn still runs and,
// where that is this one, still uses it. The list is taken before the leases are judged: a database made in between isn't on it.
func (p *Postgres) withLife(ctx context.Context) ([]DatabaseInfo, error) {
	dbs, err := p.databases(ctx)
	if err != nil {
		return nil, err
	}
	live, err := p.state.live(ctx)
	if err != nil {
		return nil, err
	}
	for i := range dbs {
		dbs[i].Live = live[dbs[i].lease]
		if p.lease != nil && dbs[i].lease == p.lease.id {
			dbs[i].Live = p.lease.holding(dbs[i].Name)
		}
	}
	return dbs, nil
}
