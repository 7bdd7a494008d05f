package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/internal/progress"
)

// kept makes a store with a few attempts and closes it. It returns its path.
func kept(t *testing.T) string {
	t.Helper()
	s := fresh(t)
	for range 30 {
		save(t, s, reportOf("update", report.Failed, noon))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return s.path
}

func attempts(t *testing.T, s *Store) int {
	t.Helper()
	records, err := s.Records(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return records["update"].Attempts
}

// putAside lists what was put aside.
func putAside(t *testing.T, path string) []string {
	t.Helper()
	names, err := fs.Glob(os.DirFS(filepath.Dir(path)), "*.damaged-*")
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		names[i] = filepath.Join(filepath.Dir(path), name)
	}
	return names
}

func TestDamagedIsKeptAside(t *testing.T) {
	cases := map[string]func(data []byte) []byte{
		"empty":     func([]byte) []byte { return nil },
		"truncated": func(data []byte) []byte { return data[:len(data)/2] },
		"cut short": func(data []byte) []byte { return data[:len(data)-4096] },
		"not a database": func(data []byte) []byte {
			return []byte(strings.Repeat("my shopping list\n", len(data)/17))
		},
		"a page of zeros": func(data []byte) []byte {
			clear(data[2*4096 : 3*4096])
			return data
		},
		"a header of zeros": func(data []byte) []byte {
			clear(data[:100])
			return data
		},
	}
	for name, damage := range cases {
		t.Run(name, func(t *testing.T) {
			path := kept(t)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			data = damage(data)
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			s := opened(t, path)
			if len(s.notices) != 1 || !strings.Contains(s.notices[0], "was damaged; it is kept as "+path+".damaged-") {
				t.Fatalf("said: %q", s.notices)
			}
			if n := attempts(t, s); n != 0 {
				t.Errorf("%d attempts in the new one", n)
			}
			save(t, s, reportOf("update", report.Failed, noon))
			aside := putAside(t, path)
			if len(aside) != 1 {
				t.Fatalf("aside: %v", aside)
			}
			if kept, err := os.ReadFile(aside[0]); err != nil || !slices.Equal(kept, data) {
				t.Errorf("what was put aside is not what was there (%v)", err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if again := opened(t, path); len(again.notices) != 0 || attempts(t, again) != 1 {
				t.Errorf("the next start: %q", again.notices)
			}
		})
	}
}

// TestLogWithoutItsFile holds that the log of a file that was removed is not
// played into a new one.
func TestLogWithoutItsFile(t *testing.T) {
	path := kept(t)
	if err := os.Rename(path, path+"-wal"); err != nil {
		t.Fatal(err)
	}
	s := opened(t, path)
	if len(s.notices) != 1 || attempts(t, s) != 0 {
		t.Errorf("said: %q", s.notices)
	}
	if aside := putAside(t, path); len(aside) != 1 || !strings.HasSuffix(aside[0], "-wal") {
		t.Errorf("aside: %v", aside)
	}
}

// TestDamagedInUse holds that nothing is renamed under another cairn's hands.
func TestDamagedInUse(t *testing.T) {
	path := kept(t)
	other := opened(t, path)
	if err := os.Truncate(path, 5000); err != nil {
		t.Fatal(err)
	}
	s := open(path, 50*time.Millisecond)
	var locked *progress.LockedError
	if _, err := s.Opened(t.Context()); !errors.As(err, &locked) {
		t.Errorf("got %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != 5000 {
		t.Errorf("the file was touched: %v", err)
	}
	_, _ = s.Close(), other.Close()
	if s := opened(t, path); len(s.notices) != 1 {
		t.Errorf("after the other one has ended: %q", s.notices)
	}
}

func TestNewerIsLeftAlone(t *testing.T) {
	path := kept(t)
	change(t, path, fmt.Sprintf("pragma user_version = %d", version()+1))
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := Open(path)
	_, err = s.Opened(t.Context())
	var newer *progress.NewerError
	if !errors.As(err, &newer) || newer.Have != version()+1 || newer.Known != version() || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
	if _, err := s.SaveAttempt(t.Context(), progress.Of(reportOf("update", report.Passed, noon))); !errors.As(err, &newer) {
		t.Errorf("saving: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if after, err := os.ReadFile(path); err != nil || !slices.Equal(before, after) {
		t.Errorf("the file was changed (%v)", err)
	}
}

// change does something to a file that cairn does not.
func change(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(path, "", time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestLockedIsWaitedForAndSaid(t *testing.T) {
	path := kept(t)
	s := open(path, 100*time.Millisecond)
	defer s.Close()
	if _, err := s.Opened(t.Context()); err != nil {
		t.Fatal(err)
	}
	other := opened(t, path)
	tx, err := other.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.SaveAttempt(t.Context(), progress.Of(reportOf("update", report.Passed, noon)))
	var locked *progress.LockedError
	if !errors.As(err, &locked) || !strings.Contains(err.Error(), "another cairn has been writing for longer than 100ms") {
		t.Errorf("got %v", err)
	}
	if n := attempts(t, s); n != 30 { // reading goes on
		t.Errorf("%d attempts", n)
	}
	// One that has the patience gets its turn.
	patient := opened(t, path)
	done := make(chan error, 1)
	go func() { done <- patient.SaveHint(t.Context(), progress.Hint{Exercise: "update", Rung: 1}) }()
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("after the other one has ended: %v", err)
	}
}

// TestUpgrade goes from the first form to a second one.
func TestUpgrade(t *testing.T) {
	path := kept(t)
	old := migrations
	first, err := fs.ReadFile(old, "00001_begin.sql")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { migrations = old }()
	migrations = fstest.MapFS{"00001_begin.sql": {Data: first}, "00002_broken.sql": {Data: []byte("-- +goose Up\ncreate table more (x int);\nnonsense;\n")}}
	s := Open(path)
	if _, err := s.Opened(t.Context()); err == nil {
		t.Error("a migration that fails was not noticed")
	}
	_ = s.Close()
	migrations = fstest.MapFS{"00001_begin.sql": {Data: first}, "00002_more.sql": {Data: []byte("-- +goose Up\ncreate table more (x int);\npragma user_version = 2;\n")}}
	s = opened(t, path)
	if _, err := s.db.Exec("insert into more values (1)"); err != nil || attempts(t, s) != 30 {
		t.Errorf("after the upgrade: %v", err)
	}
	_ = s.Close()
	migrations = old
	copied := opened(t, path+".before-2")
	if n := attempts(t, copied); n != 30 {
		t.Errorf("the copy has %d attempts", n)
	}
}

func TestNowhereToWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := Open(filepath.Join(file, "cairn", "progress.db"))
	defer s.Close()
	var unwritable *progress.UnwritableError
	if _, err := s.SaveAttempt(t.Context(), progress.Of(reportOf("update", report.Passed, noon))); !errors.As(err, &unwritable) {
		t.Errorf("got %v", err)
	}
}

// TestReadOnlyHome runs as somebody who may read the store and write nothing.
func TestReadOnlyHome(t *testing.T) {
	path := kept(t)
	dir := filepath.Dir(path)
	for name, mode := range map[string]os.FileMode{path: 0o444, path + ".lock": 0o444, dir: 0o555, filepath.Dir(dir): 0o755, filepath.Dir(filepath.Dir(dir)): 0o755, filepath.Dir(filepath.Dir(filepath.Dir(dir))): 0o755} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	defer func() { _ = os.Chmod(dir, 0o755) }()
	program := filepath.Join(t.TempDir(), "test") // where nobody may run it
	copyFile(t, os.Args[0], program)
	if err := errors.Join(os.Chmod(filepath.Dir(program), 0o755), os.Chmod(filepath.Dir(filepath.Dir(program)), 0o755)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), childVariable+"="+path, childVariable+"_FIRST=reader")
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out, err := cmd.CombinedOutput()
	want := "attempts 30 <nil>\nunwritable true\nnotices 1\n"
	if err != nil || string(out) != want {
		t.Errorf("%v\n%s", err, out)
	}
}

// readOnly is what TestReadOnlyHome's child does.
func readOnly(path string) {
	s := Open(path)
	defer s.Close()
	ctx := context.Background()
	records, err := s.Records(ctx)
	fmt.Println("attempts", records["update"].Attempts, err)
	var unwritable *progress.UnwritableError
	fmt.Println("unwritable", errors.As(s.SaveHint(ctx, progress.Hint{Exercise: "x", Rung: 1}), &unwritable))
	fmt.Println("notices", len(s.notices))
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o755); err != nil {
		t.Fatal(err)
	}
}
