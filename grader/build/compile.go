package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cairn-learn/cairn/grader/process"
)

// maxWritten bounds every file that the compiler and the linker write. A program
// is some 10 MB; an array of 512 MB is as large in each of its files.
const maxWritten = 256 << 20

// Binary is a built program.
type Binary struct {
	Path string
	dir  string
}

// Close removes the binary.
func (b *Binary) Close() error { return os.RemoveAll(b.dir) }

// Compile builds the program in program/ of a snapshot. It returns a
// *CompileError when it does not compile, a *LimitError when that took too much
// time or memory, a *TroubleError when nothing can be compiled here, and the
// context's error when ctx was done. The caller closes the Binary.
func Compile(ctx context.Context, s *Snapshot, r Request) (*Binary, error) {
	m, err := newModule(r)
	if err != nil {
		return nil, err
	}
	binary, err := m.compile(ctx, s, r)
	if err != nil {
		m.remove()
		return nil, err
	}
	return binary, nil
}

func (m *module) compile(ctx context.Context, s *Snapshot, r Request) (*Binary, error) {
	if err := m.write(r.ID, s.Files); err != nil {
		return nil, err
	}
	tools, err := toolchain(ctx, m.src, r)
	if err != nil {
		return nil, err
	}
	target := filepath.Join(m.dir, "app")
	output, err := m.run(ctx, tools, r, "-o", target, "./"+r.ID+"/program")
	if err != nil {
		return nil, err
	}
	if output != "" {
		return nil, complaint(output, s, r)
	}
	m.strip()
	return &Binary{Path: target, dir: m.dir}, nil
}

// Warm compiles what programs of this workspace are made of, with the flags that
// Compile uses, so that the first grade finds it in Go's cache: the packages of
// the standard library that backends use, those that the given files import, and
// more as named. It needs GoMod, GoSum and Given of the request. Errors are those
// of Compile.
func Warm(ctx context.Context, r Request, packages ...string) error {
	m, err := newModule(r)
	if err != nil {
		return err
	}
	defer m.remove()
	tools, err := toolchain(ctx, m.src, r)
	if err != nil {
		return err
	}
	r.MemoryLimit = -1 // not the learner's code
	if r.Timeout == 0 {
		r.Timeout = 15 * time.Minute
	}
	all := append(append(append([]string{}, usual...), importsOf(r)...), packages...)
	// Blank imports, as a package: go build of packages by name would want each
	// of them in go.mod.
	var b strings.Builder
	b.WriteString("package warm\n\n")
	for _, path := range all {
		fmt.Fprintf(&b, "import _ %q\n", path)
	}
	if err := m.write("warm", map[string][]byte{"warm.go": []byte(b.String())}); err != nil {
		return err
	}
	output, err := m.run(ctx, tools, r, "./warm")
	if err != nil {
		return err
	}
	if output != "" {
		return complaint(output, &Snapshot{}, r)
	}
	return nil
}

// module is a temporary module that holds one submission.
type module struct{ dir, src string }

func newModule(r Request) (*module, error) {
	parent := os.TempDir()
	if r.CacheDir != "" {
		parent = filepath.Join(r.CacheDir, "apps")
		if err := os.MkdirAll(parent, 0o755); err != nil {
			return nil, trouble(err)
		}
	}
	// The program can see this path: it says nothing about a grade.
	dir, err := os.MkdirTemp(parent, "app-")
	if err != nil {
		return nil, trouble(err)
	}
	m := &module{dir: dir, src: filepath.Join(dir, "src")}
	err = errors.Join(
		os.MkdirAll(filepath.Join(dir, "tmp"), 0o755),
		os.MkdirAll(m.src, 0o755),
		os.WriteFile(filepath.Join(m.src, "go.mod"), r.GoMod, 0o644),
		os.WriteFile(filepath.Join(m.src, "go.sum"), r.GoSum, 0o644),
	)
	if err != nil {
		m.remove()
		return nil, trouble(err)
	}
	return m, nil
}

// write puts files into a folder of the module.
func (m *module) write(folder string, files map[string][]byte) error {
	for name, content := range files {
		path := filepath.Join(m.src, folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return trouble(err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return trouble(err)
		}
	}
	return nil
}

// strip leaves the binary alone, so that the program finds nothing beside it.
func (m *module) strip() {
	_ = os.RemoveAll(m.src)
	_ = os.RemoveAll(filepath.Join(m.dir, "tmp"))
}

func (m *module) remove() { _ = os.RemoveAll(m.dir) }

// run runs go build and returns what it complained about, "" when it succeeded.
func (m *module) run(ctx context.Context, tools *tools, r Request, args ...string) (string, error) {
	if r.Timeout == 0 {
		r.Timeout = DefaultTimeout
	}
	if r.MemoryLimit == 0 {
		r.MemoryLimit = DefaultMemoryLimit
	}
	limited, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	p, err := process.Start(limited, process.Spec{
		Path:         tools.goBinary,
		Args:         append(flags(r), args...),
		Dir:          m.src,
		Env:          tools.environment(filepath.Join(m.dir, "tmp"), r.Race),
		MemoryLimit:  max(0, r.MemoryLimit),
		ProcessLimit: -1,
		FileLimit:    maxWritten,
		Yield:        r.Yield,
	})
	if err != nil && limited.Err() == nil {
		return "", trouble(err)
	}
	if err == nil {
		<-p.Done()
	}
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if limited.Err() != nil {
		return "", &LimitError{What: fmt.Sprintf("compiling took longer than %v", r.Timeout)}
	}
	return outcome(p)
}

// outcome tells success, a complaint, and a limit apart.
func outcome(p *process.Process) (string, error) {
	exit, _ := p.Exit()
	output := p.Output()
	switch {
	case exit.Reason == process.MemoryLimit:
		return "", &LimitError{What: "compiling took too much memory; is there a very large array in the program?"}
	case strings.Contains(output, "SIGXFSZ"), strings.Contains(output, "file size limit exceeded"),
		strings.Contains(output, syscall.EFBIG.Error()), exit.Signal == "SIGXFSZ":
		return "", &LimitError{What: fmt.Sprintf("the program would be larger than %d MB; is there a very large array in it?", maxWritten>>20)}
	case exit.Reason == process.OutputLimit:
		return output, nil
	case exit.Reason != process.Exited:
		return "", &TroubleError{What: "the Go compiler " + exit.String(), Do: "grade again"}
	case exit.Code == 0:
		return "", nil
	case strings.TrimSpace(output) == "":
		return "", &TroubleError{What: "the Go compiler " + exit.String() + " and said nothing", Do: "run cairn doctor"}
	}
	return output, nil
}

// flags are the same for every build: other ones would miss Go's cache.
func flags(r Request) []string {
	all := []string{"build"}
	if r.test {
		all = []string{"test", "-c", "-vet=off"}
	}
	all = append(all,
		"-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags=-s -w",
		"-p="+strconv.Itoa(min(4, runtime.NumCPU())), // each compiler takes memory
	)
	if r.Race {
		all = append(all, "-race")
	}
	return all
}
