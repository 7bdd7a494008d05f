package tui

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/adrg/xdg"
)

// CrashError says that the program stopped because of a fault of its own. The
// terminal has been restored.
type CrashError struct {
	Value any    // what the panic said
	Path  string // of the crash report; "" when it could not be written
}

func (e *CrashError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("cairn crashed: %v; its crash report could not be written", e.Value)
	}
	return fmt.Sprintf("cairn crashed: %v; the crash report is %s", e.Value, e.Path)
}

// crash remembers the first panic. Commands run on goroutines of their own, so
// it is guarded.
type crash struct {
	mu    sync.Mutex
	value any
	stack []byte
}

// crashMsg ends the program after a panic outside Update.
type crashMsg struct{}

// recovered takes what recover returned and reports whether it was a panic. It
// must be called from the deferred function itself, for the stack.
func (c *crash) recovered(value any) bool {
	if value == nil {
		return false
	}
	stack := debug.Stack()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.value == nil {
		c.value, c.stack = value, stack
	}
	return true
}

func (c *crash) happened() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.value != nil
}

// err writes the crash report and returns the error that names it, or nil when
// nothing crashed.
func (c *crash) err(version string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.value == nil {
		return nil
	}
	path, err := writeReport(version, c.value, c.stack)
	if err != nil {
		path = ""
	}
	return &CrashError{Value: c.value, Path: path}
}

func writeReport(version string, value any, stack []byte) (string, error) {
	dir := filepath.Join(xdg.StateHome, "cairn")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	now := time.Now()
	path := filepath.Join(dir, "crash-"+now.Format("20060102-150405")+".log")
	text := fmt.Sprintf("cairn %s, %s\n\npanic: %v\n\n%s", version, now.Format(time.RFC3339), value, stack)
	return path, os.WriteFile(path, []byte(text), 0o600)
}

// guard makes a command, and every command of a batch, give a crashMsg when it
// panics, so that the program ends in order.
func (a *app) guard(cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	return func() (msg tea.Msg) {
		defer func() {
			if a.crash.recovered(recover()) {
				msg = crashMsg{}
			}
		}()
		msg = cmd()
		if batch, ok := msg.(tea.BatchMsg); ok {
			for i, c := range batch {
				batch[i] = a.guard(c)
			}
		}
		return msg
	}
}
