package content

import (
	"bytes"
	"io/fs"
	"os"
	"testing"
)

// TestNothingIsDropped compares what is embedded with what is on disk: go:embed
// leaves files out without a word.
func TestNothingIsDropped(t *testing.T) {
	files := 0
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		want, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if got, err := FS.ReadFile(name); err != nil || !bytes.Equal(got, want) {
			t.Errorf("content/%s is not embedded as it is on disk: %v", name, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 2 {
		t.Errorf("only %d files were compared", files)
	}
}
