package wire_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cairn-learn/cairn/grader/redistest"
	"github.com/cairn-learn/cairn/grader/wire"
)

// BenchmarkRedisRoundTrips measures GETs of a short string over 8 connections, as
// BenchmarkRoundTrips does for PostgreSQL. A GET costs the server next to nothing,
// so that the ratio to direct is that of two more copies on the way.
func BenchmarkRedisRoundTrips(b *testing.B) {
	const connections, rounds = 8, 20
	server := redistest.Start(b)
	proxy, err := wire.ListenRedis(wire.Config{Upstream: server, Name: "instance 1", Log: wire.NewLog()})
	if err != nil {
		b.Fatal(err)
	}
	defer proxy.Close()
	dialRedis(b, server).must("set", "key:1", "a short value")
	addrs := []string{server, copyingProxy(b, server), proxy.Addr()}

	pools := make([][]*redisConn, len(addrs))
	for i, addr := range addrs {
		for range connections {
			pools[i] = append(pools[i], dialRedis(b, addr))
		}
		gets(b, pools[i], 2000)
	}

	spent := make([]time.Duration, len(addrs))
	share := max(b.N/rounds, connections)
	b.ResetTimer()
	for round := range rounds {
		for turn := range pools {
			i := (turn + round) % len(pools)
			start := time.Now()
			gets(b, pools[i], share)
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

// gets runs n GETs, shared out among the connections.
func gets(b *testing.B, conns []*redisConn, n int) {
	b.Helper()
	var wg sync.WaitGroup
	for _, conn := range conns {
		wg.Go(func() {
			for i := range n / len(conns) {
				if got, err := conn.do("GET", "key:1"); err != nil || got != "a short value" {
					b.Error(fmt.Errorf("get %d returned %q, %v", i, got, err))
					return
				}
			}
		})
	}
	wg.Wait()
}
