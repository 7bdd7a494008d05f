package lessons

import (
	"fmt"
	"strings"
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
