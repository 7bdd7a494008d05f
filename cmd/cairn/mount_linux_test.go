package main

import (
	"syscall"
	"testing"
)

// mountTmpfs mounts a memory disk for the time of the test.
func mountTmpfs(t *testing.T, options string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	mount(t, "tmpfs", dir, "tmpfs", 0, options)
	return dir
}

// readOnly lets nobody write to a folder for the time of the test, not even root.
func readOnly(t *testing.T, dir string) {
	t.Helper()
	mount(t, dir, dir, "", syscall.MS_BIND, "")
	if err := syscall.Mount("", dir, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
}

func mount(t *testing.T, what, dir, kind string, flags uintptr, options string) {
	t.Helper()
	if err := syscall.Mount(what, dir, kind, flags, options); err != nil {
		t.Skip("needs the right to mount: ", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}
