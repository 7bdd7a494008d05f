package workflow

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/rhysd/actionlint"
)

// Unsupported is something that a workflow may well say, and that is not emulated here.
type Unsupported struct {
	Line int
	What string // "the function hashFiles()"
}

func (u *Unsupported) Error() string {
	if u.Line == 0 {
		return u.What + " is not emulated here"
	}
	return fmt.Sprintf("line %d: %s is not emulated here", u.Line, u.What)
}

// scope is what expressions at one place see.
type scope struct {
	contexts map[string]any
	status   func(name string) bool // success, failure, always, cancelled; nil where they may not stand
}

// with is the scope with more contexts.
func (s scope) with(name string, value any) scope {
	contexts := map[string]any{name: value}
	for k, v := range s.contexts {
		if k != name {
			contexts[k] = v
		}
	}
	return scope{contexts, s.status}
}

// parse reads the expression that begins a text and ends at }}. It returns how long it is,
// with the braces.
func parse(text string) (actionlint.ExprNode, int, error) {
	lexer := actionlint.NewExprLexer(text)
	node, err := actionlint.NewExprParser().Parse(lexer)
	if err != nil {
		return nil, 0, err
	}
	return node, lexer.Offset(), nil
}

// interpolate replaces each ${{ }} in a text.
func (s scope) interpolate(text string) (string, error) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${{")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		node, length, err := parse(rest)
		if err != nil {
			return "", err
		}
		v, err := s.eval(node)
		if err != nil {
			return "", err
		}
		out.WriteString(textOf(v))
		text = rest[length:]
	}
}

// value is what a text of YAML is worth: that of its expression, where it is one and nothing else.
func (s scope) value(text string) (any, error) {
	if bare, ok := strings.CutPrefix(strings.TrimSpace(text), "${{"); ok {
		node, length, err := parse(bare)
		if err != nil {
			return nil, err
		}
		if strings.TrimSpace(bare[length:]) == "" {
			return s.eval(node)
		}
	}
	return s.interpolate(text)
}

// condition decides an if. One that asks for no status is true only where success() is.
func (s scope) condition(text string) (bool, error) {
	if strings.TrimSpace(text) == "" {
		return s.status("success"), nil
	}
	if !strings.Contains(text, "${{") {
		text = "${{ " + text + " }}"
	}
	asks := false
	for _, part := range strings.Split(text, "${{")[1:] {
		node, _, err := parse(part)
		if err != nil {
			return false, err
		}
		actionlint.VisitExprNode(node, func(n, _ actionlint.ExprNode, entering bool) {
			call, ok := n.(*actionlint.FuncCallNode)
			asks = asks || ok && entering && isStatus(call.Callee)
		})
	}
	if !asks && !s.status("success") {
		return false, nil
	}
	v, err := s.value(text)
	return truthy(v), err
}

func isStatus(function string) bool {
	switch strings.ToLower(function) {
	case "success", "failure", "always", "cancelled":
		return true
	}
	return false
}

func (s scope) eval(n actionlint.ExprNode) (any, error) {
	switch n := n.(type) {
	case *actionlint.NullNode:
		return nil, nil
	case *actionlint.BoolNode:
		return n.Value, nil
	case *actionlint.IntNode:
		return float64(n.Value), nil
	case *actionlint.FloatNode:
		return n.Value, nil
	case *actionlint.StringNode:
		return n.Value, nil
	case *actionlint.VariableNode:
		v, known := s.contexts[n.Name]
		if !known {
			return nil, &Unsupported{What: "the context " + n.Name + " at this place"}
		}
		return v, nil
	case *actionlint.ObjectDerefNode:
		v, err := s.eval(n.Receiver)
		return member(v, n.Property), err
	case *actionlint.ArrayDerefNode:
		v, err := s.eval(n.Receiver)
		return spread(each(v)), err
	case *actionlint.IndexAccessNode:
		v, err := s.eval(n.Operand)
		if err != nil {
			return nil, err
		}
		index, err := s.eval(n.Index)
		return member(v, index), err
	case *actionlint.NotOpNode:
		v, err := s.eval(n.Operand)
		return !truthy(v), err
	case *actionlint.LogicalOpNode:
		v, err := s.eval(n.Left)
		if err != nil || truthy(v) == (n.Kind == actionlint.LogicalOpNodeKindOr) {
			return v, err
		}
		return s.eval(n.Right)
	case *actionlint.CompareOpNode:
		return s.compare(n)
	case *actionlint.FuncCallNode:
		return s.call(n)
	}
	return nil, &Unsupported{What: fmt.Sprintf("an expression of the kind %T", n)}
}

func (s scope) compare(n *actionlint.CompareOpNode) (any, error) {
	a, err := s.eval(n.Left)
	if err != nil {
		return nil, err
	}
	b, err := s.eval(n.Right)
	if err != nil {
		return nil, err
	}
	switch n.Kind {
	case actionlint.CompareOpNodeKindEq:
		return equal(a, b), nil
	case actionlint.CompareOpNodeKindNotEq:
		return !equal(a, b), nil
	case actionlint.CompareOpNodeKindLess:
		return less(a, b), nil
	case actionlint.CompareOpNodeKindLessEq:
		return less(a, b) || equal(a, b), nil
	case actionlint.CompareOpNodeKindGreater:
		return less(b, a), nil
	default:
		return less(b, a) || equal(a, b), nil
	}
}

func (s scope) call(n *actionlint.FuncCallNode) (any, error) {
	name := strings.ToLower(n.Callee)
	if isStatus(name) {
		if s.status == nil {
			return nil, &Unsupported{What: "the function " + n.Callee + "() at this place"}
		}
		return s.status(name), nil
	}
	args := make([]any, max(len(n.Args), 2))
	for i, a := range n.Args {
		v, err := s.eval(a)
		if err != nil {
			return nil, err
		}
		args[i] = v
	}
	a, b := strings.ToLower(textOf(args[0])), strings.ToLower(textOf(args[1]))
	switch name {
	case "contains":
		if all := each(args[0]); all != nil {
			for _, element := range all {
				if equal(element, args[1]) {
					return true, nil
				}
			}
			return false, nil
		}
		return strings.Contains(a, b), nil
	case "startswith":
		return strings.HasPrefix(a, b), nil
	case "endswith":
		return strings.HasSuffix(a, b), nil
	case "format":
		return format(textOf(args[0]), args[1:]), nil
	case "join":
		return join(args[0], n.Args, args), nil
	case "tojson":
		return toJSON(args[0])
	case "fromjson":
		return fromJSON(textOf(args[0]))
	}
	return nil, &Unsupported{What: "the function " + n.Callee + "()"}
}

func join(list any, given []actionlint.ExprNode, args []any) string {
	separator := ","
	if len(given) > 1 {
		separator = textOf(args[1])
	}
	all := each(list)
	if all == nil {
		return textOf(list)
	}
	texts := make([]string, len(all))
	for i, v := range all {
		texts[i] = textOf(v)
	}
	return strings.Join(texts, separator)
}

// format replaces {0}, {1} and so on; {{ and }} are braces.
func format(text string, args []any) string {
	pairs := []string{"{{", "{", "}}", "}"}
	for i, v := range args {
		pairs = append(pairs, "{"+strconv.Itoa(i)+"}", textOf(v))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}
