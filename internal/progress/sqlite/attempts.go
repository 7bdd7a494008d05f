package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/internal/progress"
)

// SaveAttempt keeps one attempt; see progress.Store.
func (s *Store) SaveAttempt(ctx context.Context, a progress.Attempt) (id int64, err error) {
	err = s.write(ctx, "the attempt", func(tx *sql.Tx) error {
		id, err = insertAttempt(ctx, tx, a)
		return err
	})
	return id, err
}

func insertAttempt(ctx context.Context, tx *sql.Tx, a progress.Attempt) (int64, error) {
	if a.Report != nil {
		told := progress.Of(a.Report)
		a.Passed, a.Total, a.Checks = told.Passed, told.Total, told.Checks
	}
	var packed []byte
	if a.Report != nil {
		plain, err := json.Marshal(a.Report)
		if err != nil {
			return 0, fmt.Errorf("write the report: %w", err)
		}
		packed = pack(plain)
	}
	var id int64
	err := tx.QueryRowContext(ctx, `insert into attempt
		(exercise, verdict, seed, content, code, cairn, started, duration, imported, passed, total, report)
		values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) returning id`,
		a.Exercise, a.Verdict, int64(a.Seed), a.Content, a.Code, a.Cairn, nanos(a.Started), int64(a.Duration), a.Imported, a.Passed, a.Total, packed).Scan(&id)
	if err != nil {
		return 0, err
	}
	for i, c := range a.Checks {
		if _, err := tx.ExecContext(ctx, "insert into check_outcome values (?, ?, ?, ?, ?, ?, ?)",
			id, i, c.ID, c.Title, c.Status, c.BlockedBy, int64(c.Duration)); err != nil {
			return 0, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.Files)) {
		if err := insertFile(ctx, tx, id, name, a.Files[name]); err != nil {
			return 0, err
		}
	}
	return id, nil
}

// insertFile keeps a file; one that was there before is kept once.
func insertFile(ctx context.Context, tx *sql.Tx, attempt int64, name string, data []byte) error {
	sum := sha256.Sum256(data)
	hash := hex.EncodeToString(sum[:])
	var known bool
	if err := tx.QueryRowContext(ctx, "select exists (select 1 from blob where hash = ?)", hash).Scan(&known); err != nil {
		return err
	}
	if !known {
		if _, err := tx.ExecContext(ctx, "insert into blob (hash, size, data) values (?, ?, ?)", hash, len(data), pack(data)); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, "insert into attempt_file (attempt, name, blob) values (?, ?, ?)", attempt, name, hash)
	return err
}

const attemptColumns = "id, exercise, verdict, seed, content, code, cairn, started, duration, imported, passed, total"

func scanAttempt(row interface{ Scan(...any) error }) (progress.Attempt, error) {
	var a progress.Attempt
	var seed, started, duration int64
	err := row.Scan(&a.ID, &a.Exercise, &a.Verdict, &seed, &a.Content, &a.Code, &a.Cairn, &started, &duration, &a.Imported, &a.Passed, &a.Total)
	a.Seed, a.Started, a.Duration = uint64(seed), moment(started), time.Duration(duration)
	return a, err
}

// Attempts lists attempts, the newest first; see progress.Store.
func (s *Store) Attempts(ctx context.Context, exercise string) ([]progress.Attempt, error) {
	var all []progress.Attempt
	err := s.rows(ctx, "the attempts", func(rows *sql.Rows) error {
		a, err := scanAttempt(rows)
		all = append(all, a)
		return err
	}, "select "+attemptColumns+" from attempt where ? in ('', exercise) order by id desc", exercise)
	return all, err
}

