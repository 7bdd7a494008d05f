package build

import (
	"maps"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/wire"
)

const (
	psqlsOwn     = "is a command of psql, and no SQL; the file is sent to PostgreSQL itself"
	psqlsOwnHelp = "Remove the line, or write in SQL what it does."
)

// checkSQL refuses files of SQL that PostgreSQL could not be given whole.
func (w *walk) checkSQL() {
	for _, name := range slices.Sorted(maps.Keys(w.files)) {
		w.checkScript(name, w.files[name])
	}
	for _, name := range w.request.Edit {
		w.checkThere(name)
	}
}

func (w *walk) checkScript(name string, content []byte) {
	if !w.checkText(name, content) { // PostgreSQL would take a zero byte for the end
		return
	}
	sql := script(content)
	for _, at := range wire.Backslashes(sql) {
		command, _, _ := strings.Cut(strings.Fields(sql[at:])[0], ";")
		w.refuse(name, lineAt(sql, at), command+" "+psqlsOwn, psqlsOwnHelp)
	}
	for _, p := range wire.Script(sql) {
		if len(p.Words) > 0 && p.Words[0] == "copy" && slices.Contains(p.Words, "stdin") {
			w.refuse(name, lineAt(sql, p.At), "copy from stdin waits for rows from a client, and here is none", "Write the rows as an insert.")
		}
	}
}

// script is the text of a file, without the mark that some editors put before it.
func script(content []byte) string { return strings.TrimPrefix(string(content), "\ufeff") }

// lineAt is the line of a byte in a text, from 1.
func lineAt(text string, at int) int { return 1 + strings.Count(text[:at], "\n") }
