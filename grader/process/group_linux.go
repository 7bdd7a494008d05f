package process

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A group is a control group around one program, made by its supervisor. The
// supervisor holds a lock on the group's folders for as long as it lives, which
// is the group's lease: the kernel drops it even after kill -9, and whoever gets
// it may remove the group.

// groupPrefix begins the name of every group that holds a program.
const groupPrefix = "cairn-"

// groupTries is how often a group is tried again that a sweep took away between
// its birth and its locking.
const groupTries = 3

type group struct {
	base  groupBase
	name  string
	locks []*os.File // the folders, in the order of base.folders
}

// makeGroup makes an empty group with its limits. A memory limit of 0 and a
// process limit that is not positive are none.
func makeGroup(base groupBase, memory int64, processes int) (*group, error) {
	var err error
	for range groupTries {
		g := &group{base: base, name: groupPrefix + strings.ToLower(rand.Text()[:12])}
		if err = g.lockFolders(); err == nil {
			err = g.limit(memory, processes)
		}
		if err == nil {
			return g, nil
		}
		g.remove()
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.EWOULDBLOCK) {
			break
		}
	}
	return nil, fmt.Errorf("make control group: %w", err)
}

func (g *group) lockFolders() error {
	for _, dir := range g.base.folders(g.name) {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		f, err := lockFolder(dir)
		if err != nil {
			return err
		}
		g.locks = append(g.locks, f)
	}
	return nil
}

// lockFolder returns a folder that is locked and still in its place, or
// EWOULDBLOCK when somebody else has the lock.
func lockFolder(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		_, err = os.Stat(dir)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// limit writes the limits. What an older kernel lacks only makes the end of a
// tree less tidy, but for the limits themselves.
func (g *group) limit(memory int64, processes int) error {
	var errs []error
	if memory > 0 {
		amount := strconv.FormatInt(memory, 10)
		if g.base.Version == 2 {
			errs = append(errs, g.write(g.base.Memory, "memory.max", amount))
			_ = g.write(g.base.Memory, "memory.swap.max", "0")
			_ = g.write(g.base.Memory, "memory.oom.group", "1")
		} else {
			errs = append(errs, g.write(g.base.Memory, "memory.limit_in_bytes", amount))
			_ = g.write(g.base.Memory, "memory.memsw.limit_in_bytes", amount)
		}
	}
	if processes > 0 {
		errs = append(errs, g.write(g.base.Pids, "pids.max", strconv.Itoa(TasksFor(processes))))
	}
	return errors.Join(errs...)
}

func (g *group) write(base, file, value string) error {
	return writeKnob(filepath.Join(base, g.name, file), value)
}

// writeKnob writes to a file of the kernel's, and never makes one.
func writeKnob(path, value string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

// enter sees to it that the next process which this thread starts begins its
// life in the group. The thread must be locked; leave has to be called after.
func (g *group) enter(attr *syscall.SysProcAttr) (leave func(), err error) {
	if g.base.Version == 2 {
		attr.UseCgroupFD, attr.CgroupFD = true, int(g.locks[0].Fd())
		return func() {}, nil
	}
	// A child begins where the thread is that forks it. Only version 1 lets
	// threads of one process be in different groups.
	me := strconv.Itoa(unix.Gettid())
	leave = func() {
		for _, dir := range g.base.parents() {
			_ = writeKnob(filepath.Join(dir, "tasks"), me)
		}
	}
	for _, dir := range g.base.folders(g.name) {
		if err := writeKnob(filepath.Join(dir, "tasks"), me); err != nil {
			leave()
			return nil, err
		}
	}
	return leave, nil
}

// passed returns the limit that the kernel had to enforce, "" for none.
func (g *group) passed() Reason {
	if g == nil {
		return ""
	}
	events := "memory.events"
	if g.base.Version == 1 {
		events = "memory.oom_control"
	}
	switch {
	case g.count(g.base.Memory, events, "oom_kill") > 0:
		return MemoryLimit
	case g.count(g.base.Pids, "pids.events", "max") > 0:
		return TaskLimit
	}
	return ""
}

// count reads one number of a file with a name and a number in each line; 0
// when it has none.
func (g *group) count(base, file, key string) int64 {
	data, err := os.ReadFile(filepath.Join(base, g.name, file))
	if err != nil {
		return 0
	}
	return keyed(data, key)
}

func keyed(data []byte, key string) int64 {
	for line := range bytes.Lines(data) {
		fields := strings.Fields(string(line))
		if len(fields) == 2 && fields[0] == key {
			n, _ := strconv.ParseInt(fields[1], 10, 64)
			return n
		}
	}
	return 0
}

// kill begins to end everything in the group. With version 2 nothing can fork
// past it.
func (g *group) kill() {
	if g != nil && g.base.Version == 2 {
		_ = g.write(g.base.Memory, "cgroup.kill", "1")
	}
}

// members lists the processes in the group, never the one that asks.
func (g *group) members() []int {
	if g == nil {
		return nil
	}
	var all []int
	for _, dir := range g.base.folders(g.name) {
		all = append(all, processesIn(dir)...)
	}
	slices.Sort(all) // with version 1 each is in two folders
	return slices.Compact(all)
}

// processesIn lists the processes in one folder of a hierarchy, but not this one.
func processesIn(dir string) []int {
	data, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	if err != nil {
		return nil
	}
	var all []int
	for _, field := range bytes.Fields(data) {
		if pid, err := strconv.Atoi(string(field)); err == nil && pid > 0 && pid != os.Getpid() {
			all = append(all, pid)
		}
	}
	return all
}

// removePatience is how long a removal waits for what was killed to be gone.
const removePatience = 2 * time.Second

// remove ends what is in the group, removes it and gives up the lock. What
// cannot be removed is left to the next sweep.
func (g *group) remove() {
	if g == nil {
		return
	}
	for _, dir := range g.base.folders(g.name) {
		_ = removeGroupFolder(dir)
	}
	for _, f := range g.locks {
		_ = f.Close()
	}
}

// removeGroupFolder ends what is in a folder of a hierarchy and removes it, with
// the folders that a program may have made in it.
func removeGroupFolder(dir string) error {
	pause := time.Millisecond
	for deadline := time.Now().Add(removePatience); ; pause = min(2*pause, watchInterval) {
		err := unix.Rmdir(dir)
		if err == nil || errors.Is(err, unix.ENOENT) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("remove control group %s: %w", dir, err)
		}
		below, _ := filepath.Glob(dir + "/*/cgroup.procs")
		for _, file := range below {
			_ = removeGroupFolder(filepath.Dir(file))
		}
		for _, pid := range processesIn(dir) {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		time.Sleep(pause)
	}
}

// sweepGroups removes the groups below a base that no supervisor holds.
func sweepGroups(base groupBase) {
	for _, parent := range base.parents() {
		found, _ := filepath.Glob(filepath.Join(parent, groupPrefix+"*"))
		for _, dir := range found {
			if f, err := lockFolder(dir); err == nil {
				_ = removeGroupFolder(dir) // what resists is the next one's
				_ = f.Close()
			}
		}
	}
}

// clearGroupOf removes the group of a supervisor that was killed.
func clearGroupOf(base *groupBase, name string) {
	if base != nil && strings.HasPrefix(name, groupPrefix) {
		(&group{base: *base, name: name}).remove()
	}
}
