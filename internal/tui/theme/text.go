package theme

import (
	"charm.land/glamour/v2/ansi"
	"github.com/alecthomas/chroma/v2"
)

// Markdown returns the look of rendered Markdown. The document itself has no
// colour: colouring every blank doubles the time and the size of the output.
func (t *Theme) Markdown() ansi.StyleConfig {
	p := t.palette
	yes := true
	bold := ansi.StylePrimitive{Bold: &yes}
	heading := func(underline bool) ansi.StyleBlock {
		s := ansi.StylePrimitive{Bold: &yes, Color: hex(p.accent), BlockSuffix: "\n"}
		if underline && t.Name == Plain {
			s.Underline = &yes
		}
		return ansi.StyleBlock{StylePrimitive: s}
	}
	code := ansi.StylePrimitive{Color: hex(p.code)}
	if t.Name == Plain {
		code = ansi.StylePrimitive{Prefix: "`", Suffix: "`"}
	}
	quote := "│ "
	zero, one, two := uint(0), uint(1), uint(2)
	return ansi.StyleConfig{
		Document:   ansi.StyleBlock{Margin: &zero},
		BlockQuote: ansi.StyleBlock{Indent: &one, IndentToken: &quote},
		List:       ansi.StyleList{LevelIndent: 2},
		H1:         heading(true), H2: heading(true), H3: heading(false), H4: heading(false), H5: heading(false), H6: heading(false),
		Emph:           ansi.StylePrimitive{Italic: &yes},
		Strong:         bold,
		Strikethrough:  ansi.StylePrimitive{CrossedOut: &yes},
		HorizontalRule: ansi.StylePrimitive{Color: hex(p.border), Format: "\n────────\n"},
		Item:           ansi.StylePrimitive{BlockPrefix: "• "},
		Enumeration:    ansi.StylePrimitive{BlockPrefix: ". "},
		Task:           ansi.StyleTask{Ticked: "[x] ", Unticked: "[ ] "},
		Link:           ansi.StylePrimitive{Color: hex(p.muted), Underline: &yes},
		LinkText:       ansi.StylePrimitive{Color: hex(p.accent)},
		Image:          ansi.StylePrimitive{Color: hex(p.muted)},
		ImageText:      ansi.StylePrimitive{Format: "Image: {{.text}} →"},
		Code:           ansi.StyleBlock{StylePrimitive: code},
		CodeBlock:      ansi.StyleCodeBlock{StyleBlock: ansi.StyleBlock{StylePrimitive: ansi.StylePrimitive{Color: hex(p.code)}, Margin: &two}},
		Table:          ansi.StyleTable{},
		DefinitionTerm: bold, DefinitionDescription: ansi.StylePrimitive{BlockPrefix: "\n  "},
	}
}

// Chroma returns the colours of source code, or nil when there are none.
func (t *Theme) Chroma() *chroma.Style {
	if t.Name == Plain {
		return nil
	}
	p := t.palette
	return chroma.MustNewStyle("cairn-"+string(t.Name), chroma.StyleEntries{
		chroma.Comment:           p.muted + " italic",
		chroma.CommentPreproc:    p.muted,
		chroma.Keyword:           p.code,
		chroma.KeywordType:       p.codeType,
		chroma.NameBuiltin:       p.codeType,
		chroma.NameFunction:      p.accent,
		chroma.NameTag:           p.code,
		chroma.NameAttribute:     p.accent,
		chroma.LiteralString:     p.codeString,
		chroma.LiteralNumber:     p.warn,
		chroma.GenericDeleted:    p.bad,
		chroma.GenericInserted:   p.good,
		chroma.GenericSubheading: p.muted,
	})
}

func hex(colour string) *string {
	if colour == "" {
		return nil
	}
	return &colour
}
