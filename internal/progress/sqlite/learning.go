package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/cairn-learn/cairn/internal/progress"
)

// SaveAnswer keeps an answer to a quiz.
func (s *Store) SaveAnswer(ctx context.Context, a progress.QuizAnswer) error {
	chosen, err := json.Marshal(append([]int{}, a.Chosen...))
	if err != nil {
		return fmt.Errorf("save the answer: %w", err)
	}
	return s.exec(ctx, "the answer", "insert into quiz_answer (lesson, question, asked, chosen, correct, at) values (?, ?, ?, ?, ?, ?)",
		a.Lesson, a.Question, a.Asked, string(chosen), a.Correct, nanos(a.At))
}

// Answers returns the answers to a lesson's quiz; see progress.Store.
func (s *Store) Answers(ctx context.Context, lesson string) ([]progress.QuizAnswer, error) {
	var all []progress.QuizAnswer
	err := s.rows(ctx, "the answers", func(rows *sql.Rows) error {
		var a progress.QuizAnswer
		var chosen string
		var at int64
		if err := rows.Scan(&a.Lesson, &a.Question, &a.Asked, &chosen, &a.Correct, &at); err != nil {
			return err
		}
		a.At = moment(at)
		all = append(all, a)
		return json.Unmarshal([]byte(chosen), &all[len(all)-1].Chosen)
	}, "select lesson, question, asked, chosen, correct, at from quiz_answer where ? in ('', lesson) order by id", lesson)
	return all, err
}

// SaveRead keeps that a lesson was read.
func (s *Store) SaveRead(ctx context.Context, r progress.LessonRead) error {
	return s.exec(ctx, "that the lesson is read", "insert into lesson_read (lesson, at) values (?, ?)", r.Lesson, nanos(r.At))
}

// Read returns when lessons were first read; see progress.Store.
func (s *Store) Read(ctx context.Context) (map[string]time.Time, error) {
	return s.times(ctx, "the lessons read", "select lesson, min(at) from lesson_read group by lesson")
}

func (s *Store) times(ctx context.Context, what, query string) (map[string]time.Time, error) {
	all := map[string]time.Time{}
	err := s.rows(ctx, what, func(rows *sql.Rows) error {
		var name string
		var at int64
		err := rows.Scan(&name, &at)
		all[name] = moment(at)
		return err
	}, query)
	return all, err
}

// SavePlace keeps the place in a lesson instead of the last one.
func (s *Store) SavePlace(ctx context.Context, p progress.Place) error {
	return s.exec(ctx, "the place", `insert into place (lesson, screen, heading, line, at, moved)
		values (?, ?, ?, ?, ?, (select coalesce(max(moved), 0) + 1 from place))
		on conflict (lesson) do update set screen = excluded.screen, heading = excluded.heading,
			line = excluded.line, at = excluded.at, moved = excluded.moved`,
		p.Lesson, p.Screen, p.Heading, p.Line, nanos(p.At))
}

// Place returns the place in a lesson; see progress.Store.
func (s *Store) Place(ctx context.Context, lesson string) (progress.Place, bool, error) {
	var p progress.Place
	found := false
	err := s.rows(ctx, "the place", func(rows *sql.Rows) error {
		var at int64
		err := rows.Scan(&p.Lesson, &p.Screen, &p.Heading, &p.Line, &at)
		p.At, found = moment(at), true
		return err
	}, "select lesson, screen, heading, line, at from place where ? in ('', lesson) order by moved desc limit 1", lesson)
	return p, found, err
}

// SaveHint keeps that a hint was shown.
func (s *Store) SaveHint(ctx context.Context, h progress.Hint) error {
	return s.exec(ctx, "the hint", "insert into hint_shown (exercise, rung, at) values (?, ?, ?)", h.Exercise, h.Rung, nanos(h.At))
}

// Hints returns the highest rungs shown; see progress.Store.
func (s *Store) Hints(ctx context.Context) (map[string]int, error) {
	all := map[string]int{}
	err := s.rows(ctx, "the hints", func(rows *sql.Rows) error {
		var exercise string
		var rung int
		err := rows.Scan(&exercise, &rung)
		all[exercise] = rung
		return err
	}, "select exercise, max(rung) from hint_shown group by exercise")
	return all, err
}

// SaveGiveUp keeps that the learner gave up.
func (s *Store) SaveGiveUp(ctx context.Context, g progress.GiveUp) error {
	return s.exec(ctx, "that you gave up", "insert into give_up (exercise, content, at) values (?, ?, ?)", g.Exercise, g.Content, nanos(g.At))
}

// GaveUp returns when the learner gave up; see progress.Store.
func (s *Store) GaveUp(ctx context.Context) (map[string]time.Time, error) {
	return s.times(ctx, "what you gave up", "select exercise, min(at) from give_up group by exercise")
}

// Events returns every moment at which something was saved; see progress.Store.
func (s *Store) Events(ctx context.Context) ([]progress.Event, error) {
	var all []progress.Event
	err := s.rows(ctx, "the events", func(rows *sql.Rows) error {
		var e progress.Event
		var at int64
		err := rows.Scan(&e.Exercise, &e.Lesson, &at)
		e.At = moment(at)
		all = append(all, e)
		return err
	}, `select exercise, '', started from attempt
		union all select '', lesson, at from quiz_answer
		union all select '', lesson, at from lesson_read
		union all select '', lesson, at from place
		union all select exercise, '', at from hint_shown
		union all select exercise, '', at from give_up
		order by 3`)
	return all, err
}

// Import keeps what a folder knew; see progress.Store.
func (s *Store) Import(ctx context.Context, folder string, all []progress.Earlier) (bool, error) {
	fresh := false
	err := s.write(ctx, "what the workspace knew", func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, "insert into imported_folder (folder, at) values (?, ?) on conflict do nothing", folder, nanos(time.Time{}))
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		if err != nil || n == 0 {
			return err
		}
		fresh = true
		for _, e := range all {
			if err := insertEarlier(ctx, tx, folder, e); err != nil {
				return err
			}
		}
		return nil
	})
	return fresh && err == nil, err
}

func insertEarlier(ctx context.Context, tx *sql.Tx, folder string, e progress.Earlier) error {
	attempts := e.Record.Attempts
	if e.Last != nil {
		a := progress.Of(e.Last)
		a.Imported = true
		if _, err := insertAttempt(ctx, tx, a); err != nil {
			return err
		}
		if a.Counts() {
			attempts-- // it is one of them
		}
	}
	if e.Hints > 0 {
		if _, err := tx.ExecContext(ctx, "insert into hint_shown (exercise, rung, at) values (?, ?, ?)", e.Exercise, e.Hints, nanos(time.Time{})); err != nil {
			return err
		}
	}
	if e.Record.Attempts == 0 {
		return nil
	}
	var passedAt any
	if e.Record.Done() {
		passedAt = e.Record.PassedAt.UnixNano()
	}
	_, err := tx.ExecContext(ctx, "insert into earlier (folder, exercise, attempts, last, last_at, passed_at) values (?, ?, ?, ?, ?, ?)",
		folder, e.Exercise, max(attempts, 0), e.Record.Last, nanos(e.Record.LastAt), passedAt)
	return err
}
