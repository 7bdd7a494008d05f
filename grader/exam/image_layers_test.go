package exam

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/cairn-learn/cairn/grader/dockerfile"
	"github.com/cairn-learn/cairn/grader/services"
)

func TestSearchFindsWhatLiesAcrossReads(t *testing.T) {
	values := map[string]string{"key": "0123456789abcdef", "token": "zz"}
	for _, before := range []int{0, 1, 65530, 131060, 131072, 300001} {
		text := strings.Repeat("-", before) + values["key"] + strings.Repeat("-", 200000)
		for name, r := range map[string]io.Reader{"whole": strings.NewReader(text), "halves": iotest.HalfReader(strings.NewReader(text))} {
			if found, err := search(r, values); err != nil || !slices.Equal(found, []string{"key"}) {
				t.Errorf("%d before, %s: %v, %v", before, name, found, err)
			}
		}
	}
	if found, err := search(strings.NewReader(strings.Repeat("z-", 200000)), values); err != nil || found != nil {
		t.Errorf("%v, %v", found, err)
	}
	if _, err := search(iotest.ErrReader(io.ErrUnexpectedEOF), values); err == nil {
		t.Error("half a layer was taken for a whole one")
	}
}

func TestWhatLayersRemove(t *testing.T) {
	i := &Image{files: map[string]ImageFile{"a": {}, "d/x": {}, "d/y/z": {}, "dd": {}, "e/x": {}}}
	for _, entry := range []string{".wh.a", "d/y/.wh..wh..opq", "d/.wh.x", ".wh.e", "new"} {
		i.remove(entry)
	}
	if len(i.files) != 1 {
		t.Errorf("%v, want dd alone", i.files)
	}
}

func TestStepsOfTheHistory(t *testing.T) {
	f, _ := dockerfile.Parse("Dockerfile", []byte("FROM scratch AS a\nCOPY x /\nFROM a\nENV A=b\nUSER 1\n"))
	i := &Image{Config: services.ImageConfig{History: []string{"base", "LABEL build", "COPY", "LABEL build", "ENV", "USER", "LABEL grade"}}}
	made := i.made(f)
	var got []string
	for at := range i.Config.History {
		got = append(got, fmt.Sprint(made[at].Line))
	}
	if all := strings.Join(got, " "); all != "0 0 2 0 4 5 0" {
		t.Error(all)
	}
}
