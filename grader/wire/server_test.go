package wire_test

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cairn-learn/cairn/grader/services"
)

// server is the warm PostgreSQL server that all tests of the package share.
var server = sync.OnceValues(func() (*services.Postgres, error) {
	provider, err := services.Open(services.Config{NoSpare: true})
	if err != nil {
		return nil, err
	}
	closeServices = provider.Close
	return provider.Postgres(context.Background(), nil)
})

var closeServices = func() error { return nil }

func TestMain(m *testing.M) {
	code := m.Run()
	if err := closeServices(); err != nil && code == 0 {
		println(err.Error())
		code = 1
	}
	os.Exit(code)
}

// db is a database of a test's own.
type db struct {
	addr string // of the server itself
	*services.Database
}

func openDatabase(tb testing.TB) db {
	tb.Helper()
	postgres, err := server()
	var unavailable *services.Unavailable
	if errors.As(err, &unavailable) {
		tb.Skipf("this test needs a PostgreSQL server: %v", err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	database, err := postgres.Database(context.Background(), services.Fixture{Name: "wire"})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { database.Release(false) })
	return db{addr: postgres.Addr(), Database: database}
}

func connect(tb testing.TB, url string) *pgx.Conn {
	tb.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}
