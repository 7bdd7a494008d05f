package wire_test

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cairn-learn/cairn/grader/wire"
)

// BenchmarkRoundTrips measures 1-row selects over 8 connections: straight to the
// server, through a proxy that only copies bytes, and through this package's. The
// three take turns in short rounds, so that a noisy machine disturbs all alike;
// what counts are the ratios of their rates, from one run.
func BenchmarkRoundTrips(b *testing.B) {
	const connections, rounds = 8, 20
	database := openDatabase(b)
	proxy, err := wire.ListenPostgres(wire.Config{
		Upstream: database.addr, Name: "instance 1", Log: wire.NewLog(), Barrier: wire.NewBarrier(),
	})
	if err != nil {
		b.Fatal(err)
	}
	defer proxy.Close()
	addrs := []string{database.addr, copyingProxy(b, database.addr), proxy.Addr()}

	pools := make([][]*pgx.Conn, len(addrs))
	for i, addr := range addrs {
		for range connections {
			pools[i] = append(pools[i], connect(b, database.ProgramURL(addr)))
		}
		roundTrips(b, pools[i], 2000)
	}

	spent := make([]time.Duration, len(addrs))
	share := max(b.N/rounds, connections)
	b.ResetTimer()
	for round := range rounds {
		for turn := range pools {
			i := (turn + round) % len(pools)
			start := time.Now()
			roundTrips(b, pools[i], share)
			spent[i] += time.Since(start)
		}
	}
	b.StopTimer()
	rate := func(i int) float64 { return float64(share*rounds) / spent[i].Seconds() }
	b.ReportMetric(0, "ns/op") // three different things: no use
	b.ReportMetric(rate(0), "direct/s")
	b.ReportMetric(rate(1), "copy/s")
	b.ReportMetric(rate(2), "wire/s")
	b.ReportMetric(rate(2)/rate(1), "ratio-to-copy")
	b.ReportMetric(rate(2)/rate(0), "ratio-to-direct")
}

// roundTrips runs n selects, shared out among the connections.
func roundTrips(b *testing.B, conns []*pgx.Conn, n int) {
	b.Helper()
	var wg sync.WaitGroup
	for _, conn := range conns {
		wg.Go(func() {
			for i := range n / len(conns) {
				var got int
				err := conn.QueryRow(context.Background(), "select $1::int", i).Scan(&got)
				if err != nil || got != i {
					b.Errorf("select %d returned %d, %v", i, got, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// copyingProxy forwards bytes and does nothing else.
func copyingProxy(tb testing.TB, upstream string) string {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", upstream)
			if err != nil {
				_ = client.Close()
				continue
			}
			go copyAndClose(server, client)
			go copyAndClose(client, server)
		}
	}()
	return listener.Addr().String()
}

func copyAndClose(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.Close()
}
