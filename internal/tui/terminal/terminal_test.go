package terminal

import (
	"context"
	"encoding/xml"
	"image/color"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestScreenAndPictureShowWhatAProgramPrinted(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	program := `printf 'a<b & \033[1;38;2;1;2;3mbold\033[m \344\270\255|\033[7mback\033[m'; read line; printf "$line"`
	term, err := Start(exec.Command("/bin/sh", "-c", program), 30, 3, color.Black)
	if err != nil {
		t.Fatal(err)
	}
	defer term.Close()
	if err := term.WaitText(ctx, "a<b & bold 中|back"); err != nil {
		t.Fatal(err)
	}
	picture := term.View().SVG("a <title>")
	for _, want := range []string{"a&lt;b\u00a0&amp;", `fill="#010203" font-weight="bold">bold<`, "中", `fill="` + ink + `"/>`} {
		if !strings.Contains(picture, want) {
			t.Errorf("the picture lacks %q:\n%s", want, picture)
		}
	}
	if err := xml.Unmarshal([]byte(picture), new(struct{})); err != nil {
		t.Errorf("the picture is no XML: %v", err)
	}
	if err := term.Type("typed\r"); err != nil {
		t.Fatal(err)
	}
	if err := term.WaitExit(ctx); err != nil {
		t.Fatal(err)
	}
	if err := term.WaitText(ctx, "typed"); err != nil {
		t.Error(err)
	}
}
