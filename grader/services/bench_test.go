package services

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
)

// large makes a template of about 11 MB: what an exercise with some data comes to.
var large = Fixture{
	Name: "large",
	SQL: `create table orders (id bigint generated always as identity primary key, customer int not null, total bigint not null, note text);
		insert into orders (customer, total, note) select i % 500, i, 'order number ' || i from generate_series(1, 35000) i;
		create index on orders (customer);`,
}

func benchServer(b *testing.B) (p *Postgres, megabytes float64) {
	_, p = openTest(b, Config{NoSpare: true})
	name, err := p.ensureTemplate(b.Context(), large)
	if err != nil {
		b.Fatal(err)
	}
	err = p.admin(b.Context(), func(c *pgx.Conn) error {
		return c.QueryRow(b.Context(), "select pg_database_size($1) / 1e6::float8", name).Scan(&megabytes)
	})
	if err != nil {
		b.Fatal(err)
	}
	return p, megabytes
}

// BenchmarkClone is a database made on demand: role, clone, and handing over.
func BenchmarkClone(b *testing.B) {
	p, megabytes := benchServer(b)
	for b.Loop() {
		d, err := p.clone(b.Context(), large.templateName(), large)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := p.drop(b.Context(), d.Name); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(megabytes, "template-MB")
}

// BenchmarkTakeSpare is a database that was cloned ahead: what a grade waits for.
func BenchmarkTakeSpare(b *testing.B) {
	p, megabytes := benchServer(b)
	p.cfg.NoSpare = false
	for b.Loop() {
		b.StopTimer()
		if err := p.Prepare(b.Context(), large); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		d, err := p.Database(b.Context(), large)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		d.Release(false)
		b.StartTimer()
	}
	b.ReportMetric(megabytes, "template-MB")
}

// BenchmarkDrop is the background's part of a release, with a session of the program open.
func BenchmarkDrop(b *testing.B) {
	p, megabytes := benchServer(b)
	for b.Loop() {
		b.StopTimer()
		d, err := p.clone(b.Context(), large.templateName(), large)
		if err != nil {
			b.Fatal(err)
		}
		conn, err := pgx.Connect(b.Context(), d.ProgramURL(""))
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if err := p.drop(b.Context(), d.Name); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		closeConn(conn)
		b.StartTimer()
	}
	b.ReportMetric(megabytes, "template-MB")
}

// BenchmarkAdopt is what a new run of cairn waits for where the server is warm.
func BenchmarkAdopt(b *testing.B) {
	openTest(b, Config{})
	for b.Loop() {
		provider, err := Open(Config{StateDir: testDir})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := provider.Postgres(b.Context(), nil); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := provider.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkColdStart is the first start, with the image there.
func BenchmarkColdStart(b *testing.B) {
	useServices(b, inContainers)
	for b.Loop() {
		provider, err := Open(Config{StateDir: testDir + "-cold"})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := provider.Postgres(b.Context(), nil); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := provider.Close(); err != nil {
			b.Fatal(err)
		}
		if _, err := Stop(context.Background(), Config{StateDir: testDir + "-cold"}, true); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
