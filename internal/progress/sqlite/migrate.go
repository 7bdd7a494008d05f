package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var embedded embed.FS

// Each migration sets user_version to its own number, which is quicker to ask
// for than goose's table.
var migrations = func() fs.FS {
	sub, err := fs.Sub(embedded, "migrations")
	if err != nil {
		panic(err) // the name above is wrong
	}
	return sub
}()

// version is the version of the form that this cairn writes: the number of
// migrations.
func version() int {
	names, err := fs.Glob(migrations, "*.sql")
	if err != nil {
		panic(err) // the pattern above is wrong
	}
	return len(names)
}

// migrateFile brings a file to this version; it makes it when it is missing.
// Each step is kept whole or not at all.
func migrateFile(ctx context.Context, path string, wait time.Duration) error {
	db, err := sql.Open("sqlite", dsn(path, "", wait))
	if err != nil {
		return err
	}
	return errors.Join(migrate(ctx, db), db.Close())
}

func migrate(ctx context.Context, db *sql.DB) error {
	p, err := goose.NewProvider(goose.DialectSQLite3, db, migrations, goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return err
	}
	have := 0
	if err := db.QueryRowContext(ctx, "pragma user_version").Scan(&have); err != nil {
		return err
	}
	if have != version() {
		return fmt.Errorf("after all migrations the version is %d, not %d", have, version())
	}
	return nil
}
