package services

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// installNative is what to install where servers run without containers.
const installNative = "install the servers of PostgreSQL and Redis (on Debian and Ubuntu: apt install postgresql redis-server)"

// Where servers are installed outside PATH: by Debian, by PostgreSQL's own packages, by Homebrew,
// by Postgres.app.
var binFolders = map[string][]string{
	postgresService: {
		"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin", "/opt/homebrew/opt/postgresql@*/bin",
		"/usr/local/opt/postgresql@*/bin", "/Applications/Postgres.app/Contents/Versions/*/bin",
	},
	redisService: {"/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"},
}

var programNames = map[string]string{postgresService: "postgres", redisService: "redis-server"}

// program is a server's program on this machine.
type program struct {
	path         string
	major, minor int
}

func (p program) version() string { return fmt.Sprintf("%d.%d", p.major, p.minor) }

// findProgram returns the newest of the service's programs.
func findProgram(ctx context.Context, service string) (program, error) {
	var found []program
	for _, path := range candidates(service) {
		if p, ok := inspect(ctx, path); ok {
			found = append(found, p)
		}
	}
	if ctx.Err() != nil {
		return program{}, context.Cause(ctx)
	}
	if len(found) == 0 {
		pkg := map[string]string{postgresService: "postgresql", redisService: "redis-server"}[service]
		return program{}, unavailable(fs.ErrNotExist, "install it (on Debian and Ubuntu: apt install "+pkg+"), or use Docker",
			"the server of %s is not installed on this machine", titles[service])
	}
	return slices.MaxFunc(found, func(a, b program) int {
		return cmp.Or(cmp.Compare(a.major, b.major), cmp.Compare(a.minor, b.minor))
	}), nil
}

// installed tells whether this machine has a server's program.
func installed(ctx context.Context) bool {
	for service := range programNames {
		if _, err := findProgram(ctx, service); err == nil {
			return true
		}
	}
	return false
}

// candidates are the paths of the service's programs, each once.
func candidates(service string) []string {
	name := programNames[service]
	folders := filepath.SplitList(os.Getenv("PATH"))
	for _, pattern := range binFolders[service] {
		more, _ := filepath.Glob(pattern)
		folders = append(folders, more...)
	}
	var paths []string
	for _, folder := range folders {
		path := filepath.Join(folder, name)
		if _, err := os.Stat(path); err != nil || !filepath.IsAbs(path) {
			continue
		}
		if service == postgresService {
			// A link in PATH has no initdb beside it, and neither has what some client's package
			// brings. Redis' program is a link itself and does what it is called.
			path, _ = filepath.EvalSymlinks(path)
			if _, err := os.Stat(initdbOf(path)); err != nil {
				continue
			}
		}
		if !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return paths
}

func initdbOf(postgres string) string { return filepath.Join(filepath.Dir(postgres), "initdb") }

var versionForm = regexp.MustCompile(`(?:PostgreSQL\) |v=)([0-9]+)(?:\.([0-9]+))?`)

// inspect asks a program for its version.
func inspect(ctx context.Context, path string) (program, bool) {
	ctx, cancel := context.WithTimeout(ctx, engineSlow) // a busy machine needs some seconds to start it
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "--version")
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	m := versionForm.FindSubmatch(out)
	if err != nil || m == nil {
		return program{}, false
	}
	p := program{path: path}
	p.major, _ = strconv.Atoi(string(m[1])) // digits only
	p.minor, _ = strconv.Atoi(string(m[2])) // none is 0: a beta has none
	return p, true
}
