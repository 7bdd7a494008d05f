package exam

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Response is the program's answer to one request.
type Response struct {
	Method, Path string
	Status       int
	Header       http.Header
	Body         []byte
	Duration     time.Duration

	c   *C
	did string
}

// String is the status and the body, shortened, safe to show.
func (r *Response) String() string {
	if len(r.Body) == 0 {
		return fmt.Sprint(r.Status)
	}
	return fmt.Sprintf("%d %s", r.Status, excerpt(r.Body))
}

// Did is the request that was answered, in words.
func (r *Response) Did() string { return r.did }

func statusText(code int) string {
	if t := http.StatusText(code); t != "" {
		return fmt.Sprintf("%d %s", code, t)
	}
	return fmt.Sprint(code)
}

func (r *Response) fail(f Finding, opts []Option) {
	r.c.Fail(f.with(opts).or(Finding{Did: r.did}))
}

// Want fails the check unless the status is the given one.
func (r *Response) Want(status int, opts ...Option) *Response {
	if r.Status != status {
		r.fail(Finding{Expected: statusText(status), Saw: r.String()}, opts)
	}
	return r
}

// WantOneOf fails the check unless the status is among those given.
func (r *Response) WantOneOf(statuses []int, opts ...Option) *Response {
	if slices.Contains(statuses, r.Status) {
		return r
	}
	names := make([]string, len(statuses))
	for i, s := range statuses {
		names[i] = statusText(s)
	}
	r.fail(Finding{Expected: strings.Join(names, " or "), Saw: r.String()}, opts)
	return r
}

// WantHeader fails the check unless the header has the given value.
func (r *Response) WantHeader(name, value string, opts ...Option) *Response {
	got := r.Header.Get(name)
	if got == value {
		return r
	}
	saw := "no " + name + " header"
	if got != "" {
		saw = name + ": " + excerpt([]byte(got))
	}
	r.fail(Finding{Expected: name + ": " + value, Saw: saw}, opts)
	return r
}

// WantType fails the check unless the body has the given media type; parameters
// such as charset are not looked at.
func (r *Response) WantType(mediaType string, opts ...Option) *Response {
	got := r.Header.Get("Content-Type")
	if parsed, _, err := mime.ParseMediaType(got); err == nil && parsed == mediaType {
		return r
	}
	saw := "no Content-Type header"
	if got != "" {
		saw = "Content-Type: " + excerpt([]byte(got))
	}
	r.fail(Finding{Expected: "Content-Type: " + mediaType, Saw: saw}, opts)
	return r
}

// JSON decodes the body into v, or fails the check. Members that v does not
// know are ignored; anything after the value is not. A whole number is one
// however it is written: 130, 130.0 and 1.3e2 are the same.
func (r *Response) JSON(v any, opts ...Option) *Response {
	err := decodeJSON(r.Body, v)
	if err == nil {
		return r
	}
	saw := fmt.Sprintf("%s (%s)", r.String(), excerpt([]byte(err.Error())))
	if len(r.Body) == 0 {
		saw = fmt.Sprintf("%d with an empty body", r.Status)
	}
	r.fail(Finding{Expected: "a JSON body", Saw: saw}, opts)
	return r
}

// Object decodes the body as a JSON object, or fails the check. Numbers are
// json.Number.
func (r *Response) Object(opts ...Option) map[string]any {
	var v map[string]any
	r.JSON(&v, append([]Option{Expected("a JSON object")}, opts...)...)
	if v == nil {
		r.fail(Finding{Expected: "a JSON object", Saw: r.String()}, opts)
	}
	return v
}

func decodeJSON(body []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var whole any
	if err := d.Decode(&whole); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("there is more after the first JSON value")
	}
	plain, err := json.Marshal(plainNumbers(whole))
	if err != nil {
		return err
	}
	d = json.NewDecoder(bytes.NewReader(plain))
	d.UseNumber()
	return d.Decode(v)
}

// plainNumbers writes the whole numbers in a decoded value without a point or an
// exponent, as far as that is no longer than a number should be.
func plainNumbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			v[name] = plainNumbers(member)
		}
	case []any:
		for i, element := range v {
			v[i] = plainNumbers(element)
		}
	case json.Number:
		const most = 40
		text := string(v)
		if !strings.ContainsAny(text, ".eE") || len(text) > most {
			return v
		}
		if _, exponent, found := strings.Cut(strings.ToLower(text), "e"); found {
			if n, err := strconv.Atoi(exponent); err != nil || n > most || n < -most {
				return v
			}
		}
		if number, ok := new(big.Rat).SetString(text); ok && number.IsInt() {
			return json.Number(number.Num().String())
		}
	}
	return v
}
