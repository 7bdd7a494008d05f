package lessons

import (
	"fmt"
	"strings"

	"github.com/yuin/goldmark/ast"
)

// wordsPerMinute is how fast technical prose is read.
const wordsPerMinute = 180

// OwnPage returns a page of a path that is not of the course, from its markdown.
// The stone is what it is called on the road, the path the title of its path.
func OwnPage(id, stone, title, path, markdown string) *Lesson {
	return &Lesson{
		ID: id, Stone: stone, Title: title,
		Objective: fmt.Sprintf("A page of the path “%s”.", path),
		Minutes:   1 + len(strings.Fields(markdown))/wordsPerMinute,
		Written:   true, Page: true, Own: true, text: markdown,
	}
}

// Nesting is how deep quotes and lists of a markdown text stand within each other.
func Nesting(markdown string) int {
	deepest, depth := 0, 0
	_ = ast.Walk(parse([]byte(markdown)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n.(type) {
		case *ast.Blockquote, *ast.List:
		default:
			return ast.WalkContinue, nil
		}
		if entering {
			depth++
			deepest = max(deepest, depth)
		} else {
			depth--
		}
		return ast.WalkContinue, nil
	})
	return deepest
}
