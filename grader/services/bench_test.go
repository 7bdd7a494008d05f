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

// onHosts runs a benchmark on whatever servers can run in.
func onHosts(b *testing.B, bench func(*testing.B)) {
	for kind, need := range map[string]func(testing.TB){inContainers: needEngine, native: needNative} {
		b.Run(kind, func(b *testing.B) {
			need(b)
			useServices(b, kind)
			bench(b)
		})
	}
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
func BenchmarkClone(b *testing.B) { onHosts(b, benchClone) }

func benchClone(b *testing.B) {
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
func BenchmarkTakeSpare(b *testing.B) { onHosts(b, benchTakeSpare) }

func benchTakeSpare(b *testing.B) {
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
func BenchmarkDrop(b *testing.B) { onHosts(b, benchDrop) }

func benchDrop(b *testing.B) {
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
func BenchmarkAdopt(b *testing.B) { onHosts(b, benchAdopt) }

func benchAdopt(b *testing.B) {
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
func BenchmarkColdStart(b *testing.B) { onHosts(b, benchColdStart) }

func benchColdStart(b *testing.B) {
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

// BenchmarkRedisStart is a Redis server without a spare.
func BenchmarkRedisStart(b *testing.B) { onHosts(b, benchRedisStart) }

func benchRedisStart(b *testing.B) {
	p := openRedis(b, Config{})
	for b.Loop() {
		r, err := p.Redis(b.Context(), limiter, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := p.removeServer(b.Context(), r.server); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkRedisTakeSpare is a Redis server that was started ahead: what a grade waits for.
func BenchmarkRedisTakeSpare(b *testing.B) { onHosts(b, benchRedisTakeSpare) }

func benchRedisTakeSpare(b *testing.B) {
	p := openRedis(b, Config{})
	for b.Loop() {
		b.StopTimer()
		if err := p.PrepareRedis(b.Context(), nil); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		r, err := p.Redis(b.Context(), limiter, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := p.removeServer(b.Context(), r.server); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkRedisRemove is the background's part of a release.
func BenchmarkRedisRemove(b *testing.B) { onHosts(b, benchRedisRemove) }

func benchRedisRemove(b *testing.B) {
	p := openRedis(b, Config{})
	for b.Loop() {
		b.StopTimer()
		r, err := p.Redis(b.Context(), limiter, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if err := p.removeServer(b.Context(), r.server); err != nil {
			b.Fatal(err)
		}
	}
}
