package signup

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

type team struct {
	ID      int64    `json:"id"`
	Name    string   `json:"name"`
	Email   string   `json:"email"`
	Club    string   `json:"club,omitempty"`
	Runners []runner `json:"runners"`
}

type runner struct {
	Name  string `json:"name"`
	Born  int    `json:"born"`
	Shirt string `json:"shirt"`
}

// object is a JSON object of which every key is known to stand in it once.
type object = map[string]any

// readDocument reads a body that is one JSON object. Its values are object, []any,
// string, json.Number, bool and nil.
func readDocument(body []byte) (object, error) {
	// encoding/json would put U+FFFD where a byte is wrong, and say nothing.
	if !utf8.Valid(body) {
		return nil, malformed("The body is not UTF-8.")
	}
	// Valid looks at the whole body, what follows the first value too, and
	// gives up on thousands of nested arrays before readValue falls into them.
	if !json.Valid(body) {
		return nil, malformed("The body is not one JSON value.")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	v, err := readValue(d)
	if err != nil {
		return nil, malformed("A key stands twice in the same object.")
	}
	doc, ok := v.(object)
	if !ok {
		return nil, malformed("The body is JSON, but not an object.")
	}
	return doc, nil
}

var errTwice = errors.New("a key stands twice")

// readValue does what Decode does, only that it does not take the last one of two
// equal keys. The body is valid, so errTwice is the one error there is.
func readValue(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		obj := object{}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			name := key.(string)
			if _, twice := obj[name]; twice {
				return nil, errTwice
			}
			if obj[name], err = readValue(d); err != nil {
				return nil, err
			}
		}
		_, err = d.Token()
		return obj, err
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := readValue(d)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = d.Token()
		return list, err
	}
	return token, nil
}

// maxErrors bounds the answer to a body that is wrong in thousands of places.
const maxErrors = 100

// judge notes what is wrong, and does not stop at the first.
type judge struct {
	errs []fieldError
}

func (j *judge) note(at, code, format string, args ...any) {
	if len(j.errs) == maxErrors {
		return
	}
	j.errs = append(j.errs, fieldError{Pointer: at, Code: code, Detail: fmt.Sprintf(format, args...)})
}

// judgeTeam returns the team in doc, and all that is wrong with it.
func judgeTeam(doc object) (team, []fieldError) {
	j := &judge{}
	j.known(doc, "", "name", "email", "club", "runners")
	t := team{
		Name:  j.text(doc, "", "name", 3, 40),
		Email: j.email(doc, "", "email"),
	}
	if _, there := doc["club"]; there {
		t.Club = j.text(doc, "", "club", 1, 60)
	}
	runners, ok := doc["runners"].([]any)
	switch {
	case !ok:
		j.mistyped(doc, "", "runners", "a list")
	case len(runners) < 2 || len(runners) > 6:
		j.note("/runners", "length", "A team has 2 to 6 runners.")
	}
	for i, v := range runners {
		at := "/runners/" + strconv.Itoa(i)
		obj, ok := v.(object)
		if !ok {
			j.note(at, "type", "This must be an object.")
			continue
		}
		j.known(obj, at, "name", "born", "shirt")
		t.Runners = append(t.Runners, runner{
			Name:  j.text(obj, at, "name", 1, 40),
			Born:  j.integer(obj, at, "born", 1920, 2012),
			Shirt: j.choice(obj, at, "shirt", "S", "M", "L", "XL"),
		})
	}
	return t, j.errs
}

// known notes every key that is not among names.
func (j *judge) known(obj object, at string, names ...string) {
	for key := range obj {
		if !slices.Contains(names, key) {
			j.note(at+"/"+escape(key), "unknown", "There is no such field.")
		}
	}
}

// escape writes a key as a part of a JSON Pointer (RFC 6901).
func escape(key string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}

// mistyped notes that a value is missing, or is no such thing.
func (j *judge) mistyped(obj object, at, key, thing string) {
	if _, there := obj[key]; there {
		j.note(at+"/"+key, "type", "This must be %s.", thing)
		return
	}
	j.note(at+"/"+key, "required", "This is missing.")
}

// text returns a string of shortest to longest characters, none of which is a
// control character.
func (j *judge) text(obj object, at, key string, shortest, longest int) string {
	s, ok := obj[key].(string)
	n := utf8.RuneCountInString(s)
	switch {
	case !ok:
		j.mistyped(obj, at, key, "a string")
	case n < shortest || n > longest:
		j.note(at+"/"+key, "length", "This must have %d to %d characters; it has %d.", shortest, longest, n)
	case strings.ContainsFunc(s, unicode.IsControl):
		j.note(at+"/"+key, "format", "This must have no control characters, such as line breaks.")
	}
	return s
}

// email returns a string of the shape that the task asks for. Whether mail gets
// there, only a mail can tell.
func (j *judge) email(obj object, at, key string) string {
	before := len(j.errs)
	s := j.text(obj, at, key, 3, 254)
	if len(j.errs) > before {
		return s // one error is enough for one field
	}
	local, domain, _ := strings.Cut(s, "@")
	if local == "" || domain == "" || strings.Contains(domain, "@") || strings.ContainsFunc(s, unicode.IsSpace) {
		j.note(at+"/"+key, "format", "This must be an address such as ana@example.com.")
	}
	return s
}

func (j *judge) integer(obj object, at, key string, least, most int) int {
	number, ok := obj[key].(json.Number)
	if !ok {
		j.mistyped(obj, at, key, "a whole number")
		return 0
	}
	n, err := strconv.Atoi(number.String())
	switch {
	case errors.Is(err, strconv.ErrSyntax):
		j.note(at+"/"+key, "type", "This must be a whole number.")
	case err != nil, n < least, n > most:
		j.note(at+"/"+key, "range", "This must be from %d to %d.", least, most)
	}
	return n
}

func (j *judge) choice(obj object, at, key string, among ...string) string {
	s, ok := obj[key].(string)
	switch {
	case !ok:
		j.mistyped(obj, at, key, "a string")
	case !slices.Contains(among, s):
		j.note(at+"/"+key, "choice", "This must be one of %s.", strings.Join(among, ", "))
	}
	return s
}
