// Package terminal runs a program in a pseudo terminal and keeps its screen,
// for tests and for the pictures in the documentation.
package terminal

import (
	"context"
	"fmt"
	"image/color"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// Terminal is a program with the screen it draws on.
type Terminal struct {
	cmd       *exec.Cmd
	main, tty *os.File

	mu      sync.Mutex
	screen  *vt.Emulator
	hidden  bool // the cursor is
	changed chan struct{}
	exited  chan struct{}
	exit    error
}

// Start runs a command on a screen of the given size, as the leader of a
// session of its own. The terminal tells the background it has when asked.
func Start(cmd *exec.Cmd, width, height int, background color.Color) (*Terminal, error) {
	main, tty, err := pty.Open()
	if err != nil {
		return nil, fmt.Errorf("open a pseudo terminal: %w", err)
	}
	t := &Terminal{
		cmd: cmd, main: main, tty: tty, screen: vt.NewEmulator(width, height),
		changed: make(chan struct{}, 1), exited: make(chan struct{}),
	}
	t.screen.SetDefaultBackgroundColor(background)
	t.screen.SetCallbacks(vt.Callbacks{CursorVisibility: func(visible bool) { t.hidden = !visible }})
	if err := pty.Setsize(main, &pty.Winsize{Rows: uint16(height), Cols: uint16(width)}); err != nil {
		return nil, fmt.Errorf("size the pseudo terminal: %w", err)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	go t.draw()
	go func() { _, _ = io.Copy(main, t.screen) }() // answers to what the program asks the terminal
	go func() {
		t.exit = cmd.Wait()
		close(t.exited)
	}()
	return t, nil
}

// draw puts the program's output on the screen.
func (t *Terminal) draw() {
	buf := make([]byte, 64<<10)
	for {
		n, err := t.main.Read(buf)
		if n > 0 {
			t.mu.Lock()
			_, _ = t.screen.Write(buf[:n])
			t.mu.Unlock()
			select {
			case t.changed <- struct{}{}:
			default:
			}
		}
		if err != nil {
			return
		}
	}
}

// TTY is the program's side of the terminal, to look at its state.
func (t *Terminal) TTY() *os.File { return t.tty }

// Process is the program.
func (t *Terminal) Process() *os.Process { return t.cmd.Process }

// Type sends keys as a terminal would: "\r" is enter, "\x1b" escape.
func (t *Terminal) Type(keys string) error {
	_, err := io.WriteString(t.main, keys)
	return err
}

// Resize changes the size of the window.
func (t *Terminal) Resize(width, height int) error {
	t.mu.Lock()
	t.screen.Resize(width, height)
	t.mu.Unlock()
	return pty.Setsize(t.main, &pty.Winsize{Rows: uint16(height), Cols: uint16(width)})
}

// View is what can be seen of a terminal.
type View struct {
	Text         string // one line per row, without blanks at their ends
	AltScreen    bool
	CursorHidden bool
	Cells        [][]uv.Cell // by row and column
}

// View returns what is seen now.
func (t *Terminal) View() View {
	t.mu.Lock()
	defer t.mu.Unlock()
	v := View{AltScreen: t.screen.IsAltScreen(), CursorHidden: t.hidden}
	var lines []string
	for y := range t.screen.Height() {
		var line strings.Builder
		var row []uv.Cell
		for x := range t.screen.Width() {
			cell := uv.Cell{Content: " ", Width: 1}
			if c := t.screen.CellAt(x, y); c != nil {
				cell = *c
			}
			row = append(row, cell)
			line.WriteString(cell.Content)
		}
		v.Cells = append(v.Cells, row)
		lines = append(lines, strings.TrimRight(line.String(), " "))
	}
	v.Text = strings.Join(lines, "\n")
	return v
}

// Wait returns when the screen is as wanted. When ctx ends first, the error
// shows the screen as it is.
func (t *Terminal) Wait(ctx context.Context, wanted func(View) bool) error {
	for {
		v := t.View()
		if wanted(v) {
			return nil
		}
		select {
		case <-t.changed:
		case <-ctx.Done():
			return fmt.Errorf("the screen never became as wanted (alternate screen %v); it shows:\n%s", v.AltScreen, v.Text)
		}
	}
}

// WaitText waits for a text.
func (t *Terminal) WaitText(ctx context.Context, text string) error {
	if err := t.Wait(ctx, func(v View) bool { return strings.Contains(v.Text, text) }); err != nil {
		return fmt.Errorf("waited for %q: %w", text, err)
	}
	return nil
}

// WaitExit waits for the program to end and returns what exec.Cmd.Wait does.
func (t *Terminal) WaitExit(ctx context.Context) error {
	select {
	case <-t.exited:
		return t.exit
	case <-ctx.Done():
		return fmt.Errorf("the program still runs; its screen shows:\n%s", t.View().Text)
	}
}

// Close kills the program when it still runs and gives everything back.
func (t *Terminal) Close() {
	select {
	case <-t.exited:
	default:
		_ = t.cmd.Process.Kill()
		<-t.exited
	}
	if pipe, ok := t.screen.InputPipe().(io.Closer); ok {
		_ = pipe.Close()
	}
	_ = t.tty.Close()
	_ = t.main.Close()
}
