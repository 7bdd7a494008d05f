// Package gracefulshutdown is an invoice office that loads before it listens,
// mails invoices side by side, and hands back what is not out when the last
// request is done.
package gracefulshutdown

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// Config is what the program is run with.
type Config struct {
	Addr        string        // host:port to listen on
	DrainDelay  time.Duration // after the signal, connections are still accepted
	StopTimeout time.Duration // after the signal, what is still under way is cut

	// Load prepares Render. It is called once.
	Load func(ctx context.Context) error
	// Render sets the text of an invoice, or fails when ctx ends.
	Render func(ctx context.Context, number int, lines []string) (string, error)
	// Mail sends an issued invoice to its customer, or fails when ctx ends.
	Mail func(ctx context.Context, number int) error
	// Journal writes one entry: issued, void, mailed or unsent.
	Journal func(entry string, number int)
}

// Run serves until SIGTERM or SIGINT, stops, and returns the exit status.
func Run(cfg Config) int {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)

	if err := cfg.Load(context.Background()); err != nil {
		slog.Error("load", "error", err)
		return 1
	}
	listener, err := net.Listen("tcp", cfg.Addr)
	if err != nil {
		slog.Error("listen", "error", err)
		return 1
	}
	mailing, handBack := context.WithCancel(context.Background())
	defer handBack()
	d := &desk{Config: cfg, mailing: mailing, stopping: make(chan struct{})}
	srv := &http.Server{Handler: d, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := srv.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			slog.Error("serve", "error", err)
			os.Exit(1)
		}
	}()

	first := <-signals
	end := time.Now().Add(cfg.StopTimeout)
	go func() {
		second := <-signals
		slog.Warn("giving up", "signal", second)
		os.Exit(130)
	}()
	slog.Info("stopping", "signal", first)
	close(d.stopping)
	time.Sleep(cfg.DrainDelay)

	limit, cancel := context.WithDeadline(context.Background(), end)
	defer cancel()
	err = srv.Shutdown(limit)
	if err != nil {
		_ = srv.Close() // ends reads, and the context of every request
	}
	d.handling.Lock() // waits for the handlers, which Close does not
	handBack()
	d.mails.Wait()
	if err != nil {
		return 1
	}
	return 0
}

// desk is where orders come in.
type desk struct {
	Config
	mailing  context.Context
	stopping chan struct{} // closed at the signal

	handling sync.RWMutex // held for reading by every handler
	mails    sync.WaitGroup
	mu       sync.Mutex
	last     int
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.handling.RLock()
	defer d.handling.RUnlock()
	switch r.Method + " " + r.URL.Path {
	case "GET /healthz":
		_, _ = io.WriteString(w, "ok\n")
	case "GET /readyz":
		select {
		case <-d.stopping:
			http.Error(w, "stopping", http.StatusServiceUnavailable)
		default:
			_, _ = io.WriteString(w, "ok\n")
		}
	case "POST /invoices":
		d.order(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (d *desk) order(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var in struct {
		Lines []string
	}
	if err := json.Unmarshal(body, &in); err != nil || len(in.Lines) == 0 {
		http.Error(w, "an invoice has lines", http.StatusBadRequest)
		return
	}
	d.mu.Lock()
	d.last++
	number := d.last
	d.mu.Unlock()

	text, err := d.Render(r.Context(), number, in.Lines)
	if err != nil {
		d.Journal("void", number)
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	d.Journal("issued", number)
	d.mails.Go(func() {
		if d.Mail(d.mailing, number) != nil {
			d.Journal("unsent", number)
			return
		}
		d.Journal("mailed", number)
	})
	quoted, _ := json.Marshal(text)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_, _ = fmt.Fprintf(w, `{"number":%d,"text":%s}`, number, quoted)
}
