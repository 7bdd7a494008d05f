//go:build unix && !linux

package process

import (
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const waitOptions = 0

// prepare lets the program inherit no file descriptor that cairn or its caller
// left open.
func prepare() error {
	open, err := os.ReadDir("/dev/fd")
	if err != nil {
		return err
	}
	for _, entry := range open {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd >= fdCommands {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}

func programAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// clearTree kills the program's process group until the program is gone. A
// descendant that left the group is out of reach on this system.
func clearTree(pid int, _ *group, gone <-chan struct{}) {
	for {
		_ = unix.Kill(-pid, unix.SIGKILL)
		select {
		case <-gone:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// clearGroup kills what is left of the group once the program has been reaped:
// its orphans belong to somebody else and are not waited for.
func clearGroup(pid int) {
	for range 100 {
		if unix.Kill(-pid, unix.SIGKILL) == unix.ESRCH {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func killSession(pid int) { _ = unix.Kill(-pid, unix.SIGKILL) }

// gone tells whether a process is no more.
func gone(pid int) bool { return unix.Kill(pid, 0) == unix.ESRCH }

// HasChildren tells whether the program has child processes. It is known on Linux
// only.
func (p *Process) HasChildren() bool { return false }

// treeSize is what the limits are compared with. It is not watched here.
type treeSize struct {
	processes int
	memory    int64
}

func descendants() []int { return nil }

func sizeOf([]int, bool) treeSize { return treeSize{} }
