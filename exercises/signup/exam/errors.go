package exam

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

// fieldError is one element of errors.
type fieldError struct {
	Pointer, Code string
}

// wanted is where an error is due, and the codes that fit.
type wanted struct {
	pointer string
	codes   []string
}

func at(pointer string, codes ...string) wanted { return wanted{pointer, codes} }

// errorsIn reads the member errors, or fails the check naming what is wrong
// with it.
func errorsIn(c *exam.C, r *exam.Response, did string, object map[string]any) []fieldError {
	f := exam.Finding{Did: did, Expected: `a member "errors": a list of objects with pointer, code and detail`,
		Read: lesson + "a-code-for-programs-a-sentence-for-people"}
	list, ok := object["errors"].([]any)
	if !ok {
		f.Saw = "no such list in " + r.String()
		c.Fail(f)
	}
	var all []fieldError
	for _, item := range list {
		e, _ := item.(map[string]any)
		text := func(name string) string {
			s, ok := e[name].(string)
			if !ok || name != "pointer" && strings.TrimSpace(s) == "" {
				f.Saw = fmt.Sprintf("an element without a text %q: %s", name, jsonOf(item))
				c.Fail(f)
			}
			return s
		}
		text("detail")
		all = append(all, fieldError{text("pointer"), text("code")})
	}
	return all
}

// readErrors is errorsIn for an answer of which nothing is known.
func readErrors(r *exam.Response) ([]fieldError, bool) {
	var body struct {
		Errors []struct{ Pointer, Code string } `json:"errors"`
	}
	if json.Unmarshal(r.Body, &body) != nil {
		return nil, false
	}
	var all []fieldError
	for _, e := range body.Errors {
		all = append(all, fieldError{e.Pointer, e.Code})
	}
	return all, true
}

// wantInvalid fails unless the answer is a 422 with exactly these errors.
func wantInvalid(c *exam.C, r *exam.Response, did string, due ...wanted) {
	p := wantProblem(c, r, did, kindInvalid)
	f := exam.Finding{Did: did, Expected: "the errors " + expectation(due), Saw: listed(p.Errors)}
	if form := pointerForm(p.Errors, due); form != "" {
		f.Saw += form
		f.Read = lesson + "a-code-for-programs-a-sentence-for-people"
		c.Fail(f)
	}
	given := map[string]string{}
	for _, e := range p.Errors {
		if _, twice := given[e.Pointer]; twice {
			f.Saw += ": " + e.Pointer + " is there twice"
			c.Fail(f)
		}
		given[e.Pointer] = e.Code
	}
	var missing []string
	for _, w := range due {
		code, there := given[w.pointer]
		delete(given, w.pointer)
		switch {
		case !there:
			missing = append(missing, w.pointer)
		case !slices.Contains(w.codes, code):
			f.Saw += codeRemark(w, code)
			if code == "required" {
				f.Read = lesson + "missing-null-and-zero"
			}
			c.Fail(f)
		}
	}
	if len(missing) > 0 {
		f.Saw += missingRemark(missing, len(due), len(p.Errors))
		c.Fail(f)
	}
	for pointer := range given {
		f.Saw += ". Nothing is wrong at " + pointer
		c.Fail(f)
	}
}

// missingRemark says what is not in the errors, and how it looks as if that came.
func missingRemark(missing []string, due, named int) string {
	if named == 0 {
		return ": the list is empty"
	}
	s := ". Not a word about " + strings.Join(missing, ", ")
	if due > 2 && named == 1 {
		s += ": it stops at the first error that it finds"
	}
	return s
}

// codeRemark says why the code at a pointer is not the one that is due.
func codeRemark(w wanted, code string) string {
	switch {
	case code == "required" && slices.Contains(w.codes, "type"):
		return fmt.Sprintf(". %s is there, and null. What is missing, what is null and what is empty look the same once they are decoded into a struct", w.pointer)
	case code == "required":
		return fmt.Sprintf(". %s is there, with a value that is too short or too small. Decoded into a struct, what is empty looks like what is missing", w.pointer)
	}
	if code == "type" && slices.Contains(w.codes, "range") {
		return fmt.Sprintf(". What stands at %s is a whole number, whether or not it fits into one of Go's types", w.pointer)
	}
	return fmt.Sprintf(". The code at %s is %q", w.pointer, code)
}

// pointerForm says what is wrong with the form of the pointers: an empty text
// where they are as they should be, or wrong in another way.
func pointerForm(errs []fieldError, due []wanted) string {
	for _, e := range errs {
		switch {
		case slices.ContainsFunc(due, func(w wanted) bool { return w.pointer == e.Pointer }):
		case strings.HasPrefix(e.Pointer, "#"):
			return ": with a # in front it is a URI fragment. A JSON Pointer as it is begins with /"
		case !strings.HasPrefix(e.Pointer, "/"):
			return fmt.Sprintf(": %q is no JSON Pointer. It begins with /, and its parts are the keys and the places in lists, from the outside to the inside", e.Pointer)
		default:
			for _, w := range due {
				if strings.EqualFold(w.pointer, e.Pointer) {
					return otherKey(w.pointer, e.Pointer)
				}
				if unescaped(w.pointer) == e.Pointer {
					return fmt.Sprintf(": %s leads to another place. In a JSON Pointer, a / that belongs to a key is written ~1, and a ~ is written ~0", e.Pointer)
				}
				if oneMore(w.pointer) == e.Pointer {
					return ": places in a list are counted from 0"
				}
			}
		}
	}
	return ""
}

// otherKey says which key of a pointer is written otherwise than it is called.
func otherKey(want, got string) string {
	due, parts := strings.Split(want, "/"), strings.Split(got, "/")
	for i, key := range due {
		if i < len(parts) && parts[i] != key {
			return fmt.Sprintf(": the key is %s, not %s. Keys are what the table says, letter by letter, whatever Go's fields are called", key, parts[i])
		}
	}
	return ""
}

func unescaped(pointer string) string {
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(pointer)
}

// oneMore is the pointer with its place in runners counted from 1.
func oneMore(pointer string) string {
	var i int
	var rest string
	if n, _ := fmt.Sscanf(pointer, "/runners/%d%s", &i, &rest); n == 0 {
		return pointer
	}
	return fmt.Sprintf("/runners/%d%s", i+1, rest)
}

func expectation(due []wanted) string {
	parts := make([]string, len(due))
	for i, w := range due {
		parts[i] = w.pointer + " " + strings.Join(w.codes, " or ")
	}
	return strings.Join(parts, ", ")
}

// listed is the errors in a few words, a long list cut.
func listed(errs []fieldError) string {
	if len(errs) == 0 {
		return "no errors"
	}
	const most = 12
	var parts []string
	for _, e := range errs[:min(len(errs), most)] {
		pointer := e.Pointer
		if pointer == "" {
			pointer = `""`
		}
		parts = append(parts, pointer+" "+e.Code)
	}
	slices.Sort(parts) // the order is left open, and may be that of a map
	if len(errs) > most {
		parts = append(parts, fmt.Sprintf("and %d more", len(errs)-most))
	}
	return strings.Join(parts, ", ")
}
