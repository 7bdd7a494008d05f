package markdown

import (
	"fmt"
	"strings"

	"github.com/alecthomas/chroma/v2"
	"github.com/alecthomas/chroma/v2/lexers"
	"github.com/charmbracelet/x/ansi"

	"github.com/cairn-learn/cairn/internal/tui/theme"
)

// chunk is a stretch of a section: prose, a list, or one fenced block.
type chunk struct {
	code     bool
	list     bool
	language string
	source   string
}

// split cuts a section at the fences that stand at the left margin. A fence
// that is indented belongs to a list and stays with the prose around it.
func split(source string) []chunk {
	var chunks []chunk
	var prose, code strings.Builder
	fence, language := "", ""
	flush := func() {
		if strings.TrimSpace(prose.String()) != "" {
			chunks = append(chunks, lists(prose.String())...)
		}
		prose.Reset()
	}
	for line := range strings.Lines(source) {
		bare := strings.TrimRight(line, " \n")
		switch {
		case fence == "" && opening(bare) != "":
			flush()
			fence = opening(bare)
			language, _, _ = strings.Cut(strings.TrimSpace(strings.TrimLeft(bare, fence[:1])), " ")
		case fence != "" && strings.HasPrefix(bare, fence) && strings.Trim(bare, fence[:1]) == "":
			chunks = append(chunks, chunk{code: true, language: language, source: code.String()})
			code.Reset()
			fence = ""
		case fence != "":
			code.WriteString(line)
		default:
			prose.WriteString(line)
		}
	}
	if fence != "" { // never closed: Markdown closes it at the end
		chunks = append(chunks, chunk{code: true, language: language, source: code.String()})
	}
	flush()
	return chunks
}

// opening returns the fence that a line opens, or "".
func opening(line string) string {
	for _, mark := range []string{"`", "~"} {
		n := len(line) - len(strings.TrimLeft(line, mark))
		if n >= 3 && (mark == "~" || !strings.Contains(line[n:], "`")) {
			return line[:n]
		}
	}
	return ""
}

// codeIndent sets code off from the prose; a margin of 2 leaves 76 columns of
// the measure.
const codeIndent = "  "

// codeLines sets code: highlighted, tabs as four columns, never rewrapped
// unless the window is narrower than the code.
func codeLines(source, language string, width int, t *theme.Theme) []string {
	source = strings.TrimRight(expandTabs(source), "\n")
	var out []string
	for _, line := range Highlight(source, language, t) {
		room := width - len(codeIndent)
		if ansi.StringWidth(line) <= room {
			out = append(out, codeIndent+line)
			continue
		}
		for _, part := range strings.Split(ansi.Hardwrap(line, room, true), "\n") {
			out = append(out, codeIndent+part)
		}
	}
	return out
}

// Highlight colours source code, line by line. An unknown language and a theme
// without colours give the lines as they are.
func Highlight(source, language string, t *theme.Theme) []string {
	style := t.Chroma()
	lexer := lexers.Get(language)
	if style == nil || lexer == nil || language == "" || language == "text" {
		return strings.Split(source, "\n")
	}
	tokens, err := chroma.Coalesce(lexer).Tokenise(nil, source)
	if err != nil {
		return strings.Split(source, "\n")
	}
	var lines []string
	for _, line := range chroma.SplitTokensIntoLines(tokens.Tokens()) {
		var b strings.Builder
		for _, token := range line {
			writeToken(&b, strings.TrimRight(token.Value, "\n"), style.Get(token.Type))
		}
		lines = append(lines, b.String())
	}
	for len(lines) > 1 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

func writeToken(b *strings.Builder, text string, style chroma.StyleEntry) {
	if text == "" {
		return
	}
	if !style.Colour.IsSet() || strings.TrimSpace(text) == "" {
		b.WriteString(text)
		return
	}
	italic := ""
	if style.Italic == chroma.Yes {
		italic = "3;"
	}
	fmt.Fprintf(b, "\x1b[%s38;2;%d;%d;%dm%s\x1b[m", italic, style.Colour.Red(), style.Colour.Green(), style.Colour.Blue(), text)
}
