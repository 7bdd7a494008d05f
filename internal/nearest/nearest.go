// Package nearest suggests the right name for a mistyped one.
package nearest

import (
	"strings"

	"github.com/agnivade/levenshtein"
)

// Name returns the name in have that is most like want, ignoring case. It
// returns "" when have is empty. It always suggests something otherwise: a
// learner who mistypes a name is better served by a poor suggestion than by
// none. Ties go to the name that stands first.
func Name(want string, have []string) string {
	want = strings.ToLower(want)
	best, bestDistance := "", 0
	for _, name := range have {
		d := distance(want, strings.ToLower(name))
		if best == "" || d < bestDistance {
			best, bestDistance = name, d
		}
	}
	return best
}

// distance counts an edit as 2 and forgives what is merely left out: "lost"
// should find "lostupdate", not "las".
func distance(want, name string) int {
	d := 2 * levenshtein.ComputeDistance(want, name)
	if len(want) >= 3 && strings.Contains(name, want) {
		d = min(d, 1+(len(name)-len(want))/4)
	}
	return d
}
