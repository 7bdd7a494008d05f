// The program under examination: it gives gracefulshutdown.Run its settings and
// what an invoice office works with, and exits with the status that it returns.
// It is given; a grade uses its own copy of this file.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cairn-learn/cairn/exercises/gracefulshutdown"
)

func main() {
	log.SetFlags(log.Lmicroseconds)
	port := os.Getenv("PORT")
	if port == "" {
		log.Fatal("PORT is not set; try: PORT=8080 go run ./program")
	}
	os.Exit(gracefulshutdown.Run(gracefulshutdown.Config{
		Addr:        net.JoinHostPort(cmp.Or(os.Getenv("HOST"), "127.0.0.1"), port),
		DrainDelay:  duration("DRAIN_DELAY", 3*time.Second),
		StopTimeout: duration("STOP_TIMEOUT", 20*time.Second),
		Load:        load,
		Render:      render,
		Mail:        mail,
		Journal:     journal,
	}))
}

// duration reads a setting such as "750ms", and ends the program when it is
// there and is none.
func duration(name string, def time.Duration) time.Duration {
	text := os.Getenv(name)
	if text == "" {
		return def
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		log.Fatalf("%s=%q is no duration; try %s=%s", name, text, name, def)
	}
	return d
}

// How long things take.
const (
	loading = 600 * time.Millisecond // all fonts
	setting = 20 * time.Millisecond  // one line of an invoice
	sending = 250 * time.Millisecond // one e-mail
)

var loaded atomic.Bool

// load reads the fonts. Nothing can be rendered before it has returned.
func load(ctx context.Context) error {
	if err := wait(ctx, loading); err != nil {
		return fmt.Errorf("load the fonts: %w", err)
	}
	loaded.Store(true)
	return nil
}

// render sets an invoice, line by line. It stops when ctx ends.
func render(ctx context.Context, number int, lines []string) (string, error) {
	if !loaded.Load() {
		return "", errors.New("render: the fonts are not loaded yet")
	}
	var text strings.Builder
	fmt.Fprintf(&text, "INVOICE %d\n", number)
	for i, line := range lines {
		if err := wait(ctx, setting); err != nil {
			return "", fmt.Errorf("render invoice %d: line %d of %d: %w", number, i+1, len(lines), err)
		}
		fmt.Fprintf(&text, "%3d  %s\n", i+1, line)
	}
	return text.String(), nil
}

// mail sends one invoice to its customer. It gives up when ctx ends.
func mail(ctx context.Context, number int) error {
	if err := wait(ctx, sending); err != nil {
		return fmt.Errorf("mail invoice %d: %w", number, err)
	}
	return nil
}

// journal writes one entry to standard output, for the accountant.
func journal(entry string, number int) {
	fmt.Fprintf(os.Stdout, "journal: %s %d\n", entry, number)
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
