package component

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Squeeze makes a text that is laid out in columns fit into width cells: it
// takes blanks away where every line has one, and leaves two of each gap. What
// still does not fit is wrapped.
func Squeeze(lines []string, width int) []string {
	wide := 0
	rows := make([][]rune, len(lines))
	for i, line := range lines {
		rows[i] = []rune(strings.ReplaceAll(line, "\t", "    "))
		wide = max(wide, len(rows[i]))
	}
	for wide > width {
		from, length := longestGap(rows, wide)
		if length <= 2 {
			break
		}
		cut := min(length-2, wide-width)
		for i, row := range rows {
			if len(row) > from {
				rows[i] = append(row[:from:from], row[min(from+cut, len(row)):]...)
			}
		}
		wide -= cut
	}
	var out []string
	for _, row := range rows {
		// a line that stands in one column only may move into the one before
		for len(row) > width && row[0] == ' ' {
			row = row[1:]
		}
		if ansi.StringWidth(string(row)) <= width {
			out = append(out, string(row))
		} else {
			out = append(out, Wrap(string(row), width)...)
		}
	}
	return out
}

// longestGap returns the longest run of columns in which no line has a sign,
// the indent on the left not counted.
func longestGap(rows [][]rune, wide int) (from, length int) {
	start, begun := 0, false
	for col := 0; col <= wide; col++ {
		blank := col < wide
		for _, row := range rows {
			blank = blank && (col >= len(row) || row[col] == ' ')
		}
		switch {
		case blank && !begun:
			start, begun = col, true
		case !blank && begun:
			if start > 0 && col-start > length {
				from, length = start, col-start
			}
			begun = false
		}
	}
	return from, length
}
