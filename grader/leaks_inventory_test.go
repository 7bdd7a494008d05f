package grader_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/gofrs/flock"
	"github.com/jackc/pgx/v5"

	"github.com/cairn-learn/cairn/grader/process"
	"github.com/cairn-learn/cairn/grader/services"
)

// The rows of an inventory. Everything but the networks and what belongs to this
// process is found by the folder of the bed.
var inventoryRows = []string{
	"processes", "children of this process", "containers", "networks", "databases", "roles", "sessions in PostgreSQL",
	"cache folder", "temporary folder", "leases", "kept worlds", "folders of servers", "records of servers",
	"control groups", "open files", "goroutines",
}

// stock is how much there is of each, and what.
type stock map[string][]string

// settleIn is how long a machine under load may take until what was released is gone.
const settleIn = time.Minute

// inventory returns what there is once it no longer changes.
func inventory(t *testing.T, b leakBed) stock {
	t.Helper()
	last := take(t, b)
	for calm, deadline := 0, time.Now().Add(settleIn); calm < 3 && time.Now().Before(deadline); {
		<-time.After(100 * time.Millisecond)
		now := take(t, b)
		if calm++; len(differences(last, now)) > 0 {
			calm = 0
		}
		last = now
	}
	return last
}

// inventoryLike waits until there is as much of everything as in want, and returns
// what there is when that doesn't come.
func inventoryLike(t *testing.T, b leakBed, want stock) stock {
	t.Helper()
	for deadline := time.Now().Add(settleIn); ; {
		now := take(t, b)
		if len(differences(want, now)) == 0 || time.Now().After(deadline) {
			return now
		}
		<-time.After(100 * time.Millisecond)
	}
}

func differences(a, b stock) []string {
	var rows []string
	for _, row := range inventoryRows {
		if len(a[row]) != len(b[row]) {
			rows = append(rows, row)
		}
	}
	return rows
}

func requireEqual(t *testing.T, when string, before, after stock) {
	t.Helper()
	for _, row := range differences(before, after) {
		added := slices.DeleteFunc(slices.Clone(after[row]), func(what string) bool { return slices.Contains(before[row], what) })
		const shown = 20
		t.Errorf("%s: %d %s before, %d after, among them\n%s", when, len(before[row]), row, len(after[row]), strings.Join(added[:min(shown, len(added))], "\n"))
	}
}

// compare is the table of two pairs of inventories.
func compare(before, after stock, when string, before2, after2 stock, when2 string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-26s %-20s %-20s\n%-26s %8s %8s    %8s %8s\n", "", "   "+when, "      "+when2, "", "before", "after", "before", "after")
	for _, row := range inventoryRows {
		fmt.Fprintf(&b, "%-26s %8d %8d    %8d %8d\n", row, len(before[row]), len(after[row]), len(before2[row]), len(after2[row]))
	}
	return b.String()
}

func take(t *testing.T, b leakBed) stock {
	t.Helper()
	names := b.seen.all()
	s := stock{
		"processes":          processesOf(append(names, b.dir)),
		"cache folder":       below(b.cache()),
		"temporary folder":   below(b.temporary()),
		"leases":             below(filepath.Join(b.state(), "leases")),
		"kept worlds":        below(filepath.Join(b.state(), "kept")),
		"records of servers": below(filepath.Join(b.state(), "servers")),
		"control groups":     controlGroups(),
		"open files":         openFiles(),
	}
	for _, name := range names {
		for _, dir := range []string{"/dev/shm", "/var/tmp", os.TempDir()} {
			if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
				s["folders of servers"] = append(s["folders of servers"], filepath.Join(dir, name))
			}
		}
	}
	s["children of this process"] = childrenOf(os.Getpid())
	lookIntoEngine(t, b, s)
	lookIntoPostgres(t, b, s)
	s["goroutines"] = goroutines()
	return s
}

