package exam

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/cairn-learn/cairn/grader/report"
)

// The lines of a report of Go's race detector that matter: what was done, and
// where in the learner's files.
var (
	raceBegins = "WARNING: DATA RACE"
	raceAccess = regexp.MustCompile(`(?i)^(previous )?(read|write) at 0x`)
	raceFrame  = regexp.MustCompile(`^\s+` + regexp.QuoteMeta(learnerModule) + `/[^/]+/(\S+\.go):(\d+)`)
)

// Races returns the two places of the first race that the race detector
// reported, nil when it reported none. A place outside of the learner's files
// has no line. The program must have been built with the race detector.
func (s *Session) Races() []report.Diagnostic {
	var places []report.Diagnostic
	inside := false
	for _, l := range s.log.since(0) {
		text := strings.TrimRight(l.Text, " ")
		switch {
		case strings.Contains(text, raceBegins):
			if inside {
				return places
			}
			inside = true
		case !inside:
		case raceAccess.MatchString(strings.TrimSpace(text)):
			message := "one goroutine reads this while another writes it, with no lock that puts them in order"
			if strings.Contains(strings.ToLower(text), "write at") {
				message = "one goroutine writes this while another reads or writes it, with no lock that puts them in order"
			}
			places = append(places, report.Diagnostic{Message: message})
		case strings.HasPrefix(text, "Goroutine"), strings.HasPrefix(text, "====") && len(places) > 0:
			return places
		default:
			m := raceFrame.FindStringSubmatch(text)
			if m == nil || len(places) == 0 || places[len(places)-1].File != "" {
				continue
			}
			last := &places[len(places)-1]
			last.File = m[1]
			last.Line, _ = strconv.Atoi(m[2])
		}
	}
	return places
}
