// Package theme gives every part of the screen its look by role, not by
// colour: a screen asks for Muted or Bad and gets what fits a dark terminal, a
// light one, or one without colours.
package theme

import (
	"image/color"

	"charm.land/lipgloss/v2"
)

// Name tells the themes apart.
type Name string

// The themes. Plain has no colours, only bold, underline and reverse.
const (
	Dark  Name = "dark"
	Light Name = "light"
	Plain Name = "plain"
)

// Theme is a set of styles by role. It is immutable and may be shared.
type Theme struct {
	Name Name

	Text     lipgloss.Style // ordinary text
	Strong   lipgloss.Style // a word that matters
	Muted    lipgloss.Style // what may be skipped
	Accent   lipgloss.Style // titles, keys, the current thing
	Heading  lipgloss.Style // a heading inside a text
	Good     lipgloss.Style // passed, done
	Bad      lipgloss.Style // failed
	Warn     lipgloss.Style // started, needs attention
	Border   lipgloss.Style // lines between panes
	Selected lipgloss.Style // the line the cursor is on
	Match    lipgloss.Style // a hit of the search
	MatchNow lipgloss.Style // the hit that the screen stands on
	Label    lipgloss.Style // "Did", "Saw": the words before a value

	palette palette
}

// palette holds the colours behind the roles, as "#rrggbb"; all empty in Plain.
type palette struct {
	muted, accent, good, bad, warn, border string
	selectedBack, matchBack, matchNowBack  string
	matchText, code, codeType, codeString  string
}

var darkPalette = palette{
	muted: "#8b929c", accent: "#7dc4e4", good: "#9ece6a", bad: "#f0717f", warn: "#e6c384", border: "#4a5160",
	selectedBack: "#2b3442", matchBack: "#4d4a1f", matchNowBack: "#e6c384", matchText: "#14161b",
	code: "#c3b1f0", codeType: "#7fd1c7", codeString: "#c3d982",
}

var lightPalette = palette{
	muted: "#5f6670", accent: "#0b5f8a", good: "#2c6e1f", bad: "#b3261e", warn: "#7d5200", border: "#a6adb8",
	selectedBack: "#dbe7f0", matchBack: "#fff0a8", matchNowBack: "#f2b134", matchText: "#14161b",
	code: "#5b3fa8", codeType: "#0b6b62", codeString: "#4c6410",
}

// New returns the theme of that name; an unknown name gives Dark.
func New(name Name) *Theme {
	switch name {
	case Plain:
		return newPlain()
	case Light:
		return newColoured(Light, lightPalette)
	default:
		return newColoured(Dark, darkPalette)
	}
}

func newColoured(name Name, p palette) *Theme {
	style := func(hex string) lipgloss.Style {
		return lipgloss.NewStyle().Foreground(lipgloss.Color(hex))
	}
	base := lipgloss.NewStyle()
	return &Theme{
		Name:     name,
		Text:     base,
		Strong:   base.Bold(true),
		Muted:    style(p.muted),
		Accent:   style(p.accent),
		Heading:  style(p.accent).Bold(true),
		Good:     style(p.good),
		Bad:      style(p.bad),
		Warn:     style(p.warn),
		Border:   style(p.border),
		Selected: base.Background(lipgloss.Color(p.selectedBack)).Bold(true),
		Match:    base.Background(lipgloss.Color(p.matchBack)),
		MatchNow: style(p.matchText).Background(lipgloss.Color(p.matchNowBack)),
		Label:    style(p.accent),
		palette:  p,
	}
}

func newPlain() *Theme {
	base := lipgloss.NewStyle()
	bold := base.Bold(true)
	return &Theme{
		Name: Plain,
		Text: base, Strong: bold, Muted: base, Accent: bold, Heading: bold.Underline(true),
		Good: base, Bad: bold, Warn: base, Border: base,
		Selected: base.Reverse(true), Match: base.Underline(true), MatchNow: base.Reverse(true),
		Label: bold,
	}
}

// ForBackground returns the theme that is readable on a background: Dark or
// Light by its lightness, Dark when it is unknown.
func ForBackground(background color.Color) Name {
	if background == nil {
		return Dark
	}
	r, g, b, _ := background.RGBA()
	if 299*r+587*g+114*b > 500*0xffff {
		return Light
	}
	return Dark
}
