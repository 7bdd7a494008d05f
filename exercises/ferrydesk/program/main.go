// The program under examination: the ticket desk of a ferry line, as it runs
// today, behind what ferrydesk.New makes of it. It is given; a grade uses its own
// copy of this file. Its mistakes are real ones, and not yours to repair: the
// metrics are to show them.
package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/cairn-learn/cairn/exercises/ferrydesk"
)

func main() {
	port := os.Getenv("PORT")
	if port == "" {
		log.Fatal("PORT is not set; try: PORT=8080 go run ./program")
	}
	d := &desk{harbour: os.Getenv("HARBOUR_URL")}
	if d.harbour == "" {
		d.harbour = pretendHarbour()
	}
	app := http.NewServeMux()
	app.HandleFunc("GET /{$}", d.start)
	app.HandleFunc("GET /sailings", d.list)
	app.HandleFunc("GET /sailings/{id}", d.sailing)
	app.HandleFunc("GET /sailings/{id}/live", d.live)
	app.HandleFunc("POST /sailings/{id}/bookings", d.book)
	app.HandleFunc("DELETE /bookings/{id}", d.cancel)
	app.HandleFunc("POST /gates/{id}", d.gate)

	handler := ferrydesk.New(app)
	if handler == nil {
		log.Fatal("ferrydesk.New returned nil; it has to return the handler that measures")
	}
	server := &http.Server{
		Addr:              net.JoinHostPort(cmp.Or(os.Getenv("HOST"), "127.0.0.1"), port),
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
	}
	log.Fatal(server.ListenAndServe())
}

// desk asks the harbour office where a sailing lies.
type desk struct{ harbour string }

// start tells the browser early what it will need, and answers then.
func (d *desk) start(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Link", "</desk.css>; rel=preload; as=style")
	w.WriteHeader(http.StatusEarlyHints)
	fmt.Fprintln(w, "the ticket desk")
}

func (d *desk) list(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusOK)
	fmt.Fprintln(w, `["7","8","9"]`)
}

func (d *desk) sailing(w http.ResponseWriter, r *http.Request) {
	s, status, err := d.ask(r)
	switch {
	case err != nil: // also when whoever asked has left, though nobody reads it then
		http.Error(w, err.Error(), http.StatusBadGateway)
	case status != http.StatusOK:
		http.Error(w, "the harbour office says "+http.StatusText(status), status)
	default:
		fmt.Fprintf(w, "{\"pier\":%d}\n", s.Berth.Pier) // Berth is nil before one is assigned
	}
}

// live sends a line at once, and the pier when it is known.
func (d *desk) live(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintln(w, "boarding soon")
	if err := http.NewResponseController(w).Flush(); err != nil {
		panic(fmt.Sprintf("cannot stream: %v", err))
	}
	if s, _, err := d.ask(r); err == nil {
		fmt.Fprintln(w, "pier", s.Berth.Pier)
	}
}

// book has a return too few: what it writes after a refusal is not sent any more.
func (d *desk) book(w http.ResponseWriter, r *http.Request) {
	var in struct{ Seats int }
	if err := json.NewDecoder(io.LimitReader(r.Body, 64<<10)).Decode(&in); err != nil || in.Seats < 1 {
		http.Error(w, "how many seats?", http.StatusBadRequest)
	}
	w.WriteHeader(http.StatusCreated)
}

func (d *desk) cancel(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusNoContent)
}

// gate opens a gate, and has nothing to say about it. What the client gets is a 200.
func (d *desk) gate(w http.ResponseWriter, r *http.Request) {
	_, _, _ = d.ask(r) // so that the office knows; it opens anyway
}

// sailing is what the harbour office knows.
type sailing struct {
	Berth *struct{ Pier int }
}

// ask returns the sailing, or the status with which the harbour office refused.
func (d *desk) ask(r *http.Request) (s sailing, status int, err error) {
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, d.harbour+"/sailings/"+r.PathValue("id"), nil)
	if err != nil {
		return s, 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return s, 0, errors.New("the harbour office does not answer")
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return s, resp.StatusCode, nil
	}
	if err := json.NewDecoder(resp.Body).Decode(&s); err != nil {
		return s, 0, errors.New("the harbour office talks nonsense")
	}
	return s, resp.StatusCode, nil
}

// pretendHarbour plays the harbour office where there is none. Sailing 7 lies at
// pier 2, 8 has no berth yet, 9 is looked up for 400 ms, and others are not known.
func pretendHarbour() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		log.Fatal(http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/sailings/7":
				fmt.Fprint(w, `{"berth":{"pier":2}}`)
			case "/sailings/8":
				fmt.Fprint(w, `{"berth":null}`)
			case "/sailings/9":
				time.Sleep(400 * time.Millisecond)
				fmt.Fprint(w, `{"berth":{"pier":5}}`)
			default:
				http.NotFound(w, r)
			}
		})))
	}()
	return "http://" + l.Addr().String()
}
