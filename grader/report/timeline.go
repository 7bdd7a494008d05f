package report

import (
	"fmt"
	"strings"
)

// mostEntries is how much of a timeline is shown unless all is asked for; a burst
// of requests can leave hundreds of entries.
const mostEntries = 48

// timeline writes the evidence, one entry a line where it fits. Of a long one
// it keeps the beginning and the end, where the cause and the effect are.
func (p *page) timeline(entries []Entry) {
	if len(entries) == 0 || p.o.Evidence == None {
		return
	}
	p.blank()
	p.wrapped("  ", "What happened", bold)
	actor := 0
	for _, e := range entries {
		actor = max(actor, cells(p.safe(e.Actor)))
	}
	actor = min(actor, 26)
	for i, e := range entries {
		if p.o.Evidence == Full {
			p.evidence(e, actor)
			continue
		}
		if left := len(entries) - mostEntries; left > 0 && i >= mostEntries/2 && i < mostEntries/2+left {
			if i == mostEntries/2 {
				p.wrapped("  ", fmt.Sprintf("… %d more; cairn grade --evidence=full shows all", left), dim)
			}
			continue
		}
		p.evidence(e, actor)
	}
}

func (p *page) evidence(e Entry, actor int) {
	at := ""
	if !p.o.NoTimes {
		at = fmt.Sprintf("%6s ", Took(e.At))
	}
	mark := " "
	if e.Failed {
		mark = "!"
	}
	name := p.safe(e.Actor)
	name += strings.Repeat(" ", max(0, actor-cells(name)))
	text := e.Text
	if e.Result != "" {
		text += " → " + e.Result
	}
	style := 0
	if e.Failed {
		style = red
	}
	lead := "  " + p.style(dim, at) + mark + " " + p.style(dim, name) + "  "
	if p.width-cells(lead) < 30 {
		p.line("", lead)
		lead = "    "
	}
	p.wrapped(lead, text, style)
}
