package doorbell

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Config holds the settings of one process. Load makes it, once; nothing
// changes it, and nothing else reads the environment.
type Config struct {
	Host        string
	Port        int
	PhoneURL    PhoneURL
	APIKey      Secret
	Doors       []string
	RingTimeout time.Duration
	MaxMessage  int64
	Quiet       bool
	Chime       string
	Greeting    string
}

// Load reads all settings with lookup, which is os.LookupEnv except in tests.
// The error joins every fault, one line each; no line holds a secret.
func Load(lookup func(name string) (string, bool)) (Config, error) {
	e := &environment{lookup: lookup}
	c := Config{
		Host:        optional(e, "HOST", "127.0.0.1", parseHost),
		Port:        required(e, "PORT", parsePort),
		PhoneURL:    required(e, "PHONE_URL", parsePhoneURL),
		APIKey:      required(e, "API_KEY", parseKey),
		Doors:       required(e, "DOORS", parseDoors),
		RingTimeout: optional(e, "RING_TIMEOUT", 2*time.Second, parseTimeout),
		MaxMessage:  optional(e, "MAX_MESSAGE", 256, parseSize),
		Quiet:       optional(e, "QUIET", false, parseBool),
		Chime:       optional(e, "CHIME", "ding", parseChime),
		Greeting:    optional(e, "GREETING", "Somebody is at the door", parseText),
	}
	return c, errors.Join(e.faults...)
}

// Setting is a variable and its effective value, fit to be shown.
type Setting struct{ Name, Value string }

// Settings lists what the process runs with. Secrets are masked.
func (c Config) Settings() []Setting {
	return []Setting{
		{"HOST", c.Host},
		{"PORT", strconv.Itoa(c.Port)},
		{"PHONE_URL", c.PhoneURL.String()},
		{"API_KEY", c.APIKey.String()},
		{"DOORS", strings.Join(c.Doors, ",")},
		{"RING_TIMEOUT", c.RingTimeout.String()},
		{"MAX_MESSAGE", strconv.FormatInt(c.MaxMessage, 10)},
		{"QUIET", strconv.FormatBool(c.Quiet)},
		{"CHIME", c.Chime},
		{"GREETING", c.Greeting},
	}
}

// environment reads variables and collects what is wrong with them.
type environment struct {
	lookup func(string) (string, bool)
	faults []error
}

func (e *environment) fault(name string, err error) {
	e.faults = append(e.faults, fmt.Errorf("%s: %w", name, err))
}

// required reads a variable that has to be there.
func required[T any](e *environment, name string, parse func(string) (T, error)) (value T) {
	text, set := e.lookup(name)
	if !set {
		e.fault(name, errors.New("not set, and there is no default"))
		return value
	}
	return read(e, name, text, parse)
}

// optional reads a variable that may be left out. Leaving it out is one thing;
// setting it to nothing is another, and is parsed like any value.
func optional[T any](e *environment, name string, fallback T, parse func(string) (T, error)) T {
	text, set := e.lookup(name)
	if !set {
		return fallback
	}
	return read(e, name, text, parse)
}

func read[T any](e *environment, name, text string, parse func(string) (T, error)) T {
	value, err := parse(text)
	if text == "" && err != nil {
		err = errors.New("set, but empty")
	}
	if err != nil {
		e.fault(name, err)
	}
	return value
}

func parseText(text string) (string, error) { return text, nil }

func parseHost(text string) (string, error) {
	if text == "" { // to net.Listen this means every interface of the machine
		return "", errors.New("no host")
	}
	return text, nil
}

func parsePort(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 65535 {
		return 0, fmt.Errorf("%q is no port; write a number from 1 to 65535", text)
	}
	return n, nil
}

func parseSize(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || n > 65536 {
		return 0, fmt.Errorf("%q is no number of bytes from 1 to 65536", text)
	}
	return n, nil
}

func parseTimeout(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is no duration; write a number and its unit, such as 500ms or 5s", text)
	}
	if d <= 0 || d > 30*time.Second {
		return 0, fmt.Errorf("%q is not between 0s and 30s", text)
	}
	return d, nil
}

func parseBool(text string) (bool, error) {
	b, err := strconv.ParseBool(text)
	if err != nil {
		return false, fmt.Errorf("%q is neither true nor false", text)
	}
	return b, nil
}

func parseChime(text string) (string, error) {
	if chimes := []string{"ding", "gong", "buzz"}; !slices.Contains(chimes, text) {
		return "", fmt.Errorf("%q is none of %s", text, strings.Join(chimes, ", "))
	}
	return text, nil
}

var doorName = regexp.MustCompile(`^[a-z0-9-]+$`)

func parseDoors(text string) ([]string, error) {
	doors := strings.Split(text, ",")
	for i, door := range doors {
		doors[i] = strings.TrimSpace(door)
		if !doorName.MatchString(doors[i]) {
			return nil, fmt.Errorf("%q is no name of a door; use a-z, 0-9 and -, with commas in between", doors[i])
		}
	}
	return doors, nil
}

// What the two parsers below return must not quote what they were given.

func parseKey(text string) (Secret, error) {
	if len(text) < 16 {
		return Secret{}, errors.New("shorter than 16 characters")
	}
	return Secret{text}, nil
}

func parsePhoneURL(text string) (PhoneURL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil: // err holds the text, or a part of it
		return PhoneURL{}, errors.New("no URL; is a / or % in the password not written as %2F or %25?")
	case u.Scheme != "http" && u.Scheme != "https":
		return PhoneURL{}, errors.New("does not begin with http:// or https://")
	case u.Host == "":
		return PhoneURL{}, errors.New("names no host")
	}
	return PhoneURL{u}, nil
}

// Secret is a text that prints as a mask, whichever way it is printed. The mask
// tells nothing about it, not even its length.
type Secret struct{ text string }

const mask = "[secret]"

func (s Secret) String() string               { return mask }
func (s Secret) Format(f fmt.State, _ rune)   { _, _ = f.Write([]byte(mask)) }
func (s Secret) MarshalText() ([]byte, error) { return []byte(mask), nil }

// Reveal returns the text. Whoever calls it takes care of it.
func (s Secret) Reveal() string { return s.text }

// PhoneURL is a URL that prints without user, password and query.
type PhoneURL struct{ url *url.URL }

func (p PhoneURL) String() string {
	if p.url == nil {
		return ""
	}
	shown := *p.url
	if shown.User != nil {
		shown.User = url.UserPassword("secret", "secret")
	}
	if shown.RawQuery != "" {
		shown.RawQuery = "secret"
	}
	return shown.String()
}

// Format keeps every verb, %#v too, from looking inside.
func (p PhoneURL) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(p.String())) }

// Reveal returns the URL with all that is in it.
func (p PhoneURL) Reveal() string { return p.url.String() }
