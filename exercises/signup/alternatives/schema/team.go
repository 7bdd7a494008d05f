package signup

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strings"
	"unicode/utf8"
)

// node is a piece of a schema: what a value must be like.
type node struct {
	kind     string // text, whole, list, object
	min, max int
	optional bool
	oneOf    []string
	pattern  *regexp.Regexp
	element  *node
	members  map[string]*node
}

var (
	control = regexp.MustCompile(`\p{Cc}`)
	address = regexp.MustCompile(`^[^@\s]+@[^@\s]+$`)

	runnerSchema = &node{kind: "object", members: map[string]*node{
		"name":  {kind: "text", min: 1, max: 40},
		"born":  {kind: "whole", min: 1920, max: 2012},
		"shirt": {kind: "text", max: 1 << 20, oneOf: []string{"S", "M", "L", "XL"}},
	}}
	teamSchema = &node{kind: "object", members: map[string]*node{
		"name":    {kind: "text", min: 3, max: 40},
		"email":   {kind: "text", min: 3, max: 254, pattern: address},
		"club":    {kind: "text", min: 1, max: 60, optional: true},
		"runners": {kind: "list", min: 2, max: 6, element: runnerSchema},
	}}
)

// finding is an error at a place; a map by pointer allows one at each.
type findings map[string][2]string

func (f findings) add(at, code, format string, args ...any) {
	f[at] = [2]string{code, fmt.Sprintf(format, args...)}
}

// list is the findings in the order of their pointers, no more than most.
func (f findings) list(most int) []map[string]string {
	var pointers []string
	for at := range f {
		pointers = append(pointers, at)
	}
	sort.Strings(pointers)
	var all []map[string]string
	for _, at := range pointers[:min(most, len(pointers))] {
		all = append(all, map[string]string{"pointer": at, "code": f[at][0], "detail": f[at][1]})
	}
	return all
}

func (n *node) judge(at string, v any, f findings) {
	switch n.kind {
	case "text":
		n.judgeText(at, v, f)
	case "whole":
		number, ok := v.(json.Number)
		i, err := number.Int64()
		switch {
		case !ok, err != nil && strings.ContainsAny(number.String(), ".eE"):
			f.add(at, "type", "a whole number is needed here")
		case err != nil, i < int64(n.min), i > int64(n.max):
			f.add(at, "range", "a number between %d and %d is needed here", n.min, n.max)
		}
	case "list":
		list, ok := v.([]any)
		if !ok {
			f.add(at, "type", "a list is needed here")
			return
		}
		if len(list) < n.min || len(list) > n.max {
			f.add(at, "length", "between %d and %d are needed here", n.min, n.max)
		}
		for i, element := range list {
			n.element.judge(fmt.Sprintf("%s/%d", at, i), element, f)
		}
	case "object":
		n.judgeObject(at, v, f)
	}
}

func (n *node) judgeText(at string, v any, f findings) {
	s, ok := v.(string)
	length := utf8.RuneCountInString(s)
	switch {
	case !ok:
		f.add(at, "type", "a text is needed here")
	case len(n.oneOf) > 0:
		for _, one := range n.oneOf {
			if s == one {
				return
			}
		}
		f.add(at, "choice", "one of %s is needed here", strings.Join(n.oneOf, ", "))
	case control.MatchString(s), length >= n.min && length <= n.max && n.pattern != nil && !n.pattern.MatchString(s):
		f.add(at, "format", "a text of another form is needed here")
	case length < n.min, length > n.max:
		f.add(at, "length", "between %d and %d characters are needed here", n.min, n.max)
	}
}

func (n *node) judgeObject(at string, v any, f findings) {
	object, ok := v.(map[string]any)
	if !ok {
		f.add(at, "type", "an object is needed here")
		return
	}
	for key, member := range n.members {
		value, there := object[key]
		if there {
			member.judge(at+"/"+key, value, f)
		} else if !member.optional {
			f.add(at+"/"+key, "required", "this key is missing")
		}
	}
	for key := range object {
		if n.members[key] == nil {
			key = strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
			f.add(at+"/"+key, "unknown", "nobody knows this key here")
		}
	}
}

// unambiguous reports whether body is one JSON value, with white space at most
// around it, and without a repeated key. It keeps a stack instead of recursing.
func unambiguous(body []byte) bool {
	type frame struct {
		keys map[string]bool // nil for a list
		key  bool            // a key comes next
	}
	d := json.NewDecoder(bytes.NewReader(body))
	var stack []frame
	for values := 0; ; {
		token, err := d.Token()
		if err == io.EOF {
			return values == 1 && len(stack) == 0
		}
		if err != nil || len(stack) > 5000 {
			return false
		}
		if len(stack) == 0 {
			values++
		}
		if n := len(stack); n > 0 && stack[n-1].keys != nil && token != json.Delim('}') {
			top := &stack[n-1]
			top.key = !top.key
			if !top.key {
				if top.keys[token.(string)] {
					return false
				}
				top.keys[token.(string)] = true
				continue
			}
		}
		switch token {
		case json.Delim('{'):
			stack = append(stack, frame{keys: map[string]bool{}, key: true})
		case json.Delim('['):
			stack = append(stack, frame{})
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:len(stack)-1]
		}
	}
}