// processesOf lists the processes, but this one and the test's, that run this binary, or whose program,
// folder, arguments, environment or open files name one of the marks. A program under
// examination has its home in the cache folder, and so has all that comes of it.
func processesOf(marks []string) []string {
	own, _ := os.Readlink("/proc/self/exe")
	var found []string
	folders, _ := filepath.Glob("/proc/[0-9]*")
	for _, proc := range folders {
		pid := filepath.Base(proc)
		if pid == strconv.Itoa(os.Getpid()) || pid == strconv.Itoa(os.Getppid()) {
			continue
		}
		exe, _ := os.Readlink(filepath.Join(proc, "exe"))
		cwd, _ := os.Readlink(filepath.Join(proc, "cwd"))
		args, _ := os.ReadFile(filepath.Join(proc, "cmdline"))
		env, _ := os.ReadFile(filepath.Join(proc, "environ"))
		known := strings.Join(append([]string{exe, cwd, string(args), string(env)}, filesOf(proc)...), "\n")
		if own != "" && exe == own || slices.ContainsFunc(marks, func(m string) bool { return strings.Contains(known, m) }) {
			found = append(found, pid+" "+strings.ReplaceAll(string(args), "\x00", " "))
		}
	}
	return found
}

// controlGroups lists the groups of programs where cairn makes them here. In the
// hierarchy of pids of version 1 others may make theirs too: there those count that
// no supervisor holds.
func controlGroups() []string {
	where := process.Limits().Where
	if where == "" {
		return nil
	}
	found, _ := filepath.Glob(filepath.Join(where, "cairn-*"))
	groups, _ := os.ReadFile("/proc/self/cgroup")
	for line := range strings.Lines(string(groups)) {
		_, path, ok := strings.Cut(strings.TrimSpace(line), ":pids:")
		if !ok {
			continue
		}
		dirs, _ := filepath.Glob(filepath.Join("/sys/fs/cgroup/pids", path, "cairn-*"))
		for _, dir := range dirs {
			l := flock.New(dir, flock.SetFlag(os.O_RDONLY))
			if free, err := l.TryLock(); err == nil && free {
				found = append(found, dir)
			}
			_ = l.Close()
		}
	}
	return found
}

// filesOf names the open files of a process.
func filesOf(proc string) []string {
	entries, _ := os.ReadDir(filepath.Join(proc, "fd"))
	var files []string
	for _, e := range entries {
		if target, err := os.Readlink(filepath.Join(proc, "fd", e.Name())); err == nil {
			files = append(files, target)
		}
	}
	return files
}

// openFiles names the open files of this process, but for the folder that tells them.
func openFiles() []string {
	return slices.DeleteFunc(filesOf("/proc/self"), func(target string) bool { return strings.HasSuffix(target, "/fd") })
}

// childrenOf lists the children of a process, those included that wait to be buried.
func childrenOf(parent int) []string {
	var found []string
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		stat, _ := os.ReadFile(file)
		_, rest, ok := strings.Cut(string(stat), ") ")
		if fields := strings.Fields(rest); ok && len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			found = append(found, strings.TrimSpace(string(stat)))
		}
	}
	return found
}

// below lists the paths below a folder.
func below(dir string) []string {
	var found []string
	_ = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && path != dir {
			found = append(found, path)
		}
		return nil
	})
	return found
}

// goroutines returns the stacks of all goroutines but the one that asks.
func goroutines() []string {
	buffer := make([]byte, 4<<20)
	all := strings.Split(strings.TrimSpace(string(buffer[:runtime.Stack(buffer, true)])), "\n\n")
	return all[1:]
}

