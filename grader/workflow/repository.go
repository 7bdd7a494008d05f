package workflow

import (
	"archive/tar"
	"bytes"
	"crypto/sha1" //nolint:gosec // the form of a commit's name, no secret
	"encoding/hex"
	"maps"
	"path"
	"slices"
)

// Repository is what a run of a workflow finds.
type Repository struct {
	Owner, Name string
	Files       map[string][]byte // slash-separated
	Modules     map[string][]byte // files of a Go module proxy, from which modules can be had
	Number      int               // of the pull request
	Title       string            // of the pull request
	Draft       bool              // the pull request is one
}

// sha stands for the commit that is judged.
func (r Repository) sha() string {
	h := sha1.New() //nolint:gosec // as above
	for _, name := range slices.Sorted(maps.Keys(r.Files)) {
		h.Write([]byte(name))
		h.Write(r.Files[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// archive is files as a tar stream, under a folder.
func archive(folder string, files map[string][]byte) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		h := &tar.Header{Name: path.Join(folder, name), Mode: 0o644, Size: int64(len(files[name])), Typeflag: tar.TypeReg}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(files[name]); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}
