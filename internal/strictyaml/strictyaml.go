// Package strictyaml reads the project's YAML files. Unknown keys, keys given
// twice and wrong types are refused, and every complaint is one line that
// begins with file:line.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// File is a YAML file that was read, kept to say where a value stands in it.
type File struct {
	Name string // as it is named in errors
	data []byte
	tree *ast.File // parsed on the first question for a line
}

// Read decodes data into a struct. The name is used in errors only. An empty
// file is refused.
func Read(name string, data []byte, into any) (*File, error) {
	f := &File{Name: name, data: data}
	dec := yaml.NewDecoder(bytes.NewReader(data), yaml.DisallowUnknownField())
	if err := decode(dec, into); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s:1: the file is empty", name)
		}
		return nil, f.explain(err)
	}
	return f, nil
}

// decode is the decoder's Decode without its panics: some tags in places where
// they mean nothing bring it down.
func decode(dec *yaml.Decoder, into any) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = errors.New("the file cannot be read as YAML; is there a stray ! or & in it?")
		}
	}()
	return dec.Decode(into)
}

// explain turns a decoder's error into one line with file and line.
func (f *File) explain(err error) error {
	var located yaml.Error
	if !errors.As(err, &located) {
		return fmt.Errorf("%s:1: %w", f.Name, err)
	}
	message := strings.Join(strings.Fields(located.GetMessage()), " ")
	message = strings.Replace(message, "unknown field", "unknown key", 1)
	var mistyped *yaml.TypeError
	if errors.As(err, &mistyped) {
		message = fmt.Sprintf("%q is of type %s, not %s", located.GetToken().Value, mistyped.SrcType.Kind(), mistyped.DstType.Kind())
	}
	return fmt.Errorf("%s:%d: %s", f.Name, lineOf(located.GetToken()), message)
}

// Errorf returns an error located at the value that path leads to, for example
// "$.tracks[3].lessons[0].after[1]". A path that leads nowhere is shortened
// until it leads somewhere, so a missing key is located at its parent.
func (f *File) Errorf(path, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %w", f.Name, f.Line(path), fmt.Errorf(format, args...))
}

// Line returns the line, counted from 1, of the value that path leads to.
func (f *File) Line(path string) (line int) {
	defer func() {
		if recover() != nil { // in the parser, as in decode
			line = 1
		}
	}()
	if f.tree == nil {
		tree, err := parser.ParseBytes(f.data, 0)
		if err != nil {
			return 1
		}
		f.tree = tree
	}
	for path != "$" && path != "" {
		if p, err := yaml.PathString(path); err == nil {
			if node, err := p.FilterFile(f.tree); err == nil && node != nil {
				return lineOf(firstToken(node))
			}
		}
		path = parent(path)
	}
	return 1
}

// firstToken returns the token at which a value begins. The token of a mapping
// is its first colon, which stands after its first key.
func firstToken(node ast.Node) *token.Token {
	switch n := node.(type) {
	case *ast.MappingNode:
		if len(n.Values) > 0 {
			return firstToken(n.Values[0])
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken()
	}
	return node.GetToken()
}

func lineOf(t *token.Token) int {
	if t == nil || t.Position == nil {
		return 1
	}
	return t.Position.Line
}

func parent(path string) string {
	if i := strings.LastIndexAny(path, ".["); i > 0 {
		return path[:i]
	}
	return "$"
}
