package terminal

import (
	"fmt"
	"html"
	"image/color"
	"strings"

	uv "github.com/charmbracelet/ultraviolet"
)

// The measures of a picture, in pixels.
const (
	cellWidth  = 8.4
	cellHeight = 18.0
	fontSize   = 14
	margin     = 14.0
)

const (
	paper = "#16181d"
	ink   = "#d5d9e0"
	fonts = "ui-monospace, 'SFMono-Regular', Menlo, 'DejaVu Sans Mono', 'Cascadia Mono', Consolas, 'Liberation Mono', monospace"
)

// SVG draws what is seen as a picture on a dark ground. Every run of cells has
// its width set, so that columns stand whatever font the reader has.
func (v View) SVG(title string) string {
	columns := 0
	for _, row := range v.Cells {
		columns = max(columns, len(row))
	}
	width := 2*margin + float64(columns)*cellWidth
	height := 2*margin + float64(len(v.Cells))*cellHeight
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" role="img" aria-label="%s">`+"\n",
		width, height, width, height, html.EscapeString(title))
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="8" fill="%s"/>`+"\n", paper)
	fmt.Fprintf(&b, `<g font-family="%s" font-size="%d" fill="%s" xml:space="preserve">`+"\n", fonts, fontSize, ink)
	for y, row := range v.Cells {
		for _, r := range runs(row) {
			r.write(&b, margin+float64(y)*cellHeight)
		}
	}
	b.WriteString("</g>\n</svg>\n")
	return b.String()
}

// span is a run of cells with one style.
type span struct {
	from, cells int
	text        string
	style       uv.Style
}

func runs(row []uv.Cell) []span {
	var out []span
	for x, cell := range row {
		if cell.Width == 0 && cell.Content == "" {
			continue // the second half of a wide character
		}
		text := cell.Content
		if text == "" {
			text = " "
		}
		if n := len(out); n > 0 && out[n-1].style.Equal(&cell.Style) && out[n-1].from+out[n-1].cells == x {
			out[n-1].text += text
			out[n-1].cells += max(cell.Width, 1)
			continue
		}
		out = append(out, span{from: x, cells: max(cell.Width, 1), text: text, style: cell.Style})
	}
	return out
}

func (s span) write(b *strings.Builder, top float64) {
	fg, bg := hex(s.style.Fg), hex(s.style.Bg)
	if s.style.Attrs&uv.AttrReverse != 0 {
		fg, bg = or(bg, paper), or(fg, ink)
	}
	left, width := margin+float64(s.from)*cellWidth, float64(s.cells)*cellWidth
	if bg != "" {
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", left, top, width, cellHeight, bg)
	}
	if strings.TrimSpace(s.text) == "" {
		return
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" textLength="%.1f" lengthAdjust="spacingAndGlyphs"`, left, top+cellHeight*0.74, width)
	if fg != "" {
		fmt.Fprintf(b, ` fill="%s"`, fg)
	}
	if s.style.Attrs&uv.AttrBold != 0 {
		b.WriteString(` font-weight="bold"`)
	}
	if s.style.Attrs&uv.AttrItalic != 0 {
		b.WriteString(` font-style="italic"`)
	}
	if s.style.Underline != uv.UnderlineNone {
		b.WriteString(` text-decoration="underline"`)
	}
	fmt.Fprintf(b, ">%s</text>\n", html.EscapeString(strings.ReplaceAll(s.text, " ", "\u00a0")))
}

func hex(c color.Color) string {
	if c == nil {
		return ""
	}
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}

func or(colour, otherwise string) string {
	if colour == "" {
		return otherwise
	}
	return colour
}
