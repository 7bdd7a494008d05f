package refill_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/cairn-learn/cairn/exercises/refill"
)

func TestFind(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"drug":"Metformin 500","left":3}`)
	}))
	defer server.Close()
	client := refill.Client{Base: server.URL, Key: "k-17"}
	p, err := client.Find(t.Context(), "R/2026/41")
	t.Log(p, err)
}
