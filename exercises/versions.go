package exercises

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/build"
)

// GivenVersion is the name of the version that the learner has.
const GivenVersion = "given"

// The folders of the other versions of a package under test. A version is a patch on the given
// one, versions/wrong/too-long.diff, or a folder of its own, versions/right/rewritten.
var versionFolders = []string{"right", "wrong"}

// readVersions reads every version of the package that tests are tried on, the given one first.
func (e *Exercise) readVersions() ([]build.Version, error) {
	given := map[string][]byte{}
	for name, content := range e.given {
		if path.Ext(name) == ".go" {
			given[name] = content
		}
	}
	all := []build.Version{{Name: GivenVersion, Files: given}}
	for _, folder := range versionFolders {
		entries, err := fs.ReadDir(e.fsys, path.Join("versions", folder))
		if err != nil {
			return nil, fmt.Errorf("%s:1: tests are tried on right and on wrong versions of the package: %w", e.shown(path.Join("versions", folder)), err)
		}
		for _, entry := range entries {
			v := build.Version{Name: path.Join(folder, strings.TrimSuffix(entry.Name(), ".diff"))}
			if v.Files, err = e.readVersion(path.Join("versions", folder, entry.Name()), given); err != nil {
				return nil, err
			}
			all = append(all, v)
		}
	}
	return all, nil
}

func (e *Exercise) readVersion(name string, given map[string][]byte) (map[string][]byte, error) {
	if path.Ext(name) == ".diff" {
		patch, err := fs.ReadFile(e.fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", e.shown(name), err)
		}
		return Mutant{File: e.shown(name), patch: patch}.Apply(given)
	}
	files, err := e.files(name, slices.Sorted(maps.Keys(given))...)
	if err != nil {
		return nil, err
	}
	return files, nil
}
