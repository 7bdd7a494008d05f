// Package gracefulshutdown is an invoice office with an HTTP API. It works
// until somebody stops it. The contract is in task.md.
package gracefulshutdown

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"sync/atomic"
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
//
// It does not do that yet: nothing here asks for signals.
func Run(cfg Config) int {
	o := &office{cfg: cfg, outbox: make(chan int, 1024)}
	go func() {
		if err := cfg.Load(context.Background()); err != nil {
			log.Fatal(err)
		}
		o.ready.Store(true)
	}()
	go o.mail(context.Background())

	srv := &http.Server{
		Addr:              cfg.Addr,
		Handler:           o.routes(),
		ReadHeaderTimeout: 5 * time.Second,
	}
	log.Print(srv.ListenAndServe())
	return 1
}

// office takes orders and issues invoices.
type office struct {
	cfg    Config
	ready  atomic.Bool
	number atomic.Int64 // given out last
	outbox chan int     // issued, not mailed yet
}

func (o *office) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, map[string]string{"status": "alive"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if !o.ready.Load() {
			fail(w, http.StatusServiceUnavailable, "not ready")
			return
		}
		answer(w, http.StatusOK, map[string]string{"status": "ready"})
	})
	mux.HandleFunc("POST /invoices", o.issue)
	return mux
}

func (o *office) issue(w http.ResponseWriter, r *http.Request) {
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

// mail sends what comes into the outbox, one after the other.
func (o *office) mail(ctx context.Context) {
	for number := range o.outbox {
		if err := o.cfg.Mail(ctx, number); err != nil {
			log.Print(err)
			o.cfg.Journal("unsent", number)
			continue
		}
		o.cfg.Journal("mailed", number)
	}
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
