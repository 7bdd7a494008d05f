package wire_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cairn-learn/cairn/grader/wire"
)

// TestGoRedis drives the proxy with the client that learners use, and all that it
// does by itself.
func TestGoRedis(t *testing.T) {
	for _, protocol := range []int{2, 3} {
		t.Run(fmt.Sprint("RESP", protocol), func(t *testing.T) {
			r := newRedisRig(t)
			client := redis.NewClient(&redis.Options{Addr: r.proxy.Addr(), Protocol: protocol, PoolSize: 1})
			defer client.Close()
			useGoRedis(t, client, redis.NewClient(&redis.Options{Addr: r.addr}))
			var seen []string
			for i, c := range r.log.Commands() {
				if !c.Setup() {
					seen = append(seen, strings.TrimSpace(r.seen(0)[i]))
				}
				if c.Pending {
					t.Errorf("pending is %+v", c)
				}
			}
			hash := redis.NewScript(hit).Hash()
			want := []string{
				"SET a 1 ex 60 → OK", `GET a → "1"`, "GET nothing → nil",
				"INCR n → 1", "INCR n → 2", "EXPIRE n 60 → 1",
				"WATCH a → OK", `GET a → "1"`, "MULTI → OK", "SET a 2 → OK", "INCRBY n 5 → 7", "EXEC → [OK, 7]", "UNWATCH → OK",
				"EVALSHA " + hash + " 1 rate 100 → ERROR NOSCRIPT No matching script. Please use EVAL.",
				"EVAL " + hit + " 1 rate 100 → 1", "EVALSHA " + hash + " 1 rate 100 → 2",
				`BLPOP l 5 → ["l", "x"]`, "SUBSCRIBE ch → [\"subscribe\", \"ch\", 1]",
			}
			if !slices.Equal(seen, want) {
				t.Errorf("the log shows\n\t%s\nwant\n\t%s", strings.Join(seen, "\n\t"), strings.Join(want, "\n\t"))
			}
			for _, c := range r.log.Commands() {
				if c.Name == "EVALSHA" && c.Script != hit {
					t.Errorf("the script of %v is given as %q", c.Args, c.Script)
				}
			}
			for _, n := range r.log.Notes() {
				t.Errorf("noted %q", n.Text)
			}
		})
	}
}

const hit = "local n = redis.call('INCR', KEYS[1]) redis.call('PEXPIRE', KEYS[1], ARGV[1]) return n"

func useGoRedis(t *testing.T, client, direct *redis.Client) {
	t.Helper()
	defer direct.Close()
	ctx := context.Background()
	must(t, client.Set(ctx, "a", "1", time.Minute).Err())
	must(t, client.Get(ctx, "a").Err())
	if err := client.Get(ctx, "nothing").Err(); !errors.Is(err, redis.Nil) {
		t.Errorf("getting nothing gives %v", err)
	}
	_, err := client.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.Incr(ctx, "n")
		p.Incr(ctx, "n")
		p.Expire(ctx, "n", time.Minute)
		return nil
	})
	must(t, err)
	must(t, client.Watch(ctx, func(tx *redis.Tx) error {
		if err := tx.Get(ctx, "a").Err(); err != nil {
			return err
		}
		_, err := tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.Set(ctx, "a", "2", 0)
			p.IncrBy(ctx, "n", 5)
			return nil
		})
		return err
	}, "a"))
	script := redis.NewScript(hit)
	for want := range 2 {
		if n, err := script.Run(ctx, client, []string{"rate"}, 100).Int(); err != nil || n != want+1 {
			t.Errorf("the script gives %d, %v", n, err)
		}
	}
	must(t, direct.RPush(ctx, "l", "x").Err())
	must(t, client.BLPop(ctx, 5*time.Second, "l").Err())
	sub := client.Subscribe(ctx, "ch")
	_, err = sub.Receive(ctx)
	must(t, err)
	must(t, direct.Publish(ctx, "ch", "hello").Err())
	if m, err := sub.ReceiveMessage(ctx); err != nil || m.Payload != "hello" {
		t.Errorf("the message is %v, %v", m, err)
	}
	must(t, sub.Close())
}

// TestGoRedisLosesItsConnection: the client's own second try shows in the log.
func TestGoRedisLosesItsConnection(t *testing.T) {
	r := newRedisRig(t)
	client := redis.NewClient(&redis.Options{Addr: r.proxy.Addr(), MaxRetries: 1})
	defer client.Close()
	r.proxy.CutAfter(nameIs("INCR"), wire.CutBeforeAnswer)
	if n, err := client.Incr(context.Background(), "n").Result(); err != nil || n != 2 {
		t.Errorf("counted to %d, %v", n, err)
	}
	var seen []string
	for i, c := range r.log.Commands() {
		if c.Name == "INCR" {
			seen = append(seen, r.seen(0)[i])
		}
	}
	if want := []string{"INCR n → 1", "INCR n → 2"}; !slices.Equal(seen, want) {
		t.Errorf("seen %q, want %q", seen, want)
	}
}
