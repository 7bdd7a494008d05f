package grader

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/cairn-learn/cairn/grader/build"
)

// Files reads the learner's files in dir as a grade would take them, without
// those that the exercise gives. Errors are those of build.Take: files are
// missing or not allowed, or the folder cannot be read.
func Files(e Exercise, dir string) (map[string][]byte, error) {
	snapshot, err := take(e, dir)
	if err != nil {
		return nil, err
	}
	return snapshot.Own, nil
}

// Fingerprint sums up what a grade of dir would see. It stays the same while
// only other files change: tests, notes, what editors leave behind.
func Fingerprint(e Exercise, dir string) string {
	snapshot, err := take(e, dir)
	if err != nil {
		sum := sha256.Sum256([]byte(err.Error()))
		return "refused " + hex.EncodeToString(sum[:])
	}
	return snapshot.Hash
}

func take(e Exercise, dir string) (*build.Snapshot, error) {
	return build.Take(build.Request{ID: e.ID, Dir: dir, Edit: e.Edit, Given: e.Given, Kind: e.Kind})
}
