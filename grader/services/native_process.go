package services

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// nativeScript is the parent of a server that runs without a container, in a session of its own.
// In the server's folder it finds what it needs; there it writes its process id, which is its
// process group's too. File 3 is the lock that tells that the server lives: the kernel drops it
// with the last process that inherited it, so the watcher, whose sleep may outlive the server by
// a tick, gives it away. A server that ended because nobody used it takes its folder along; any
// other leaves it, with the log, to the next cairn.
const nativeScript = `
dir=$1 tick=$2 ticks=$3 initdb=$4
shift 4
used=$dir/used
trap : HUP INT QUIT TERM
cd "$dir" || exit 1
echo $$ >pid.new && mv pid.new pid || exit 1
if [ -n "$initdb" ]; then
	make() {
		"$initdb" -D data -U ` + superuser + ` --pwfile=password --auth=scram-sha-256 --no-sync --encoding=UTF8 --locale="$1"
	}
	make C.UTF-8 || make C || exit 1
	cat settings >>data/postgresql.conf && rm password settings || exit 1
fi
"$@" &
server=$!
(` + watchLoop + `
	: >idle
	while kill -INT "$server" 2>/dev/null; do sleep 1; done
) 3>&- &
(
	while sleep 60; do
		if [ "$(wc -c <log)" -gt 1000000 ]; then : >log; fi
	done
) 3>&- &
while kill -0 "$server" 2>/dev/null; do wait "$server"; done
cd /
if [ -e "$dir/idle" ]; then rm -rf "$dir"; fi
kill -TERM 0
`

// roomNeeded is how much a memory disk must have free to hold a server's data.
const roomNeeded = 1 << 30

// endIn is how long a server may take to end before it is killed.
const endIn = 3 * time.Second

// spawn starts a server's processes in its folder.
func (n *nativeHost) spawn(s server, p program) error {
	as, err := unprivileged()
	if err != nil {
		return err
	}
	if err := os.Mkdir(s.id, 0o700); err != nil {
		return err
	}
	var initdb string
	var args []string
	switch s.service {
	case postgresService:
		initdb, args, err = n.layPostgres(s, p)
	case redisService:
		args, err = n.layRedis(s, p)
	}
	if err != nil {
		return err
	}
	alive, err := os.OpenFile(aliveFile(s), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer alive.Close()
	log, err := os.OpenFile(filepath.Join(s.id, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	if err := giveTo(as, s.id); err != nil {
		return err
	}
	if err := syscall.Flock(int(alive.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", alive.Name(), err)
	}
	tick, ticks := n.cfg.ticks()
	cmd := exec.Command("/bin/sh", append([]string{"-c", nativeScript, "cairn", s.id, strconv.Itoa(tick), strconv.Itoa(ticks), initdb}, args...)...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL=C", "TZ=UTC", "HOME=" + s.id, "TMPDIR=" + s.id}
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = log, log, []*os.File{alive}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: as}
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }() // it outlives this process, or is removed
	return nil
}

// layPostgres puts into the server's folder what its start needs.
func (n *nativeHost) layPostgres(s server, p program) (initdb string, args []string, err error) {
	var conf bytes.Buffer
	lines := append([]string{
		"listen_addresses=" + n.cfg.PublishOn, "port=" + strconv.Itoa(s.port), "unix_socket_directories=", "cairn.nonce=" + s.nonce,
	}, postgresSettings...)
	for _, line := range lines {
		name, value, _ := strings.Cut(line, "=")
		fmt.Fprintf(&conf, "%s = %s\n", name, literal(value))
	}
	err = errors.Join(
		os.WriteFile(filepath.Join(s.id, "password"), []byte(s.password+"\n"), 0o600),
		os.WriteFile(filepath.Join(s.id, "settings"), conf.Bytes(), 0o600),
	)
	return initdbOf(p.path), []string{p.path, "-D", filepath.Join(s.id, "data")}, err
}

func aliveFile(s server) string { return filepath.Join(s.id, "alive") }

// unprivileged is the user that servers run as: nil for oneself, unless that is root, as whom
// PostgreSQL refuses to run.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err == nil && err2 == nil && uid != 0 {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("as root, a server needs the user postgres or nobody, and there is neither")
}

// giveTo gives a folder and what is in it to the user that the server runs as.
func giveTo(as *syscall.Credential, dir string) error {
	if as == nil {
		return nil
	}
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(as.Uid), int(as.Gid))
	})
}

