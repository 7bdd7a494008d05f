// Package ferrydesk measures the ticket desk of a ferry line.
// The contract is in task.md.
package ferrydesk

import "net/http"

// New returns the app, measured, with /metrics beside it.
func New(app *http.ServeMux) http.Handler {
	// Nobody measures anything yet. Begin with GET /metrics, and with one gauge
	// in it: http_requests_in_flight 0.
	return app
}
