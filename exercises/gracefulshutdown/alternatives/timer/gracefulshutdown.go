// Package gracefulshutdown is an invoice office with one list of what is still
// to be done. A timer gives up on the list when there is no time left.
package gracefulshutdown

import (
	"context"
	"encoding/json"
	"errors"
	"log"
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

type state int

const (
	loading state = iota
	serving
	stopping
)

// Run serves until SIGTERM or SIGINT, stops, and returns the exit status.
func Run(cfg Config) int {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)

	b := &books{Config: cfg}
	b.changed.L = &b.mu
	b.timeUp, b.giveUp = context.WithCancel(context.Background())
	defer b.giveUp()
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("/readyz", b.readyz)
	mux.HandleFunc("POST /invoices", b.invoices)
	srv := &http.Server{Addr: cfg.Addr, Handler: mux}

	down := make(chan int, 1)
	go func() {
		if err := srv.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
			log.Print(err)
			down <- 1
		}
	}()
	go func() {
		if err := cfg.Load(b.timeUp); err != nil {
			log.Print(err)
			down <- 1
			return
		}
		b.become(serving)
	}()
	go b.mailman()

	select {
	case status := <-down:
		return status
	case <-signals:
	}
	signal.Reset(os.Interrupt, syscall.SIGTERM)

	status := make(chan int, 1)
	timer := time.AfterFunc(cfg.StopTimeout, func() {
		if b.handlers() > 0 {
			status <- 1
		}
		b.giveUp()
		_ = srv.Close()
	})
	b.become(stopping)
	time.Sleep(cfg.DrainDelay)
	_ = srv.Shutdown(context.Background()) // bounded by the timer
	b.settled()
	timer.Stop()
	select {
	case code := <-status:
		return code
	default:
		return 0
	}
}

// books hold everything that is not done yet.
type books struct {
	Config
	timeUp context.Context
	giveUp context.CancelFunc

	mu      sync.Mutex
	changed sync.Cond
	state   state
	last    int
	busy    int   // handlers at work
	unsent  []int // issued, oldest first; the first one may be on its way
}

// become never goes back.
func (b *books) become(s state) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.state = max(b.state, s)
}

func (b *books) change(fn func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	fn()
	b.changed.Broadcast()
}

func (b *books) handlers() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.busy
}

// settled waits until no handler is at work and every mail is decided.
func (b *books) settled() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.busy > 0 || len(b.unsent) > 0 {
		b.changed.Wait()
	}
}

func (b *books) readyz(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state != serving {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

func (b *books) invoices(w http.ResponseWriter, r *http.Request) {
	b.change(func() { b.busy++ })
	defer b.change(func() { b.busy-- })

	var order struct {
		Lines []string `json:"lines"`
	}
	if err := json.NewDecoder(r.Body).Decode(&order); err != nil || len(order.Lines) == 0 {
		http.Error(w, "no lines", http.StatusBadRequest)
		return
	}
	var number int
	b.change(func() { b.last++; number = b.last })
	text, err := b.Render(r.Context(), number, order.Lines)
	if err != nil {
		b.Journal("void", number)
		http.Error(w, "try again", http.StatusServiceUnavailable)
		return
	}
	b.Journal("issued", number)
	b.change(func() { b.unsent = append(b.unsent, number) })
	body, _ := json.MarshalIndent(map[string]any{"number": number, "text": text}, "", "  ")
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(body)
}

// mailman mails the oldest invoice, again and again.
func (b *books) mailman() {
	for {
		b.mu.Lock()
		for len(b.unsent) == 0 {
			b.changed.Wait()
		}
		number := b.unsent[0]
		b.mu.Unlock()
		entry := "mailed"
		if err := b.Mail(b.timeUp, number); err != nil {
			entry = "unsent"
		}
		b.Journal(entry, number)
		b.change(func() { b.unsent = b.unsent[1:] })
	}
}
