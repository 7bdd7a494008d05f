package services

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestEngineNotPermitted asks an engine as somebody who may not use its socket.
func TestEngineNotPermitted(t *testing.T) {
	dir := t.TempDir()
	socket := filepath.Join(dir, "docker.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.Chmod(socket, 0); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with what it has become
		if _, err := unix.SetfsuidRetUid(65534); err != nil {
			done <- err
			return
		}
		done <- dialEngine(t.Context(), "unix://"+socket)
	}()
	err = <-done
	var un *Unavailable
	if !errors.As(err, &un) || !strings.Contains(un.What, "you may not use Docker") || !strings.Contains(un.Do, "group docker") || !isAbsent(err) {
		t.Errorf("got %v", err)
	}
}
