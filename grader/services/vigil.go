package services

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// silence is how long a server may leave a trivial question without an answer, before it counts
	// as one that stands still. No load that a program can make comes near.
	silence = 2 * time.Second
	// lookEvery is how often a server is asked while a grade uses it.
	lookEvery = 200 * time.Millisecond
)

// Vigil asks the server for a sign of life until ctx ends, and calls lost at the first that does not
// come: the server went away, was started again, stood still for some time, or another one has taken
// its place. What a program got from such a server says nothing about the program. The error is
// *Unavailable.
func (d *Database) Vigil(ctx context.Context, lost func(error)) {
	var conn *pgx.Conn
	defer func() {
		if conn != nil {
			closeConn(conn)
		}
	}()
	keepVigil(ctx, titles[postgresService], lost, func(ctx context.Context) (err error) {
		if conn != nil {
			if _, err = conn.Exec(ctx, "select 1"); err == nil {
				return nil
			}
			closeConn(conn)
		}
		conn, err = d.p.connect(ctx, "postgres")
		return err
	})
}

// Vigil looks after a Redis server as that of a Database does. A server that answers with an error, such
// as that a script of the program's keeps it busy, has answered.
func (r *Redis) Vigil(ctx context.Context, lost func(error)) {
	keepVigil(ctx, titles[redisService], lost, r.verifyAgain)
}

func keepVigil(ctx context.Context, title string, lost func(error), ask func(context.Context) error) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		short, cancel := context.WithTimeout(ctx, silence)
		err := ask(short)
		late := short.Err() != nil
		cancel()
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			lost(explainLoss(title, err, late))
			return
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

func explainLoss(title string, err error, late bool) error {
	var un *Unavailable
	switch {
	case late:
		return unavailable(err, "look what stops it, then grade again", "%s did not answer for %s in the middle of the grade", title, silence)
	case errors.As(err, &un):
		return err
	}
	return unavailable(err, "grade again, cairn starts it anew", "%s went away in the middle of the grade", title)
}
