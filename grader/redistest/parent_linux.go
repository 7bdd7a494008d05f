package redistest

import (
	"os/exec"
	"syscall"
)

// endWithParent makes a process end when its parent does.
func endWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