// Attempt returns one attempt whole; see progress.Store.
func (s *Store) Attempt(ctx context.Context, id int64) (progress.Attempt, error) {
	db, err := s.read(ctx)
	if err != nil {
		return progress.Attempt{}, err
	}
	a, err := scanAttempt(db.QueryRowContext(ctx, "select "+attemptColumns+" from attempt where id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return a, &progress.NoAttemptError{ID: id}
	}
	if err != nil {
		return a, s.explain("read the attempt", err)
	}
	if a.Report, err = s.report(ctx, "select report from attempt where id = ?", id); err != nil {
		return a, err
	}
	err = s.rows(ctx, "the checks", func(rows *sql.Rows) error {
		var c progress.Check
		var duration int64
		err := rows.Scan(&c.ID, &c.Title, &c.Status, &c.BlockedBy, &duration)
		c.Duration = time.Duration(duration)
		a.Checks = append(a.Checks, c)
		return err
	}, "select id, title, status, blocked_by, duration from check_outcome where attempt = ? order by position", id)
	if err != nil {
		return a, err
	}
	a.Files, err = s.files(ctx, id)
	return a, err
}

func (s *Store) files(ctx context.Context, attempt int64) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := s.rows(ctx, "the files", func(rows *sql.Rows) error {
		var name, hash string
		var packed []byte
		if err := rows.Scan(&name, &hash, &packed); err != nil {
			return err
		}
		data, err := unpack(packed)
		if err != nil {
			return fmt.Errorf("%s of attempt %d is damaged: %w", name, attempt, err)
		}
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != hash {
			return fmt.Errorf("%s of attempt %d is damaged: it is not what was saved", name, attempt)
		}
		files[name] = data
		return nil
	}, "select name, hash, data from attempt_file join blob on hash = blob where attempt = ?", attempt)
	return files, err
}

// LastReport returns the newest report; see progress.Store.
func (s *Store) LastReport(ctx context.Context, exercise string) (*report.Report, error) {
	return s.report(ctx, "select report from attempt where exercise = ? and report is not null order by id desc limit 1", exercise)
}

// report reads the report that a query finds; nil when it finds none.
func (s *Store) report(ctx context.Context, query string, args ...any) (*report.Report, error) {
	var packed []byte
	err := s.rows(ctx, "the report", func(rows *sql.Rows) error { return rows.Scan(&packed) }, query, args...)
	if err != nil || packed == nil {
		return nil, err
	}
	plain, err := unpack(packed)
	if err != nil {
		return nil, fmt.Errorf("read the report: %w", err)
	}
	return report.Decode(plain)
}

// FirstPass returns the first passed attempts; see progress.Store.
func (s *Store) FirstPass(ctx context.Context) (map[string]progress.Attempt, error) {
	first := map[string]progress.Attempt{}
	err := s.rows(ctx, "the attempts", func(rows *sql.Rows) error {
		a, err := scanAttempt(rows)
		first[a.Exercise] = a
		return err
	}, "select "+attemptColumns+" from attempt where id in (select min(id) from attempt where verdict = 'passed' group by exercise)")
	return first, err
}

// Records sums up every exercise; see progress.Store.
func (s *Store) Records(ctx context.Context) (map[string]progress.Record, error) {
	records := map[string]progress.Record{}
	err := s.rows(ctx, "the attempts", func(rows *sql.Rows) error {
		var exercise string
		var r progress.Record
		var lastAt int64
		var passedAt sql.NullInt64
		if err := rows.Scan(&exercise, &r.Attempts, &r.Last, &lastAt, &passedAt); err != nil {
			return err
		}
		r.LastAt = moment(lastAt)
		if passedAt.Valid {
			r.PassedAt = moment(passedAt.Int64)
		}
		records[exercise] = merge(records[exercise], r)
		return nil
	}, `select exercise, attempts, last, last_at, passed_at from earlier
		union all
		select a.exercise, s.n, a.verdict, a.started, s.passed_at from attempt a
		join (select max(id) id, count(*) n, min(case verdict when 'passed' then started end) passed_at
			from attempt where verdict <> 'ungraded' group by exercise) s on s.id = a.id`)
	return records, err
}

// merge adds what is known of an exercise from two sources, the older first.
func merge(old, r progress.Record) progress.Record {
	r.Attempts += old.Attempts
	if old.Done() && (!r.Done() || old.PassedAt.Before(r.PassedAt)) {
		r.PassedAt = old.PassedAt
	}
	if r.Last == "" || old.LastAt.After(r.LastAt) {
		r.Last, r.LastAt = old.Last, old.LastAt
	}
	return r
}
