// Command program runs one instance of the message gateway. It is given: the
// work is in package ratelimit.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/cairn-learn/cairn/exercises/ratelimit"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(),
		os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "program:", err)
		os.Exit(1)
	}
}

// run serves on HOST:PORT until ctx ends, then lets the requests that are
// under way finish.
func run(ctx context.Context) error {
	limit, err := strconv.Atoi(os.Getenv("RATE_LIMIT"))
	if err != nil || limit < 1 {
		return fmt.Errorf("RATE_LIMIT is %q, want a whole number from 1 on",
			os.Getenv("RATE_LIMIT"))
	}
	window, err := time.ParseDuration(os.Getenv("RATE_WINDOW"))
	if err != nil || window < time.Second {
		return fmt.Errorf("RATE_WINDOW is %q, want a duration from 1s on",
			os.Getenv("RATE_WINDOW"))
	}
	handler, err := ratelimit.New(os.Getenv("REDIS_URL"), limit, window)
	if err != nil {
		return err
	}
	srv := &http.Server{
		Addr:              net.JoinHostPort(os.Getenv("HOST"), os.Getenv("PORT")),
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
	}
	served := make(chan error, 1)
	go func() { served <- srv.ListenAndServe() }()

	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := srv.Shutdown(last); err != nil {
		return err
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
