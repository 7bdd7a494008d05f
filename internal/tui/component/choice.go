package component

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/cairn-learn/cairn/internal/tui/theme"
)

// Item is one line of a choice, and what is said of it.
type Item struct {
	Name string
	Says string
	Bad  bool // it can be chosen, but something is wrong with it
}

// Choice is a list of which one item is chosen.
type Choice struct {
	items []Item
	at    int
}

// NewChoice returns a choice that begins at an item.
func NewChoice(items []Item, at int) *Choice {
	c := &Choice{items: items}
	c.Move(at)
	return c
}

// At is the number of the chosen item.
func (c *Choice) At() int { return c.at }

// Move chooses an item further down, or further up.
func (c *Choice) Move(by int) { c.at = max(min(c.at+by, len(c.items)-1), 0) }

// Lines draws the items, and tells which lines are those of the chosen one.
func (c *Choice) Lines(t *theme.Theme, width int) (lines []string, from, to int) {
	wide := 0
	for _, item := range c.items {
		wide = max(wide, ansi.StringWidth(item.Name))
	}
	wide = min(wide, max(width/2-4, 8))
	room := max(width-wide-6, 10)
	for i, item := range c.items {
		mark, name := "   ", Fit(item.Name, wide)
		if i == c.at {
			from = len(lines)
			mark, name = " "+t.Accent.Render(theme.Cursor)+" ", t.Selected.Render(name)
		}
		style := t.Muted
		if item.Bad {
			style = t.Bad
		}
		lead := mark + name + "  "
		for _, line := range Wrap(item.Says, room) {
			lines = append(lines, lead+style.Render(line))
			lead = strings.Repeat(" ", wide+5)
		}
		if i == c.at {
			to = len(lines) - 1
		}
	}
	return lines, from, to
}
