// Package markdown renders lessons and tasks for the terminal, one section at
// a time. Prose goes through Glamour; fenced code is set here, because it must
// keep its lines and its indent, and because a screen wants to copy it.
package markdown

import (
	"fmt"
	"strings"
	"sync"

	"charm.land/glamour/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/cairn-learn/cairn/internal/tui/theme"
	"github.com/cairn-learn/cairn/lessons"
)

// Measure is the widest a line of prose gets: longer ones are hard to read
// however wide the window is.
const Measure = 78

// Code is a fenced block within rendered lines, for copying.
type Code struct {
	First, Last int // lines, from 0, both included
	Source      string
}

// Text is rendered Markdown.
type Text struct {
	Lines []string
	Code  []Code
}

// Renderer renders and remembers. It is safe for concurrent use.
type Renderer struct {
	mu        sync.Mutex
	cache     map[cacheKey]Text
	renderers map[rendererKey]*glamour.TermRenderer
}

type cacheKey struct {
	source string
	rendererKey
}

type rendererKey struct {
	width int
	theme theme.Name
}

// NewRenderer returns an empty Renderer.
func NewRenderer() *Renderer {
	return &Renderer{cache: map[cacheKey]Text{}, renderers: map[rendererKey]*glamour.TermRenderer{}}
}

// Render returns source in lines of at most width cells, from memory when it
// has been rendered so before. Every block is followed by one blank line.
func (r *Renderer) Render(source string, width int, t *theme.Theme) (Text, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := cacheKey{source, rendererKey{width, t.Name}}
	if text, ok := r.cache[key]; ok {
		return text, nil
	}
	var out Text
	for _, c := range split(strings.ReplaceAll(source, "\r\n", "\n")) {
		if c.code {
			lines := codeLines(c.source, c.language, width, t)
			first := len(out.Lines)
			out.Lines = append(out.Lines, lines...)
			out.Code = append(out.Code, Code{First: first, Last: first + len(lines) - 1, Source: c.source})
		} else {
			lines, err := r.prose(c, width, t)
			if err != nil {
				return Text{}, err
			}
			if len(lines) == 0 {
				continue
			}
			out.Lines = append(out.Lines, lines...)
		}
		out.Lines = append(out.Lines, "")
	}
	r.cache[key] = out
	return out, nil
}

func (r *Renderer) prose(c chunk, width int, t *theme.Theme) ([]string, error) {
	source := c.source
	if c.list {
		width -= hang
		source = flow(source)
	}
	glam, err := r.glamour(rendererKey{width, t.Name}, t)
	if err != nil {
		return nil, err
	}
	rendered, err := glam.Render(expandTabs(source))
	if err != nil {
		return nil, fmt.Errorf("render markdown: %w", err)
	}
	lines := tidy(rendered, width)
	if c.list {
		lines = indentItems(lines)
	}
	return lines, nil
}

// Document renders a whole text, section by section.
func (r *Renderer) Document(source string, width int, t *theme.Theme) (Text, error) {
	var out Text
	for _, s := range lessons.Split(source) {
		text, err := r.Render(s.Source, width, t)
		if err != nil {
			return Text{}, err
		}
		out.Append(text)
	}
	return out, nil
}

// Append adds another text below.
func (x *Text) Append(more Text) {
	shift := len(x.Lines)
	x.Lines = append(x.Lines, more.Lines...)
	for _, c := range more.Code {
		x.Code = append(x.Code, Code{First: c.First + shift, Last: c.Last + shift, Source: c.Source})
	}
}

func (r *Renderer) glamour(key rendererKey, t *theme.Theme) (*glamour.TermRenderer, error) {
	if g, ok := r.renderers[key]; ok {
		return g, nil
	}
	g, err := glamour.NewTermRenderer(
		glamour.WithStyles(t.Markdown()),
		glamour.WithWordWrap(key.width),
		glamour.WithTableWrap(true),
		glamour.WithInlineTableLinks(true),
	)
	if err != nil {
		return nil, fmt.Errorf("make a markdown renderer: %w", err)
	}
	r.renderers[key] = g
	return g, nil
}

// tidy takes off the blanks that Glamour puts around and behind lines, and
// breaks what is still too wide: a word longer than the line.
func tidy(rendered string, width int) []string {
	var lines []string
	for line := range strings.SplitSeq(rendered, "\n") {
		line = still(line)
		bare := strings.TrimRight(ansi.Strip(line), " ")
		w := ansi.StringWidth(bare)
		switch {
		case bare == "":
			if len(lines) > 0 && lines[len(lines)-1] != "" {
				lines = append(lines, "")
			}
		case w > width:
			lines = append(lines, strings.Split(ansi.Hardwrap(line, width, true), "\n")...)
		default:
			lines = append(lines, ansi.Truncate(line, w, ""))
		}
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

func expandTabs(s string) string { return strings.ReplaceAll(s, "\t", "    ") }
