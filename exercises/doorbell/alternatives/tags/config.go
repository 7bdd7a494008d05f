package doorbell

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Every type of a field knows how to read itself and how to show itself.
type (
	host     string
	port     uint16
	phoneURL url.URL
	key      string
	doors    []string
	wait     time.Duration
	size     int
	quiet    bool
	chime    string
	greeting string
)

type variable interface {
	set(text string) error
	show() string
}

// config says in its tags where each field comes from.
type config struct {
	Host     host     `env:"HOST" default:"127.0.0.1"`
	Port     port     `env:"PORT"`
	Phone    phoneURL `env:"PHONE_URL"`
	Key      key      `env:"API_KEY"`
	Doors    doors    `env:"DOORS"`
	Wait     wait     `env:"RING_TIMEOUT" default:"2s"`
	Size     size     `env:"MAX_MESSAGE" default:"256"`
	Quiet    quiet    `env:"QUIET" default:"false"`
	Chime    chime    `env:"CHIME" default:"ding"`
	Greeting greeting `env:"GREETING" default:"Somebody is at the door"`
}

// each calls fn for every field.
func (c *config) each(fn func(name, fallback string, hasFallback bool, v variable)) {
	fields := reflect.ValueOf(c).Elem()
	for i := range fields.NumField() {
		tag := fields.Type().Field(i).Tag
		fallback, ok := tag.Lookup("default")
		fn(tag.Get("env"), fallback, ok, fields.Field(i).Addr().Interface().(variable))
	}
}

func (c *config) load() error {
	var faults []error
	c.each(func(name, fallback string, hasFallback bool, v variable) {
		text, there := os.LookupEnv(name)
		switch {
		case !there && !hasFallback:
			faults = append(faults, fmt.Errorf("%s: not set", name))
			return
		case !there:
			text = fallback
		}
		if err := v.set(text); err != nil && text == "" {
			faults = append(faults, fmt.Errorf("%s: empty", name))
		} else if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
		}
	})
	return errors.Join(faults...)
}

func (c *config) shown() map[string]string {
	all := map[string]string{}
	c.each(func(name, _ string, _ bool, v variable) { all[name] = v.show() })
	return all
}

func number(text string, most uint64) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err == nil && (n < 1 || n > most) {
		err = fmt.Errorf("%s is out of range", text)
	}
	return n, err
}

func (h *host) set(text string) error {
	if *h = host(text); text == "" {
		return errors.New("no host")
	}
	return nil
}
func (h *host) show() string { return string(*h) }

func (p *port) set(text string) error {
	n, err := number(text, 65535)
	*p = port(n)
	return err
}
func (p *port) show() string { return fmt.Sprint(*p) }

func (p *phoneURL) set(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return errors.New("this is not a URL that could be called")
	}
	*p = phoneURL(*u)
	return nil
}
func (p *phoneURL) show() string {
	u := url.URL(*p)
	return fmt.Sprintf("%s://%s%s (rest not shown)", u.Scheme, u.Host, u.EscapedPath())
}

func (k *key) set(text string) error {
	if *k = key(text); len(text) < 16 {
		return errors.New("too short")
	}
	return nil
}
func (k *key) show() string { return "•" }

var list = regexp.MustCompile(`^\s*[a-z0-9-]+\s*(,\s*[a-z0-9-]+\s*)*$`)

func (d *doors) set(text string) error {
	if !list.MatchString(text) {
		return fmt.Errorf("%q is no list of doors", text)
	}
	*d = nil
	for name := range strings.SplitSeq(text, ",") {
		*d = append(*d, strings.TrimSpace(name))
	}
	return nil
}
func (d *doors) show() string { return strings.Join(*d, ", ") }

func (t *wait) set(text string) error {
	d, err := time.ParseDuration(text)
	if err == nil && (d <= 0 || d > 30*time.Second) {
		err = fmt.Errorf("%s is out of range", text)
	}
	*t = wait(d)
	return err
}
func (t *wait) show() string { return time.Duration(*t).String() }

func (s *size) set(text string) error {
	n, err := number(text, 65536)
	*s = size(n)
	return err
}
func (s *size) show() string { return fmt.Sprint(*s) }

func (q *quiet) set(text string) error {
	b, err := strconv.ParseBool(text)
	*q = quiet(b)
	return err
}
func (q *quiet) show() string { return fmt.Sprint(*q) }

func (c *chime) set(text string) error {
	switch *c = chime(text); text {
	case "ding", "gong", "buzz":
		return nil
	}
	return fmt.Errorf("unknown: %q", text)
}
func (c *chime) show() string { return string(*c) }

func (g *greeting) set(text string) error { *g = greeting(text); return nil }
func (g *greeting) show() string          { return string(*g) }
