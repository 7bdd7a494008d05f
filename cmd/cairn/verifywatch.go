package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/adrg/xdg"

	"github.com/cairn-learn/cairn/exercises"
	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/internal/gate"
	"github.com/cairn-learn/cairn/internal/watch"
)

// verifyWatching verifies an exercise, and after each save what it has touched,
// until the author interrupts. A save during a look ends it, and what it was about
// is looked at again, with what the save has touched.
func (a *app) verifyWatching(ctx context.Context, g *grader.Grader, root, id string, o verifyOptions) error {
	a.untilInterrupted = true
	dir := filepath.Join(root, "exercises", id)
	before := prints(dir)
	saves := watch.Folder(ctx, dir, func() string { return prints(dir).sum() }, watch.Options{})
	touched := touch{all: true}
	for ctx.Err() == nil {
		left, err := a.verifyUntilSaved(ctx, g, root, id, o, touched, saves.C)
		if err != nil {
			fmt.Fprintf(a.err, "cairn: %v\n", err) // a file that is half written will do; the next save is looked at
		}
		if left == nil && ctx.Err() == nil {
			fmt.Fprintf(a.err, "cairn: watching %s; save to verify again, ctrl+c ends\n", shown(dir))
			select {
			case <-saves.C:
			case <-ctx.Done():
				return nil
			}
			left = &touch{}
		}
		if ctx.Err() != nil {
			return nil
		}
		now := prints(dir)
		touched = left.and(touchedBy(before.differences(now), func(name string) bool { return isSolution(dir, name) }))
		before = now
		fmt.Fprintf(a.err, "cairn: saved at %s\n", time.Now().Format(time.TimeOnly))
		if touched.exam {
			if err := a.rebuild(ctx, g, root); err != nil {
				return err
			}
			touched.all = true // with the exam of this cairn, since the new one does not compile
		}
	}
	return nil
}

// verifyUntilSaved verifies what was touched. It returns that when a save put an
// end to it, and nil when it came to its end.
func (a *app) verifyUntilSaved(ctx context.Context, g *grader.Grader, root, id string, o verifyOptions, t touch, saves <-chan string) (*touch, error) {
	if err := a.reopen(); err != nil {
		return nil, err
	}
	chosen, err := a.chosen([]string{id})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	table := a.newVerifyTable(false)
	ended := make(chan error, 1)
	go func() { ended <- a.verifyOne(ctx, g, root, chosen[0], o, table, t.only()) }()
	select {
	case err := <-ended:
		if err == nil && ctx.Err() == nil {
			err = table.finish()
		}
		return nil, err
	case <-saves:
	}
	cancel()
	<-ended
	return &t, nil
}

// rebuild builds cairn with the exam that was saved and goes on as that. It
// returns nil when it does not compile, which the author is told of.
func (a *app) rebuild(ctx context.Context, g *grader.Grader, root string) error {
	fmt.Fprintln(a.err, "cairn: the exam has changed; building cairn anew")
	sum := sha256.Sum256([]byte(root))
	binary := filepath.Join(xdg.CacheHome, "cairn", "author", hex.EncodeToString(sum[:8]), "cairn")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/cairn")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		if ctx.Err() == nil {
			fmt.Fprintf(a.err, "%s\ncairn: it does not compile; what follows is examined as before\n", strings.TrimSpace(string(out)))
		}
		return nil
	}
	_ = g.Close() // what it can't give back is swept by the next
	err := syscall.Exec(binary, append([]string{binary}, os.Args[1:]...), os.Environ())
	return fmt.Errorf("start %s: %w", binary, err)
}

// fingerprints are the hashes of an exercise's files, by name.
type fingerprints map[string]string

// prints takes the fingerprints of a folder. What can't be read is not there.
func prints(dir string) fingerprints {
	all := fingerprints{}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		if data, err := os.ReadFile(path); err == nil {
			name, _ := filepath.Rel(dir, path)
			sum := sha256.Sum256(data)
			all[filepath.ToSlash(name)] = string(sum[:])
		}
		return nil
	})
	return all
}

func (f fingerprints) sum() string {
	names := f.differences(nil)
	h := sha256.New()
	for _, name := range names {
		fmt.Fprintf(h, "%q %x\n", name, f[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// differences lists the files that are not the same in both, sorted.
func (f fingerprints) differences(other fingerprints) []string {
	var names []string
	for name, sum := range f {
		if other[name] != sum {
			names = append(names, name)
		}
	}
	for name := range other {
		if _, ok := f[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// touch is what a save has touched.
type touch struct {
	all, exam bool
	items     []string // by what gate.Item.String says
}

// and is both.
func (t touch) and(other touch) touch {
	return touch{all: t.all || other.all, exam: t.exam || other.exam, items: append(slices.Clone(t.items), other.items...)}
}

// only matches the items to try, nil for all. The structure takes no time and
// speaks of everything.
func (t touch) only() *regexp.Regexp {
	if t.all {
		return nil
	}
	patterns := []string{string(gate.Structure)}
	for _, item := range t.items {
		patterns = append(patterns, strings.ReplaceAll(regexp.QuoteMeta(item), `\*`, ".*"))
	}
	return regexp.MustCompile("^(" + strings.Join(patterns, "|") + ")$")
}

// touchedBy tells which items depend on files of an exercise. A file whose
// meaning is not known touches everything.
func touchedBy(names []string, solution func(string) bool) touch {
	var t touch
	add := func(kind gate.Kind, name string) {
		t.items = append(t.items, gate.Item{Kind: kind, Name: name}.String())
	}
	for _, name := range names {
		folder, rest, nested := strings.Cut(name, "/")
		switch {
		case name == "task.md": // the structure is looked at in any case
		case folder == "exam":
			t.exam = true
		case folder == "starter" || name == "starter.feedback":
			add(gate.Starter, "")
		case folder == "alternatives" && nested:
			which, _, _ := strings.Cut(rest, "/")
			add(gate.Alternative, which)
			add(gate.Race, which)
		case folder == "mutants" && nested:
			add(gate.Mutant, strings.TrimSuffix(strings.TrimSuffix(rest, ".diff"), ".feedback"))
		case solution(name):
			add(gate.Solution, "")
			add(gate.Race, "solution")
			add(gate.Mutant, "*")
		default:
			t.all = true
		}
	}
	return t
}

// isSolution tells whether a file of an exercise is one that the learner writes.
func isSolution(dir, name string) bool {
	catalogue, err := exercises.Load(os.DirFS(filepath.Dir(dir)))
	if err != nil {
		return false
	}
	e, ok := catalogue.Get(filepath.Base(dir))
	return ok && slices.Contains(e.Edit, name)
}
