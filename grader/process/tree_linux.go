package process

import (
	"bytes"
	"math"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const waitOptions = unix.WALL

// prepare makes this process the one that orphans of the tree fall to, keeps
// its memory and environment from being read by the program, and lets the
// program inherit no file descriptor that cairn or its caller left open.
func prepare() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return err
	}
	_ = os.WriteFile("/proc/self/comm", []byte(supervisorName), 0)
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	return closeOnExecFrom(fdCommands)
}

func closeOnExecFrom(first int) error {
	err := unix.CloseRange(uint(first), math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
	if err == nil {
		return nil
	}
	// A kernel before 5.11.
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, entry := range open {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd >= first {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}

// programAttr gives the program a session of its own, and lets it die with a
// supervisor that was killed.
func programAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
}

// clearTree kills every descendant until none is left. A tree that goes on
// forking is chased without a pause; one that only has to die gets time for it.
func clearTree(program int, group *group, gone <-chan struct{}) {
	// Most programs are alone, or have their children in their own group: to look
	// for others is work that nobody has to wait for.
	_ = unix.Kill(-program, unix.SIGKILL)
	select {
	case <-gone:
		return
	case <-time.After(alonePatience):
	}
	seen := map[int]bool{}
	pause := time.Millisecond
	for {
		fresh := false
		for _, pid := range append(descendants(), group.members()...) {
			fresh = fresh || !seen[pid]
			seen[pid] = true
			// The whole group at once: no member can fork past that.
			if pgid, err := unix.Getpgid(pid); err == nil && pgid > 1 && pgid != ownGroup {
				_ = unix.Kill(-pgid, unix.SIGKILL)
			}
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		if fresh {
			pause = time.Millisecond
			select {
			case <-gone:
				return
			default:
				continue
			}
		}
		select {
		case <-gone:
			return
		case <-time.After(pause):
			pause = min(2*pause, watchInterval)
		}
	}
}

// alonePatience is how long a program that was killed gets before its tree is
// looked for. A tree that goes on forking gains no more by it than a few forks.
const alonePatience = 5 * time.Millisecond

var ownGroup = unix.Getpgrp()

// clearGroup has nothing to do here: no child is left, so no descendant is.
func clearGroup(int) {}

// killSession kills what is left of the program's session when the supervisor
// was killed.
func killSession(pid int) {
	_ = unix.Kill(-pid, unix.SIGKILL)
	for _, other := range everyProcess() {
		if sid, err := unix.Getsid(other.pid); err == nil && sid == pid {
			_ = unix.Kill(other.pid, unix.SIGKILL)
		}
	}
}

// treeSize is what the limits are compared with.
type treeSize struct {
	processes int
	memory    int64 // bytes resident
}

func sizeOf(all []int, memory bool) treeSize {
	size := treeSize{processes: len(all)}
	if memory {
		for _, pid := range all {
			size.memory += resident(pid)
		}
	}
	return size
}

var pageSize = int64(os.Getpagesize())

// resident returns the resident memory of a process in bytes, 0 when it is gone.
func resident(pid int) int64 {
	statm, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(statm)
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * pageSize
}

// descendants lists the processes of the tree. A tree that changes meanwhile
// may not be complete, so whoever needs all of them asks again.
func descendants() []int {
	var all []int
	level := []int{os.Getpid()}
	for len(level) > 0 {
		var next []int
		for _, pid := range level {
			children, known := childrenOf(pid)
			if !known {
				return descendantsByParent()
			}
			next = append(next, children...)
		}
		all = append(all, next...)
		level = next
	}
	return all
}

// childrenOf reads the kernel's list. It reports false when this kernel keeps
// none (CONFIG_PROC_CHILDREN); a process that is gone has no children.
func childrenOf(pid int) (children []int, known bool) {
	tasks := "/proc/" + strconv.Itoa(pid) + "/task"
	dir, err := os.Open(tasks)
	if err != nil {
		return nil, true
	}
	threads, _ := dir.Readdirnames(-1)
	_ = dir.Close()
	known = true
	for _, thread := range threads {
		list, err := os.ReadFile(tasks + "/" + thread + "/children")
		if err != nil {
			if _, err := os.Stat(tasks + "/" + thread); err == nil {
				known = false
			}
			continue
		}
		for _, field := range bytes.Fields(list) {
			if child, err := strconv.Atoi(string(field)); err == nil {
				children = append(children, child)
			}
		}
	}
	return children, known
}

// gone tells whether a process is no more, or waits for its parent to notice.
func gone(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return os.IsNotExist(err)
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	return len(fields) > 0 && (fields[0][0] == 'Z' || fields[0][0] == 'X')
}

// HasChildren tells whether the program has child processes. It is known on Linux
// only.
func (p *Process) HasChildren() bool {
	children, _ := childrenOf(p.pid)
	return len(children) > 0
}

type parentage struct{ pid, parent int }

// everyProcess lists the processes of this machine with their parents.
func everyProcess() []parentage {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	var all []parentage
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + name + "/stat")
		if err != nil {
			continue
		}
		// The name, in parentheses, may hold anything: count from the last one.
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) < 2 {
			continue
		}
		if parent, err := strconv.Atoi(string(fields[1])); err == nil {
			all = append(all, parentage{pid, parent})
		}
	}
	return all
}

func descendantsByParent() []int {
	children := map[int][]int{}
	for _, p := range everyProcess() {
		children[p.parent] = append(children[p.parent], p.pid)
	}
	all := children[os.Getpid()]
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}