// lookIntoEngine counts the containers of the bed's state folder, and all networks.
func lookIntoEngine(t *testing.T, b leakBed, s stock) {
	t.Helper()
	info, err := services.CheckEngine(t.Context(), services.Config{StateDir: b.state()})
	if err != nil {
		if unavailableHere(err) {
			return
		}
		t.Fatal(err)
	}
	owner, err := os.ReadFile(filepath.Join(b.state(), "id"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	filter, _ := json.Marshal(map[string][]string{"label": {"org.cairn.state=" + string(owner)}})
	var containers []struct {
		Names []string
		State string
	}
	askEngine(t, info.Host, "/containers/json?all=1&filters="+url.QueryEscape(string(filter)), &containers)
	for _, c := range containers {
		s["containers"] = append(s["containers"], fmt.Sprint(c.Names, " ", c.State))
	}
	var networks []struct{ Name string }
	askEngine(t, info.Host, "/networks", &networks)
	for _, n := range networks {
		s["networks"] = append(s["networks"], n.Name)
	}
}

// askEngine asks an engine's HTTP interface, on a connection that it closes.
func askEngine(t *testing.T, host, path string, answer any) {
	t.Helper()
	u, err := url.Parse(host)
	if err != nil {
		t.Fatal(err)
	}
	network, addr := "tcp", u.Host
	if u.Scheme == "unix" {
		network, addr = "unix", u.Path
	}
	var dialer net.Dialer
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, addr)
	}}}
	resp, err := client.Get("http://engine" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(answer); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// lookIntoPostgres lists what is in the warm server, as its superuser.
func lookIntoPostgres(t *testing.T, b leakBed, s stock) {
	t.Helper()
	address := superuserAddress(t, b)
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	for row, query := range map[string]string{
		"databases":              "select datname::text from pg_database",
		"roles":                  "select rolname::text from pg_roles",
		"sessions in PostgreSQL": "select concat(datname, ' ', usename, ' ', application_name, ' ', state) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()",
	} {
		rows, err := conn.Query(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		if s[row], err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			t.Fatal(err)
		}
	}
}

// superuserAddress finds the warm server's password where cairn keeps it: in its
// record, or in a label of its container.
func superuserAddress(t *testing.T, b leakBed) string {
	t.Helper()
	servers, err := services.List(t.Context(), services.Config{StateDir: b.state()})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(servers, func(s services.Server) bool { return s.Service == "postgres" })
	if i < 0 {
		t.Fatalf("no PostgreSQL among %+v", servers)
	}
	var password string
	var record struct{ Password string }
	if data, err := os.ReadFile(filepath.Join(b.state(), "servers", servers[i].Name+".json")); err == nil {
		if err := json.Unmarshal(data, &record); err != nil {
			t.Fatal(err)
		}
		password = record.Password
	} else {
		info, err := services.CheckEngine(t.Context(), services.Config{StateDir: b.state()})
		if err != nil {
			t.Fatal(err)
		}
		var container struct {
			Config struct{ Labels map[string]string }
		}
		askEngine(t, info.Host, "/containers/"+servers[i].Name+"/json", &container)
		password = container.Config.Labels["org.cairn.password"]
	}
	u := url.URL{Scheme: "postgres", Host: servers[i].Addr, User: url.UserPassword("cairn", password), Path: "/postgres", RawQuery: "sslmode=disable"}
	return u.String()
}

func unavailableHere(err error) bool {
	var un *services.Unavailable
	return errors.As(err, &un) && errors.Is(un, fs.ErrNotExist)
}

// serverNames are the names of all servers without a container that ever had a record.
type serverNames struct {
	mu    sync.Mutex
	names []string
}

func (n *serverNames) all() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.names)
}

// watchServers notes the records that appear in a folder.
func watchServers(t *testing.T, dir string) *serverNames {
	t.Helper()
	w, err := fsnotify.NewWatcher()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Add(dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	n := &serverNames{}
	go func() {
		for e := range w.Events {
			if name, ok := strings.CutSuffix(filepath.Base(e.Name), ".json"); ok && e.Has(fsnotify.Create) {
				n.mu.Lock()
				n.names = append(n.names, name)
				n.mu.Unlock()
			}
		}
	}()
	return n
}