// dataDir is where servers keep their data: in memory, where there is a memory disk with room.
func dataDir() string {
	var disk syscall.Statfs_t
	if syscall.Statfs("/dev/shm", &disk) == nil && uint64(disk.Bavail)*uint64(disk.Bsize) >= roomNeeded && mayWrite("/dev/shm") {
		return "/dev/shm"
	}
	if mayWrite("/var/tmp") {
		return "/var/tmp"
	}
	return os.TempDir()
}

func mayWrite(dir string) bool {
	const writeAndSearch = 3
	return syscall.Access(dir, writeAndSearch) == nil
}

// freePort draws a port below those that systems give out by themselves, so that none of these
// comes in between.
func freePort(host string) (int, error) {
	var err error
	for range 100 {
		port := 20000 + rand.IntN(12000)
		var l net.Listener
		if l, err = net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port))); err == nil {
			return port, l.Close()
		}
	}
	return 0, unavailable(err, "look what listens on this machine", "there is no free port at %s: %s", host, oneLine(err))
}

// running tells whether a process of the server holds its lock.
func (n *nativeHost) running(_ context.Context, s server) (bool, error) {
	if _, err := os.Stat(aliveFile(s)); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	l := flock.New(aliveFile(s), flock.SetFlag(os.O_RDONLY))
	defer l.Close()
	free, err := l.TryRLock() // shared: two who look don't take each other for the server
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, unavailable(err, "check the folder's permissions", "the lock %s cannot be looked at", aliveFile(s))
	}
	return !free, nil
}

func (n *nativeHost) remove(ctx context.Context, s server) error {
	if err := n.end(ctx, s); err != nil {
		return err
	}
	if err := errors.Join(os.RemoveAll(s.id), removeFile(n.recordFile(s.name))); err != nil {
		return unavailable(err, "delete it", "the folder %s of a server cannot be removed", s.id)
	}
	return nil
}

// end ends a server's processes and waits until the last is gone: PostgreSQL first kindly, so that
// it gives back its shared memory, then by force; Redis by force, since it looks for requests every 100 ms
// only and has nothing to save.
func (n *nativeHost) end(ctx context.Context, s server) error {
	kind := syscall.SIGQUIT // PostgreSQL's immediate shutdown
	if s.service == redisService {
		kind = syscall.SIGKILL
	}
	began := time.Now()
	asked, forced := false, false
	for wait := time.Millisecond; ; wait = min(2*wait, 20*time.Millisecond) {
		runs, err := n.running(ctx, s)
		if err != nil || !runs {
			return err
		}
		switch late := time.Since(began) > endIn; {
		case !asked:
			asked = n.signal(s, kind)
		case late && !forced:
			killHolders(aliveFile(s))
			forced = n.signal(s, syscall.SIGKILL)
		case time.Since(began) > 2*endIn:
			return unavailable(nil, "kill its processes", "%s (%s) does not end", titles[s.service], s.name)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
		}
	}
}

// killHolders kills every process that holds the lock on a file, where /proc tells. PostgreSQL's
// sessions are in groups of their own, and one that was stopped does not notice that its server is
// gone. Who only looks whether the lock is held has it shared, and is left alone.
func killHolders(file string) {
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, link := range links {
		if to, err := os.Readlink(link); err != nil || to != file {
			continue
		}
		proc, fd := filepath.Dir(filepath.Dir(link)), filepath.Base(link)
		info, err := os.ReadFile(filepath.Join(proc, "fdinfo", fd))
		if err != nil || !exclusive.Match(info) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(proc)); err == nil && pid > 1 && pid != os.Getpid() {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// exclusive matches what fdinfo tells of an open file that is locked for its holder alone.
var exclusive = regexp.MustCompile(`(?m)^lock:.*\bFLOCK\b.*\bWRITE\b`)

// signal signals the server's process group, and tells whether there was one yet.
func (n *nativeHost) signal(s server, sig syscall.Signal) bool {
	data, err := os.ReadFile(filepath.Join(s.id, "pid"))
	pid, err2 := strconv.Atoi(strings.TrimSpace(string(data)))
	return err == nil && err2 == nil && pid > 1 && syscall.Kill(-pid, sig) == nil
}

func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
