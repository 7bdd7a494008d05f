package watch_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cairn-learn/cairn/internal/watch"
)

// quiet is longer than a busy machine takes from one step of a save to the next.
const quiet = 200 * time.Millisecond

// rig is a folder that is watched.
type rig struct {
	t   *testing.T
	dir string
	*watch.Watcher
}

func watching(t *testing.T, o watch.Options) *rig {
	t.Helper()
	r := &rig{t: t, dir: filepath.Join(t.TempDir(), "my exercise")}
	r.write("a.go", "begin")
	r.Watcher = watch.Folder(t.Context(), r.dir, r.content, o)
	if r.Polling != nil {
		t.Fatalf("no events on this machine: %v", r.Polling)
	}
	return r
}

// content is the fingerprint: names and contents of all Go files.
func (r *rig) content() string {
	var all strings.Builder
	_ = filepath.WalkDir(r.dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(name) == ".go" {
			data, _ := os.ReadFile(name)
			fmt.Fprintf(&all, "%s=%s ", filepath.Base(name), data)
		}
		return nil
	})
	return strings.TrimSpace(all.String())
}

func (r *rig) write(name, text string) {
	r.t.Helper()
	name = filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) ok(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// next is the next change; the test's own deadline ends a wait in vain.
func (r *rig) next(want string) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 30*time.Second)
	defer cancel()
	select {
	case got := <-r.C:
		if got != want {
			r.t.Errorf("a change to %q, want %q", got, want)
		}
	case <-ctx.Done():
		r.t.Fatalf("no change to %q was told; there is %q", want, r.content())
	}
}

func TestSaves(t *testing.T) {
	r := watching(t, watch.Options{Every: time.Hour, Quiet: quiet}) // events alone
	r.write("a.go", "in place")
	r.next("a.go=in place")

	// Beside it, then renamed into its place, as most editors do.
	r.write(".a.go.swp", "atomic")
	r.ok(os.Rename(filepath.Join(r.dir, ".a.go.swp"), filepath.Join(r.dir, "a.go")))
	r.next("a.go=atomic")

	// The old file becomes a backup first, as others do.
	r.ok(os.Rename(filepath.Join(r.dir, "a.go"), filepath.Join(r.dir, "a.go~")))
	r.write("a.go", "after a backup")
	r.next("a.go=after a backup")

	// A folder that is new, with a file in it, and then a change there.
	r.write("sub/b.go", "1")
	r.next("a.go=after a backup b.go=1")
	r.write("sub/b.go", "2")
	r.next("a.go=after a backup b.go=2")
	r.ok(os.RemoveAll(filepath.Join(r.dir, "sub")))
	r.next("a.go=after a backup")
}

// TestTouchesAreNothing ends with a real change: what was told before it came
// from the touches.
func TestTouchesAreNothing(t *testing.T) {
	r := watching(t, watch.Options{Every: time.Hour, Quiet: quiet})
	for i := range 20 {
		r.write("a.go", "begin")
		r.ok(os.Chtimes(filepath.Join(r.dir, "a.go"), time.Now(), time.Now()))
		r.write("notes.txt", fmt.Sprint(i))
	}
	r.write("a.go", "end")
	r.next("a.go=end")
}

func TestStormIsOneChange(t *testing.T) {
	r := watching(t, watch.Options{Every: time.Hour, Quiet: 700 * time.Millisecond})
	for i := range 50 {
		r.write("a.go", fmt.Sprint(i))
	}
	r.next("a.go=49")
}

// TestFolderIsReplaced is what cairn reset does.
func TestFolderIsReplaced(t *testing.T) {
	r := watching(t, watch.Options{Every: time.Hour, Quiet: quiet})
	r.ok(os.Rename(r.dir, r.dir+"-backup"))
	r.write("a.go", "anew")
	r.next("a.go=anew")
	r.write("a.go", "anew, changed")
	r.next("a.go=anew, changed")
}

func TestPolling(t *testing.T) {
	r := watching(t, watch.Options{Poll: true, Every: 5 * time.Millisecond, Quiet: quiet})
	r.write("a.go", "found by looking")
	r.next("a.go=found by looking")
	r.write("sub/b.go", "1")
	r.next("a.go=found by looking b.go=1")
}

// TestNewestChangeWaits holds that somebody busy finds the newest state.
func TestNewestChangeWaits(t *testing.T) {
	looked := make(chan string)
	r := &rig{t: t, dir: t.TempDir()}
	r.write("a.go", "0")
	ctx, cancel := context.WithCancel(t.Context())
	first := true
	r.Watcher = watch.Folder(ctx, r.dir, func() string {
		now := r.content()
		if !first {
			select {
			case looked <- now:
			case <-ctx.Done():
			}
		}
		first = false
		return now
	}, watch.Options{Every: time.Hour})
	for _, text := range []string{"1", "2", "3"} {
		r.write("a.go", text)
		for got := ""; got != "a.go="+text; {
			got = <-looked
		}
	}
	r.write("a.go", "4")
	for got := ""; got != "a.go=4"; {
		got = <-looked
	}
	cancel()
	seen := ""
	for got := range r.C { // closed at the end
		seen = got
	}
	if seen != "a.go=4" {
		t.Errorf("the newest is %q", seen)
	}
}
