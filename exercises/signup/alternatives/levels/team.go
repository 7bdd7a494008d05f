package signup

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/big"
	"strconv"
	"strings"
	"unicode"
)

// Runner is one of a team.
type Runner struct {
	Name  string `json:"name"`
	Born  int64  `json:"born"`
	Shirt string `json:"shirt"`
}

// Team is what is stored.
type Team struct {
	Name    string   `json:"name"`
	Email   string   `json:"email"`
	Club    *string  `json:"club,omitempty"`
	Runners []Runner `json:"runners"`
}

type level = map[string]json.RawMessage

var errRepeated = errors.New("repeated key")

// repeats walks over the next value and finds a key that an object has twice.
func repeats(d *json.Decoder) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	delim, nested := token.(json.Delim)
	if !nested {
		return nil
	}
	seen := map[string]bool{}
	for d.More() {
		if delim == '{' {
			key, err := d.Token()
			if err != nil {
				return err
			}
			if seen[key.(string)] {
				return errRepeated
			}
			seen[key.(string)] = true
		}
		if err := repeats(d); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

// faults is a list that stops growing at 100.
type faults []Fault

func (f *faults) add(pointer, code string) {
	if len(*f) < 100 {
		*f = append(*f, Fault{pointer, code, "The value does not fit the rule " + code + "."})
	}
}

// take decodes one member into v, and reports whether it was there and fitted.
func (f *faults) take(l level, at, key string, required bool, v any) bool {
	raw, there := l[key]
	delete(l, key)
	switch {
	case !there && required:
		f.add(at+key, "required")
		return false
	case !there:
		return false
	case bytes.Equal(raw, []byte("null")), json.Unmarshal(raw, v) != nil:
		f.add(at+key, "type")
		return false
	}
	return true
}

func (f *faults) text(l level, at, key string, required bool, least, most int) string {
	var s string
	if !f.take(l, at, key, required, &s) {
		return ""
	}
	if n := len([]rune(s)); n < least || n > most {
		f.add(at+key, "length")
	} else if strings.IndexFunc(s, unicode.IsControl) >= 0 {
		f.add(at+key, "format")
	} else if key == "email" {
		parts := strings.Split(s, "@")
		if len(parts) != 2 || parts[0] == "" || parts[1] == "" || strings.Contains(s, " ") {
			f.add(at+key, "format")
		}
	}
	return s
}

// rest notes every member that nobody has taken.
func (f *faults) rest(l level, at string) {
	for key := range l {
		f.add(at+strings.NewReplacer("~", "~0", "/", "~1").Replace(key), "unknown")
	}
}

func readTeam(l level) (Team, faults) {
	var f faults
	var t Team
	t.Name = f.text(l, "/", "name", true, 3, 40)
	t.Email = f.text(l, "/", "email", true, 3, 254)
	if _, there := l["club"]; there {
		club := f.text(l, "/", "club", true, 1, 60)
		t.Club = &club
	}
	var runners []json.RawMessage
	if f.take(l, "/", "runners", true, &runners) && (len(runners) < 2 || len(runners) > 6) {
		f.add("/runners", "length")
	}
	for i, raw := range runners {
		t.Runners = append(t.Runners, readRunner(raw, "/runners/"+strconv.Itoa(i), &f))
	}
	f.rest(l, "/")
	return t, f
}

func readRunner(raw json.RawMessage, at string, f *faults) (r Runner) {
	var l level
	if err := json.Unmarshal(raw, &l); err != nil || l == nil {
		f.add(at, "type")
		return r
	}
	at += "/"
	r.Name = f.text(l, at, "name", true, 1, 40)
	var born big.Int // so that no whole number is too large for its type
	if f.take(l, at, "born", true, &born) {
		if r.Born = born.Int64(); !born.IsInt64() || r.Born < 1920 || r.Born > 2012 {
			f.add(at+"born", "range")
		}
	}
	if f.take(l, at, "shirt", true, &r.Shirt) {
		switch r.Shirt {
		case "S", "M", "L", "XL":
		default:
			f.add(at+"shirt", "choice")
		}
	}
	f.rest(l, at)
	return r
}
