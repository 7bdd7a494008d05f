package setup

import (
	"strings"

	"charm.land/bubbles/v2/progress"

	"github.com/cairn-learn/cairn/internal/tui/component"
	"github.com/cairn-learn/cairn/internal/tui/theme"
)

// titleWidth is the room for the name of a step.
const titleWidth = 12

// Lines draws a bar for the whole and a line for each step.
func (s *Setup) Lines(t *theme.Theme, width int) []string {
	lines := []string{" " + s.bar(t, width-2), ""}
	room := max(width-titleWidth-5, 20)
	for _, lane := range s.lanes {
		for _, one := range lane {
			sign, said := one.look(t)
			lead := " " + sign + " " + t.Strong.Render(component.Fit(one.Title, titleWidth)) + " "
			for _, line := range component.Wrap(said, room) {
				if one.state == waiting || one.state == skipped {
					line = t.Muted.Render(line)
				}
				lines = append(lines, lead+line)
				lead = strings.Repeat(" ", titleWidth+4)
			}
		}
	}
	return lines
}

func (one *step) look(t *theme.Theme) (sign, said string) {
	switch one.state {
	case running:
		return t.Accent.Render(theme.Running), one.said + theme.Ellipsis
	case done:
		return t.Good.Render(theme.Pass), one.said
	case failed:
		return t.Bad.Render(theme.Fail), one.said
	case skipped:
		return t.Muted.Render(theme.Blocked), "not done, since the step before it failed"
	default:
		return t.Muted.Render(theme.Pending), "waits for the step before it"
	}
}

// barWidth is as wide as the bar grows.
const barWidth = 60

func (s *Setup) bar(t *theme.Theme, width int) string {
	bar := progress.New(progress.WithWidth(min(width, barWidth)))
	bar.Full, bar.Empty = '█', '░'
	bar.FullColor, bar.EmptyColor = t.Accent.GetForeground(), t.Border.GetForeground()
	return bar.ViewAs(s.Fraction())
}
