package workflow

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Values of expressions are nil, bool, float64, string, []any and map[string]any, whose keys are
// in lower case. The conversions are those that GitHub documents.

// spread is what .* makes of an array or an object: what follows is asked of each element.
type spread []any

func truthy(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case float64:
		return v != 0 && !math.IsNaN(v)
	case string:
		return v != ""
	}
	return true
}

func textOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'g', 15, 64)
	case string:
		return v
	case map[string]any:
		return "Object"
	}
	return "Array"
}

func numberOf(v any) float64 {
	switch v := v.(type) {
	case nil:
		return 0
	case bool:
		if v {
			return 1
		}
		return 0
	case float64:
		return v
	case string:
		trimmed := strings.TrimSpace(v)
		if trimmed == "" {
			return 0
		}
		if n, err := strconv.ParseFloat(trimmed, 64); err == nil {
			return n
		}
		if n, err := strconv.ParseInt(trimmed, 0, 64); err == nil {
			return float64(n)
		}
	}
	return math.NaN()
}

// equal compares loosely: texts without regard to case, unlike types as numbers.
func equal(a, b any) bool {
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			return strings.EqualFold(x, y)
		}
	case map[string]any, []any, spread:
		return false // two objects are equal when they are the same one, which two expressions never have
	case nil:
		if b == nil {
			return true
		}
	}
	return numberOf(a) == numberOf(b)
}

// less compares texts as texts, and all else as numbers.
func less(a, b any) bool {
	x, ok := a.(string)
	y, ok2 := b.(string)
	if ok && ok2 {
		return strings.ToLower(x) < strings.ToLower(y)
	}
	return numberOf(a) < numberOf(b)
}

// member returns a property of an object or an element of an array; nil when there is none.
func member(v, key any) any {
	switch v := v.(type) {
	case map[string]any:
		return v[strings.ToLower(textOf(key))]
	case []any:
		if n := numberOf(key); n >= 0 && n < float64(len(v)) {
			return v[int(n)]
		}
	case spread:
		var all spread
		for _, element := range v {
			if found := member(element, key); found != nil {
				all = append(all, found)
			}
		}
		return all
	}
	return nil
}

// each returns the elements of an array or an object.
func each(v any) []any {
	switch v := v.(type) {
	case []any:
		return v
	case spread:
		return v
	case map[string]any:
		all := make([]any, 0, len(v))
		for _, element := range v {
			all = append(all, element)
		}
		return all
	}
	return nil
}

// fromJSON reads a JSON text. Errors are of the text.
func fromJSON(text string) (any, error) {
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return nil, fmt.Errorf("fromJSON cannot read %q", text)
	}
	return lowered(v), nil
}

// lowered has the keys of objects in lower case, as members are looked up.
func lowered(v any) any {
	switch v := v.(type) {
	case map[string]any:
		all := map[string]any{}
		for key, value := range v {
			all[strings.ToLower(key)] = lowered(value)
		}
		return all
	case []any:
		for i := range v {
			v[i] = lowered(v[i])
		}
	}
	return v
}

func toJSON(v any) (string, error) {
	out, err := json.MarshalIndent(v, "", "  ")
	return string(out), err
}
