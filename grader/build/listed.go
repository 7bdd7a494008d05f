package build

import (
	"bytes"
	"maps"
	"slices"
)

// ignoreFile may be empty, or missing.
const ignoreFile = ".dockerignore"

// checkListed refuses files that whoever reads them would not understand as text.
func (w *walk) checkListed() {
	for _, name := range slices.Sorted(maps.Keys(w.files)) {
		if name != ignoreFile || len(w.files[name]) > 0 {
			w.checkText(name, w.files[name])
		}
	}
	for _, name := range w.request.Edit {
		if name != ignoreFile { // without it nothing is left out
			w.checkThere(name)
		}
	}
}

// checkText refuses a file of text that is empty or in no encoding that is read, and tells whether
// it may pass.
func (w *walk) checkText(name string, content []byte) bool {
	if encoding := encodingOf(content); encoding != "" {
		w.refuse(name, lineOfOddByte(content), "is saved as "+encoding+"; it has to be UTF-8", "Save it again as UTF-8: most editors have “save with encoding”.")
		return false
	}
	if at := bytes.IndexByte(content, 0); at >= 0 {
		w.refuse(name, lineAt(string(content), at), "holds a zero byte", "Remove it.")
		return false
	}
	if len(bytes.TrimSpace(content)) == 0 {
		w.refuse(name, 1, "is empty", "Restore the starter with cairn reset "+w.request.ID+", or write the file again.")
		return false
	}
	return true
}
