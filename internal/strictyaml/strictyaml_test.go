package strictyaml

import "testing"

type doc struct {
	Title string `yaml:"title"`
	Items []struct {
		Name  string   `yaml:"name"`
		After []string `yaml:"after"`
	} `yaml:"items"`
}

const good = `title: a
items:
  - name: one
    after: [x]
  - name: two
    after:
      - x
      - y
`

func TestLine(t *testing.T) {
	var d doc
	f, err := Read("f.yaml", []byte(good), &d)
	if err != nil {
		t.Fatal(err)
	}
	for path, line := range map[string]int{
		"$.title":                 1,
		"$.items[0]":              3,
		"$.items[1].name":         5,
		"$.items[1].after[1]":     8,
		"$.items[1].missing":      5,
		"$.items[1].missing[4].x": 5,
		"$":                       1,
		"nonsense[":               1,
	} {
		if got := f.Line(path); got != line {
			t.Errorf("Line(%s) = %d, want %d", path, got, line)
		}
	}
	if got := f.Errorf("$.items[1].name", "no %s", "good").Error(); got != "f.yaml:5: no good" {
		t.Errorf("Errorf: %s", got)
	}
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct{ data, want string }{
		"unknown key":   {"title: a\nitems:\n  - nmae: x\n", `f.yaml:3: unknown key "nmae"`},
		"key twice":     {"title: a\ntitle: b\n", `f.yaml:2: mapping key "title" already defined at [1:1]`},
		"wrong type":    {"title: a\nitems: 7\n", "f.yaml:2: int was used where sequence is expected"},
		"no yaml":       {"title: [a\n", "f.yaml:1: sequence end token ']' not found"},
		"empty":         {"", "f.yaml:1: the file is empty"},
		"stray tag":     {"title: a\nitems: !x y\n", "f.yaml:1: the file cannot be read as YAML; is there a stray ! or & in it?"},
		"only comments": {"# nothing\n", "f.yaml:1: the file is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			var d doc
			_, err := Read("f.yaml", []byte(c.data), &d)
			if err == nil {
				t.Fatal("read without an error")
			}
			if err.Error() != c.want {
				t.Errorf("got  %s\nwant %s", err, c.want)
			}
		})
	}
}
