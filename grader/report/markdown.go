package report

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"strings"
)

// WriteMarkdown writes the report as GitHub's Markdown, as a summary of a job: the
// verdict, a table of the checks, and what was found. Text of the program's can
// neither end its block nor become markup.
func WriteMarkdown(w io.Writer, r Report, o TextOptions) error {
	o.Color, o.ASCII = false, false
	var b bytes.Buffer
	fmt.Fprintf(&b, "### %s: %s\n\n", markdown(r.Title), markdown(string(r.Verdict)))
	if len(r.Checks) > 0 {
		said := r.counts()
		if took := r.took(); took > 0 && !o.NoTimes {
			said += " in " + Took(took)
		}
		fmt.Fprintf(&b, "%s. Seed %d.\n\n", said, r.Seed)
	}
	if text := lines(r.Reason, r.Next); text != "" {
		fmt.Fprintf(&b, "%s\n\n", markdown(text))
	}
	r.markdownTable(&b, o)
	if len(r.Diagnostics) > 0 {
		var text bytes.Buffer
		_ = WriteDiagnostics(&text, r.Diagnostics, o)
		fence(&b, text.String())
	}
	for _, c := range r.Checks {
		if c.Status != CheckFailed {
			continue
		}
		var text bytes.Buffer
		_ = WriteFeedback(&text, c, o)
		fmt.Fprintf(&b, "**%s**\n\n", markdown(c.Title))
		fence(&b, text.String())
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (r *Report) markdownTable(b *bytes.Buffer, o TextOptions) {
	if len(r.Checks) == 0 {
		return
	}
	b.WriteString("| | Check | Time |\n|---|---|--:|\n")
	for _, c := range r.Checks {
		sign, _ := newPage(o).sign(c.Status)
		note := "not run"
		if c.Status != CheckBlocked {
			note = Took(c.Duration)
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", sign, markdown(c.Title), note)
	}
	b.WriteByte('\n')
}

// markup has Markdown's signs as text.
var markup = strings.NewReplacer("\\", "\\\\", "`", "\\`", "*", "\\*", "_", "\\_", "[", "\\[", "]", "\\]",
	"|", "\\|", "~", "\\~", "#", "\\#", "!", "\\!", "$", "\\$", "\n", " ")

func markdown(text string) string { return markup.Replace(html.EscapeString(showable(text))) }

// mostOfABlock is how much of one failure a summary shows, in bytes. GitHub takes
// one megabyte.
const mostOfABlock = 32 << 10

// fence writes a block of code whose fence is longer than any in the text.
func fence(b *bytes.Buffer, text string) {
	if len(text) > mostOfABlock {
		text = fmt.Sprintf("%s\n(%d bytes more)\n", strings.ToValidUTF8(text[:mostOfABlock], ""), len(text)-mostOfABlock)
	}
	longest, run := 2, 0
	for _, r := range text {
		if r != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	marks := strings.Repeat("`", longest+1)
	fmt.Fprintf(b, "%stext\n%s\n%s\n\n", marks, strings.Trim(text, "\n"), marks)
}
