// Package gracefulshutdown is an invoice office with an HTTP API. It can be
// stopped at any moment without losing an invoice.
package gracefulshutdown

import (
	"context"
	"encoding/json"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
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

// lastWords is how long handlers get to answer once their contexts have ended.
const lastWords = 300 * time.Millisecond

// Run serves until SIGTERM or SIGINT, stops, and returns the exit status.
func Run(cfg Config) int {
	signalled, forget := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer forget()

	// Work has a context of its own. It outlives the signal and ends when time
	// is up.
	work, cut := context.WithCancel(context.Background())
	defer cut()

	o := &office{cfg: cfg, outbox: make(chan int, 1024), lastMail: make(chan struct{}), mailed: make(chan struct{})}
	srv := &http.Server{
		Addr:              cfg.Addr,
		Handler:           o.routes(),
		BaseContext:       func(net.Listener) context.Context { return work },
		ReadHeaderTimeout: 5 * time.Second,
	}
	failed := make(chan error, 2)
	go func() { failed <- srv.ListenAndServe() }()
	go func() {
		if err := cfg.Load(work); err != nil {
			failed <- err
			return
		}
		o.loaded.Store(true)
	}()
	go o.mail(work)

	select {
	case err := <-failed:
		log.Printf("cannot serve: %v", err)
		return 1
	case <-signalled.Done():
	}
	forget() // nobody catches a second signal, so it ends the program
	return o.stop(srv, cut)
}

// stop lets go of traffic, then of connections, then of the mails, and returns
// the exit status.
func (o *office) stop(srv *http.Server, cut context.CancelFunc) int {
	limit, cancel := context.WithTimeout(context.Background(), o.cfg.StopTimeout)
	defer cancel()

	o.draining.Store(true)
	log.Printf("stopping: not ready, still accepting for %s", o.cfg.DrainDelay)
	time.Sleep(o.cfg.DrainDelay)

	status := 0
	if err := srv.Shutdown(limit); err != nil {
		log.Printf("time is up, cutting what is still under way: %v", err)
		status = 1
		cut() // handlers stop rendering and write their entries
		grace, cancel := context.WithTimeout(context.Background(), lastWords)
		defer cancel()
		if srv.Shutdown(grace) != nil {
			_ = srv.Close() // whoever is left waits for a client
		}
	}

	// No handler is left that could put anything into the outbox.
	close(o.lastMail)
	select {
	case <-o.mailed:
	case <-limit.Done():
		cut() // what is left is handed back
		<-o.mailed
	}
	log.Printf("stopped, status %d", status)
	return status
}

// office takes orders and issues invoices.
type office struct {
	cfg      Config
	loaded   atomic.Bool  // set once, when Load has returned
	draining atomic.Bool  // set once, at the signal
	number   atomic.Int64 // given out last

	outbox   chan int      // issued, not mailed yet
	lastMail chan struct{} // closed when nothing is added to outbox any more
	mailed   chan struct{} // closed when mail has returned
}

func (o *office) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, map[string]string{"status": "alive"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if !o.loaded.Load() || o.draining.Load() {
			fail(w, http.StatusServiceUnavailable, "not ready")
			return
		}
		answer(w, http.StatusOK, map[string]string{"status": "ready"})
	})
	mux.HandleFunc("POST /invoices", o.issue)
	return mux
}

func (o *office) issue(w http.ResponseWriter, r *http.Request) {
	if !o.loaded.Load() {
		fail(w, http.StatusServiceUnavailable, "the fonts are not loaded yet")
		return
	}
	var order struct {
		Lines []string `json:"lines"`
	}
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&order)
	if err != nil || len(order.Lines) == 0 {
		fail(w, http.StatusBadRequest, "send the lines of the invoice")
		return
	}
	number := int(o.number.Add(1))
	text, err := o.cfg.Render(r.Context(), number, order.Lines)
	if err != nil {
		o.cfg.Journal("void", number)
		fail(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	o.cfg.Journal("issued", number)
	o.outbox <- number
	answer(w, http.StatusCreated, map[string]any{"number": number, "text": text})
}

// mail sends what is in the outbox until the last of it is gone.
func (o *office) mail(ctx context.Context) {
	defer close(o.mailed)
	for {
		select {
		case number := <-o.outbox:
			o.send(ctx, number)
		case <-o.lastMail:
			for {
				select {
				case number := <-o.outbox:
					o.send(ctx, number)
				default:
					return
				}
			}
		}
	}
}

// send mails one invoice, or hands it back.
func (o *office) send(ctx context.Context, number int) {
	if err := o.cfg.Mail(ctx, number); err != nil {
		log.Print(err)
		o.cfg.Journal("unsent", number)
		return
	}
	o.cfg.Journal("mailed", number)
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// An error here means that the client has gone; nobody is left to tell.
	_ = json.NewEncoder(w).Encode(v)
}

func fail(w http.ResponseWriter, status int, text string) {
	answer(w, status, map[string]string{"error": text})
}
