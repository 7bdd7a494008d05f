package settings

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func written(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestCreatedFileReadsBack(t *testing.T) {
	for _, want := range []Settings{
		{},
		{Path: "onboarding"},
		{Path: "bootcamp", Editor: `"/opt/my editor/ed" --it's # not a comment`, Theme: "dark"},
	} {
		name := filepath.Join(t.TempDir(), "cairn", "config.yaml")
		if err := Create(name, want); err != nil {
			t.Fatal(err)
		}
		got, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		got.file, want.Version = nil, 1
		if got != want {
			t.Errorf("%+v came back as %+v", want, got)
		}
	}
}

func TestCreateLeavesWhatIsThere(t *testing.T) {
	name := written(t, "path: mine\n")
	if err := Create(name, Settings{Path: "other"}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("error %v, want fs.ErrExist", err)
	}
	if got := read(t, name); got != "path: mine\n" {
		t.Errorf("the file was changed to %q", got)
	}
}

func TestLoadComplainsAtTheLine(t *testing.T) {
	for text, want := range map[string]string{
		"version: 1\npath: a\nedtior: vim\n": `:3: unknown key "edtior"`,
		"path: a\npath: b\n":                 ":2: ",
		"\ntheme: blue\n":                    `:2: theme is "blue", and cairn knows light, dark and auto`,
		"path: [a, b]\n":                     ":1: ",
		"path: 'a\n":                         ":1: ",
		"version: 2\nfont: large\n":          " is of a newer cairn: upgrade it (settings version 2, this one knows 1)",
	} {
		name := written(t, text)
		_, err := Load(name)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%q: error %v, want %q at %s", text, err, want, name)
		}
		if err := SetPath(name, "bootcamp"); err == nil || read(t, name) != text {
			t.Errorf("%q: SetPath gives %v and leaves %q", text, err, read(t, name))
		}
	}
}

func TestNothingSetIsNoFault(t *testing.T) {
	for _, text := range []string{"", "# all of it\n\n  # is a comment\n", "# path: x\r\n"} {
		if s, err := Load(written(t, text)); err != nil || s != (Settings{}) {
			t.Errorf("%q: %+v, %v", text, s, err)
		}
	}
	for _, name := range []string{"", filepath.Join(t.TempDir(), "none.yaml")} {
		if _, err := Load(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: error %v, want fs.ErrNotExist", name, err)
		}
	}
}

func TestSetPathChangesOneLine(t *testing.T) {
	for before, want := range map[string]string{
		"# mine\nversion: 1\npath: self-paced # slowly\neditor: vim\n": "# mine\nversion: 1\npath: bootcamp # slowly\neditor: vim\n",
		"path: 'self-paced'":       "path: bootcamp",
		"path:\neditor: vim\n":     "path: bootcamp\neditor: vim\n",
		"editor: vim":              "editor: vim\npath: bootcamp\n",
		"# path: x\n":              "# path: x\npath: bootcamp\n",
		"":                         "path: bootcamp\n",
		"editor: 'vim'\npath : x ": "editor: 'vim'\npath: bootcamp ",
	} {
		name := written(t, before)
		if err := SetPath(name, "bootcamp"); err != nil {
			t.Errorf("%q: %v", before, err)
		}
		if got := read(t, name); got != want {
			t.Errorf("%q became %q, want %q", before, got, want)
		}
	}
}

func TestSetPathRefusesWhatItDoesNotUnderstand(t *testing.T) {
	for _, text := range []string{"{path: self-paced, editor: vim}\n", "\"path\": self-paced\n"} {
		name := written(t, text)
		if err := SetPath(name, "bootcamp"); err == nil || !strings.Contains(err.Error(), "set path to bootcamp there yourself") {
			t.Errorf("%q: error %v", text, err)
		}
		if got := read(t, name); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestSetPathMakesTheFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "cairn", "config.yaml")
	if err := SetPath(name, "onboarding"); err != nil {
		t.Fatal(err)
	}
	if s, err := Load(name); err != nil || s.Path != "onboarding" {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestSetPathFollowsALink(t *testing.T) {
	name := written(t, "path: self-paced\n")
	link := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.Symlink(name, link); err != nil {
		t.Fatal(err)
	}
	if err := SetPath(link, "onboarding"); err != nil {
		t.Fatal(err)
	}
	if got := read(t, name); got != "path: onboarding\n" {
		t.Errorf("what the link leads to is %q", got)
	}
	if _, err := os.Readlink(link); err != nil {
		t.Errorf("the link is gone: %v", err)
	}
}
