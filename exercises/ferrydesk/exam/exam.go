// Package exam examines the ferry desk's metrics: it drives the app with a known
// load, and compares what /metrics says before and after.
package exam

import (
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

const (
	lesson = "observability/metrics#"

	// objective is what the histogram has to have a boundary at, in seconds.
	objective = 0.3
	// soon is how long the exam waits for what the task promises within a second:
	// the machine may be busy.
	soon = 3 * time.Second
)

// Exam declares the checks, in the order in which they are easiest to pass.
func Exam(x *exam.X) {
	x.Upstream("harbour", "HARBOUR_URL")
	x.Check("exposition", "serves its metrics at GET /metrics", exposed,
		exam.Why("Prometheus asks every 15 seconds. A page that it can't read counts as a service that is down."),
		exam.Read(lesson+"what-a-scrape-is"))
	x.Check("scrape", "shows the same to everybody who looks, and does not count looking", scraped,
		exam.After("exposition"),
		exam.Why("Two Prometheus servers usually scrape the same program, and somebody with curl may be the third. None of them may change what the others see."),
		exam.Read(lesson+"a-counter-goes-up"))
	x.Check("counter", "counts a request once, in a counter with the three labels", counter,
		exam.After("scrape"),
		exam.Why("Rates, error ratios and most alerts begin with this one number."),
		exam.Read(lesson+"a-counter-goes-up"))
	labels(x)
	endings(x)
	x.Check("histogram", "keeps a histogram with the objective among its boundaries", histogram,
		exam.After("routes", "codes", "panic"),
		exam.Why("How many requests were slower than 300 ms can be read off exactly if there is a boundary at 300 ms, and only guessed if there is none."),
		exam.Read(lesson+"put-a-boundary-at-the-promise"))
	x.Check("seconds", "measures in seconds how long a handler took", seconds,
		exam.After("histogram"),
		exam.Why("Names say the unit, and dashboards believe it. A thousandfold error looks like a catastrophe or like nothing at all."),
		exam.Read(lesson+"put-a-boundary-at-the-promise"))
	x.Check("load", "loses no request under load, and stays the same size", load,
		exam.After("routes", "methods", "codes", "histogram"),
		exam.Why("What is lost under load is lost when it matters most. And every series costs memory here and in Prometheus, for as long as the program runs."),
		exam.Read(lesson+"every-value-is-a-series"))
}

func labels(x *exam.X) {
	x.Check("routes", "labels a request with its route, however many paths there are", routes,
		exam.After("counter"),
		exam.Why("Each value of a label is a time series of its own, in memory and on the disk of Prometheus. Paths are invented by clients, and there is no end of them."),
		exam.Read(lesson+"every-value-is-a-series"))
	x.Check("methods", "has one label value for all methods that nobody has heard of", methods,
		exam.After("routes"),
		exam.Why("The method is a word that the client chooses. A scanner with a dictionary makes a series of each."),
		exam.Read(lesson+"every-value-is-a-series"))
	x.Check("codes", "labels a request with the status that the client got", codes,
		exam.After("routes"),
		exam.Why("The share of 5xx is the first thing that anybody looks at, and most alerts are about it. It is worth as much as this label."),
		exam.Read(lesson+"which-status-was-it"))
}

func endings(x *exam.X) {
	x.Check("stream", "leaves a handler that streams as it was", stream,
		exam.After("codes"),
		exam.Why("Metrics are there to watch the service. Whoever puts them in does not expect that live pages stand still afterwards."),
		exam.Read(lesson+"the-wrapper-in-between"))
	x.Check("panic", "counts a panic as a 500, and does not hide it", panics,
		exam.After("codes", "stream"),
		exam.Why("A nil pointer in one handler is the commonest outage of all. If panics are not counted, the error rate stays at zero while it lasts."),
		exam.Read(lesson+"however-it-ends"))
	x.Check("gone", "counts a client who has left as 499", gone,
		exam.After("codes"),
		exam.Why("Counted as 200, those who gave up waiting make a slow service look fine. Counted as 500, every closed tab is an error of yours."),
		exam.Read(lesson+"however-it-ends"))
	x.Check("in-flight", "knows how many requests are under way", inFlight,
		exam.After("panic", "gone"),
		exam.Why("It shows a service that hangs before a single request is counted: those are counted when they end. If it never comes back to 0, it shows nothing."),
		exam.Read(lesson+"a-gauge-comes-back"))
}
