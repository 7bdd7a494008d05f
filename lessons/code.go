package lessons

import (
	"strings"

	"github.com/yuin/goldmark/ast"
)

// CodeBlock is a fenced block of a lesson.
type CodeBlock struct {
	Language string   // first word after the fence: "go"
	Marks    []string // the words after it
	Source   string
	Line     int // of the first line of the source, counted from 1
}

// CodeBlocks returns the fenced blocks of a markdown text in order.
func CodeBlocks(markdown string) []CodeBlock {
	src := []byte(markdown)
	var found []CodeBlock
	_ = ast.Walk(parse(src), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		block, ok := n.(*ast.FencedCodeBlock)
		if !ok || !entering {
			return ast.WalkContinue, nil
		}
		b := CodeBlock{}
		if block.Info != nil {
			if words := strings.Fields(string(block.Info.Segment.Value(src))); len(words) > 0 {
				b.Language, b.Marks = words[0], words[1:]
			}
		}
		if block.Lines().Len() > 0 {
			b.Line = lineAt(src, block.Lines().At(0).Start)
			b.Source = string(block.Lines().Value(src))
			found = append(found, b)
		}
		return ast.WalkSkipChildren, nil
	})
	return found
}
