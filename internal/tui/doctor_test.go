package tui

import (
	"context"
	"testing"

	"github.com/cairn-learn/cairn/internal/doctor"
)

// findings are those of a machine with one fault and one inconvenience.
var findings = []doctor.Result{
	{ID: "go", Title: "Go", Status: doctor.OK, Saw: "go1.26.0 in /usr/local/go/bin/go"},
	{ID: "engine", Title: "Docker", Status: doctor.Fault, Saw: "nothing answers at unix:///var/run/docker.sock, where the engine of this machine is expected to listen", Do: "Start Docker, then check again."},
	{ID: "editor", Title: "Editor", Status: doctor.Warn, Saw: "EDITOR is not set; cairn would use vi", Do: "Set EDITOR to the command that starts yours."},
}

func TestDoctorChecksAgain(t *testing.T) {
	results := make(chan []doctor.Result, 1)
	r := newRig(t, Options{Doctor: func(ctx context.Context) []doctor.Result {
		select {
		case found := <-results:
			return found
		case <-ctx.Done():
			return nil
		}
	}}, 80, 24)
	results <- findings
	r.press("?", "D")
	r.wants("✗ Docker", "→ Start Docker, then check again.", "1 fault", "! Editor")
	r.take(keyPress("r"))
	r.wants("checking", "✗ Docker")
	r.take(keyPress("r")) // one examination at a time
	results <- findings[:1]
	r.until(func() bool { return r.pending == 0 })
	r.wants("✓ Go", "cairn has all it needs")
	r.refuses("Docker")
	r.take(keyPress("r"))
	r.take(keyPress("q"))
	r.until(func() bool { return r.pending == 0 }) // leaving ends the examination
	r.wants("next:")
}

func TestDoctorKeyIsALetterWhileTyping(t *testing.T) {
	r := newRig(t, Options{}, 80, 24)
	r.press("/", "D")
	r.refuses("Start Docker")
	r.wants("find D")
}
