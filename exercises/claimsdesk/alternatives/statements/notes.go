package claimsdesk

import (
	"encoding/json"
	"io"
	"net/http"
	"unicode/utf8"
)

// body is a JSON object from which fields are taken one by one. What is left in the
// end was not asked for.
type body struct {
	fields map[string]any
	taken  int
	bad    bool
}

func read(r *http.Request) *body {
	b := &body{}
	text, err := io.ReadAll(io.LimitReader(r.Body, 1<<16))
	if err != nil || json.Unmarshal(text, &b.fields) != nil {
		b.bad = true
	}
	return b
}

// take is a field's value, nil if it is not there.
func (b *body) take(name string) (value any, there bool) {
	value, there = b.fields[name]
	delete(b.fields, name)
	if there {
		b.taken++
	}
	return value, there
}

func (b *body) text(name string, least, most int) any {
	value, there := b.take(name)
	if !there {
		return nil
	}
	text, ok := value.(string)
	if n := utf8.RuneCountInString(text); !ok || n < least || n > most {
		b.bad = true
	}
	return text
}

func (b *body) number(name string, least, most float64) any {
	value, there := b.take(name)
	if !there {
		return nil
	}
	n, ok := value.(float64)
	if !ok || n < least || n > most || n != float64(int64(n)) {
		b.bad = true
	}
	return int64(n)
}

func (b *body) flag(name string) any {
	value, there := b.take(name)
	if _, ok := value.(bool); there && !ok {
		b.bad = true
	}
	return value
}

// wrong tells whether something was not as it should be, or fewer fields than that
// many were there.
func (b *body) wrong(least int) bool {
	return b.bad || len(b.fields) > 0 || b.taken < least
}
