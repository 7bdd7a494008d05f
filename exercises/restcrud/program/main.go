// The program under examination: it serves restcrud.New on $HOST:$PORT.
// It is given; a grade uses its own copy of this file.
package main

import (
	"cmp"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/cairn-learn/cairn/exercises/restcrud"
)

func main() {
	host := cmp.Or(os.Getenv("HOST"), "127.0.0.1")
	port := os.Getenv("PORT")
	if port == "" {
		log.Fatal("PORT is not set; try: PORT=8080 go run ./program")
	}

	handler := restcrud.New()
	if handler == nil {
		log.Fatal("restcrud.New returned nil; it has to return the handler, such as the mux")
	}

	// Without timeouts a client that sends nothing holds its connection, and
	// the memory behind it, for as long as it likes.
	server := &http.Server{
		Addr:              net.JoinHostPort(host, port),
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      15 * time.Second,
		IdleTimeout:       60 * time.Second,
	}
	log.Printf("listening on http://%s", server.Addr)
	log.Fatal(server.ListenAndServe())
}
