package grader

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cairn-learn/cairn/grader/report"
)

// BenchmarkGrade grades a program that was edited since the last grade, with
// warm dependencies. Next to the whole it reports what the compiler took, and
// how much longer than the compiler the verdict took (1 would be not at all).
func BenchmarkGrade(b *testing.B) {
	dir := b.TempDir()
	g, err := New(Config{CacheDir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = g.Close() }()
	source, err := os.ReadFile(filepath.Join(cases(b), "honest", "probe.go"))
	if err != nil {
		b.Fatal(err)
	}
	if err := g.Prepare(b.Context(), probe()); err != nil {
		b.Fatal(err)
	}
	var build, whole time.Duration
	edit := 0
	for b.Loop() {
		edit++
		edited := fmt.Appendf(source[:len(source):len(source)], "\nconst edit = %d\n", edit)
		if err := os.WriteFile(filepath.Join(dir, "probe.go"), edited, 0o644); err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		r, err := g.Grade(b.Context(), Submission{Exercise: probe(), Dir: dir}, nil)
		if err != nil || r.Verdict != report.Passed {
			b.Fatalf("verdict %s (%s), error %v", r.Verdict, r.Reason, err)
		}
		whole += time.Since(began)
		for _, p := range r.Phases {
			if p.Name == report.PhaseBuild {
				build += p.Duration
			}
		}
	}
	n := float64(edit)
	b.ReportMetric(build.Seconds()*1000/n, "ms-compiling/op")
	b.ReportMetric(whole.Seconds()/build.Seconds(), "ratio-to-compiler")
}
