package build

import (
	"bytes"
	"context"
	"encoding/json"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// tools are Go's own paths, as the user's environment sets them.
type tools struct {
	goBinary                    string
	cache, modCache, goPath, cc string
}

var known struct {
	sync.Mutex
	byMod map[string]*tools
}

// toolchain asks the user's Go, once for every go.mod, where things are. It is
// asked inside the module, so that a user who lets Go fetch newer toolchains
// gets the one that the workspace needs.
func toolchain(ctx context.Context, src string, r Request) (*tools, error) {
	known.Lock()
	defer known.Unlock()
	key := string(r.GoMod) + "\x00" + r.CacheDir + "\x00" + os.Getenv("PATH")
	if found := known.byMod[key]; found != nil {
		return found, nil
	}
	goBinary, err := findGo()
	if err != nil {
		return nil, &TroubleError{What: "Go is not installed, or not in $PATH", Do: "install it from https://go.dev/dl", Err: err}
	}
	cmd := exec.CommandContext(ctx, goBinary, "env", "-json", "GOROOT", "GOCACHE", "GOMODCACHE", "GOPATH", "CC")
	cmd.Dir = src
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	answer, err := cmd.Output()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		if t := troubleIn(complaints.String()); t != nil {
			return nil, t
		}
		return nil, &TroubleError{What: "go env failed: " + firstLine(complaints.String()), Do: "run go env in a terminal and mend what it says", Err: err}
	}
	var env struct{ GOROOT, GOCACHE, GOMODCACHE, GOPATH, CC string }
	if err := json.Unmarshal(answer, &env); err != nil {
		return nil, &TroubleError{What: "go env gave no sensible answer", Do: "run go env in a terminal", Err: err}
	}
	found := &tools{goBinary: goBinary, cache: env.GOCACHE, modCache: env.GOMODCACHE, goPath: env.GOPATH, cc: env.CC}
	if own := filepath.Join(env.GOROOT, "bin", "go"); isFile(own) {
		found.goBinary = own
	}
	found.settle(r.CacheDir)
	if known.byMod == nil {
		known.byMod = map[string]*tools{}
	}
	known.byMod[key] = found
	return found, nil
}

// settle fills in what a user without a home does not have.
func (t *tools) settle(cacheDir string) {
	if cacheDir == "" {
		cacheDir = filepath.Join(os.TempDir(), "cairn")
	}
	if t.cache == "" || t.cache == "off" {
		t.cache = filepath.Join(cacheDir, "go-build")
	}
	if t.goPath == "" {
		t.goPath = filepath.Join(cacheDir, "go")
	}
	if t.modCache == "" {
		t.modCache = filepath.Join(t.goPath, "pkg", "mod")
	}
}

// findGo looks where Go's installers put it when $PATH does not have it.
func findGo() (string, error) {
	found, err := exec.LookPath("go")
	if err == nil {
		return filepath.Abs(found)
	}
	for _, usual := range []string{"/usr/local/go/bin/go", "/opt/homebrew/bin/go", "/usr/lib/go/bin/go", "/snap/bin/go"} {
		if isFile(usual) {
			return usual, nil
		}
	}
	return "", err
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// environment is the whole environment of go build: nothing that a user or a
// submission sets can change what is compiled.
func (t *tools) environment(tmp string, race bool) []string {
	env := []string{
		"GOENV=off", "GOFLAGS=", "GOWORK=off", "GOTOOLCHAIN=local", "GOPROXY=off", "GOSUMDB=off", "GOVCS=*:off",
		"GO111MODULE=on",
		"GOCACHE=" + t.cache, "GOMODCACHE=" + t.modCache, "GOPATH=" + t.goPath,
		"GOTMPDIR=" + tmp, "TMPDIR=" + tmp,
		"LC_ALL=C",
	}
	for _, name := range []string{"PATH", "HOME"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	if race {
		return append(env, "CGO_ENABLED=1", "CC="+t.cc)
	}
	return append(env, "CGO_ENABLED=0")
}

// usual are packages of the standard library that backends use.
var usual = []string{
	"bufio", "bytes", "cmp", "context", "crypto/hmac", "crypto/rand", "crypto/sha256", "crypto/subtle", "database/sql",
	"encoding/base64", "encoding/csv", "encoding/hex", "encoding/json", "errors", "expvar", "flag", "fmt", "hash/fnv",
	"html/template", "io", "iter", "log", "log/slog", "maps", "math", "math/rand/v2", "mime", "net", "net/http",
	"net/http/httputil", "net/http/pprof", "net/netip", "net/url", "os", "os/signal", "path", "reflect", "regexp",
	"runtime/debug", "slices", "sort", "strconv", "strings", "sync", "sync/atomic", "syscall", "text/template", "time",
	"unicode/utf8",
}

// importsOf lists what the given files import from outside the exercise.
func importsOf(r Request) []string {
	var all []string
	for name, content := range r.Given {
		if path.Ext(name) != ".go" {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, content, parser.ImportsOnly)
		if err != nil {
			continue
		}
		for _, spec := range f.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err == nil && !strings.HasPrefix(imported, Module) && !slices.Contains(all, imported) {
				all = append(all, imported)
			}
		}
	}
	return all
}
