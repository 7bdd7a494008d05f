package component

import (
	"strings"

	"charm.land/bubbles/v2/key"
	"github.com/charmbracelet/x/ansi"

	"github.com/cairn-learn/cairn/internal/tui/nav"
	"github.com/cairn-learn/cairn/internal/tui/theme"
)

// Footer draws as many bindings as fit on one line, and last at the end of it,
// whatever else has to give way. Last may be disabled.
func Footer(t *theme.Theme, bindings []key.Binding, last key.Binding, width int) string {
	var b strings.Builder
	used, end := 1, ""
	if last.Enabled() {
		end = footerItem(t, last)
		width -= ansi.StringWidth(end) + 1
	}
	b.WriteString(" ")
	for _, k := range bindings {
		if !k.Enabled() {
			continue
		}
		item := footerItem(t, k)
		if used > 1 {
			item = "   " + item
		}
		if used += ansi.StringWidth(item); used > width-2 {
			break
		}
		b.WriteString(item)
	}
	line := Fit(b.String(), width)
	if end != "" {
		line += end + " "
	}
	return line
}

func footerItem(t *theme.Theme, k key.Binding) string {
	return t.Accent.Render(k.Help().Key) + " " + t.Muted.Render(k.Help().Desc)
}

// Help draws the help page: every group with its keys, in as many columns as
// fit.
func Help(t *theme.Theme, groups []nav.Group, width int) []string {
	blocks := make([][]string, 0, len(groups))
	block := 0
	for _, g := range groups {
		lines := helpGroup(t, g)
		for _, l := range lines {
			block = max(block, ansi.StringWidth(l))
		}
		blocks = append(blocks, lines)
	}
	columns := max(min((width+3)/(block+3), len(blocks)), 1)
	var out []string
	for i := 0; i < len(blocks); i += columns {
		row := blocks[i:min(i+columns, len(blocks))]
		height := 0
		for _, b := range row {
			height = max(height, len(b))
		}
		boxed := make([][]string, len(row))
		for j, b := range row {
			boxed[j] = Box(b, block, height)
		}
		out = append(out, Beside("   ", boxed...)...)
		out = append(out, "")
	}
	return out
}

func helpGroup(t *theme.Theme, g nav.Group) []string {
	wide := 0
	for _, k := range g.Bindings {
		wide = max(wide, ansi.StringWidth(k.Help().Key))
	}
	lines := []string{t.Heading.Render(g.Title)}
	for _, k := range g.Bindings {
		if !k.Enabled() {
			continue
		}
		h := k.Help()
		pad := strings.Repeat(" ", wide-ansi.StringWidth(h.Key))
		lines = append(lines, t.Accent.Render(h.Key)+pad+"  "+h.Desc)
	}
	return lines
}
