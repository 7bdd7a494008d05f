package doorbell

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// settings are the values of one process. A row of the table below fills one
// field; what is shown of it is kept beside.
type settings struct {
	host, port, chime, greeting string
	phone                       *url.URL // without its secrets
	user                        *url.Userinfo
	query                       string
	key                         []byte
	doors                       map[string]bool
	wait                        time.Duration
	size                        int64
	quiet                       bool
}

type row struct {
	name     string
	fallback string // when there is one
	optional bool
	hidden   bool // a fault does not quote the value
	parse    func(*settings, string) (shown string, err error)
}

var table = []row{
	{name: "HOST", fallback: "127.0.0.1", optional: true, parse: func(s *settings, v string) (string, error) {
		s.host = v
		return v, complain(v == "", "must not be empty")
	}},
	{name: "PORT", parse: func(s *settings, v string) (string, error) {
		s.port = v
		_, err := whole(v, 65535)
		return v, err
	}},
	{name: "PHONE_URL", hidden: true, parse: parsePhone},
	{name: "API_KEY", hidden: true, parse: func(s *settings, v string) (string, error) {
		s.key = []byte(v)
		return "***", complain(len(v) < 16, "needs 16 characters")
	}},
	{name: "DOORS", parse: parseDoors},
	{name: "RING_TIMEOUT", fallback: "2s", optional: true, parse: func(s *settings, v string) (shown string, err error) {
		s.wait, err = time.ParseDuration(v)
		if err == nil && (s.wait <= 0 || s.wait > 30*time.Second) {
			err = fmt.Errorf("must be above 0 and at most 30s")
		}
		return s.wait.String(), err
	}},
	{name: "MAX_MESSAGE", fallback: "256", optional: true, parse: func(s *settings, v string) (shown string, err error) {
		s.size, err = whole(v, 65536)
		return v, err
	}},
	{name: "QUIET", fallback: "false", optional: true, parse: func(s *settings, v string) (string, error) {
		s.quiet = v == "true" || v == "1"
		return v, complain(!s.quiet && v != "false" && v != "0", "must be true or false")
	}},
	{name: "CHIME", fallback: "ding", optional: true, parse: func(s *settings, v string) (string, error) {
		s.chime = v
		return v, complain(v != "ding" && v != "gong" && v != "buzz", "must be ding, gong or buzz")
	}},
	{name: "GREETING", fallback: "Somebody is at the door", optional: true, parse: func(s *settings, v string) (string, error) {
		s.greeting = v
		return v, nil
	}},
}

// read goes through the table. It returns what may be shown of every setting,
// and the faults.
func read(environ []string) (s settings, shown map[string]string, faults []string) {
	given := map[string]string{}
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		given[name] = value
	}
	shown = map[string]string{}
	for _, r := range table {
		value, set := given[r.name]
		if !set && !r.optional {
			faults = append(faults, r.name+" is not set")
			continue
		}
		if !set {
			value = r.fallback
		}
		text, err := r.parse(&s, value)
		switch {
		case err == nil:
			shown[r.name] = text
		case value == "":
			faults = append(faults, r.name+" is empty")
		case r.hidden:
			faults = append(faults, fmt.Sprintf("%s %v", r.name, err))
		default:
			faults = append(faults, fmt.Sprintf("%s is %q: %v", r.name, value, err))
		}
	}
	return s, shown, faults
}

func complain(bad bool, text string) error {
	if bad {
		return fmt.Errorf("%s", text)
	}
	return nil
}

func whole(v string, most int64) (int64, error) {
	n, err := strconv.ParseUint(v, 10, 32)
	if err != nil || n == 0 || int64(n) > most {
		return 0, fmt.Errorf("must be a whole number from 1 to %d", most)
	}
	return int64(n), nil
}

func parseDoors(s *settings, v string) (string, error) {
	s.doors = map[string]bool{}
	for name := range strings.SplitSeq(v, ",") {
		name = strings.TrimSpace(name)
		if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return "", fmt.Errorf("%q cannot be a door", name)
		}
		s.doors[name] = true
	}
	return v, nil
}

// parsePhone takes the URL apart at once: what is left in s.phone may be seen by
// everybody, errors of net/http included.
func parsePhone(s *settings, v string) (string, error) {
	u, err := url.ParseRequestURI(v)
	if err != nil || u.Opaque != "" || u.Hostname() == "" || !strings.HasPrefix(u.Scheme, "http") || len(strings.TrimSuffix(u.Scheme, "s")) != 4 {
		return "", fmt.Errorf("must be an absolute URL, http or https, properly escaped")
	}
	s.user, s.query = u.User, u.RawQuery
	u.User, u.RawQuery = nil, ""
	s.phone = u
	return u.String(), nil
}
