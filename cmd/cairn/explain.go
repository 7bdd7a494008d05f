package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cairn-learn/cairn/grader/services"
	"github.com/cairn-learn/cairn/internal/progress"
	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/internal/workspace"
)

// explain gives the errors that other packages define their hints and exit
// statuses.
func explain(err error) error {
	var done *problem
	if errors.As(err, &done) {
		return err
	}
	var unknown *road.UnknownError
	var none *workspace.NoneError
	var newer *workspace.NewerError
	var foreign *workspace.ForeignError
	var unavailable *services.Unavailable
	var unwritable *progress.UnwritableError
	switch {
	case errors.As(err, &unknown):
		return hinted(exitUsage, err, "cairn list shows the whole road.")
	case errors.As(err, &none):
		return hinted(exitUsage, fmt.Errorf("%s is not in a workspace", none.Dir), "cairn init makes one; or cd into the one you have.")
	case errors.As(err, &newer):
		return hinted(exitUsage, fmt.Errorf("the workspace %s was made by a newer cairn (%s)", newer.Dir, newer.Cairn), "Upgrade cairn; this one is "+version()+".")
	case errors.As(err, &foreign):
		return hinted(exitUsage, fmt.Errorf("%s holds other things (%s) and is no workspace", foreign.Dir, foreign.Find),
			"cairn init "+filepath.Join(shown(foreign.Dir), "cairn-work")+" makes one inside it.")
	case errors.As(err, &unwritable):
		return hinted(exitFailed, err, "Make that place writable, or set XDG_DATA_HOME to another folder.")
	case errors.As(err, &unavailable):
		return hinted(exitFailed, errors.New(unavailable.What), sentence(unavailable.Do))
	}
	return err
}

// sentence gives text a capital and a full stop.
func sentence(text string) string {
	if text == "" {
		return text
	}
	first, size := utf8.DecodeRuneInString(text)
	text = string(unicode.ToUpper(first)) + text[size:]
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}
