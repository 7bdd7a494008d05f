package architecture

import (
	"os"
	"testing"

	"golang.org/x/tools/go/packages"
)

// TestDarwin checks the types of everything as macOS would have it, tests too. Of what cairn is made
// of only the declarations are looked at: that takes seconds, where compiling all of it for another
// system, as go vet would, takes minutes.
func TestDarwin(t *testing.T) {
	all, err := packages.Load(&packages.Config{
		Mode:  packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedDeps | packages.NeedTypes | packages.NeedSyntax | packages.NeedTypesInfo,
		Dir:   "../..",
		Env:   append(os.Environ(), "GOOS=darwin", "GOARCH=arm64", "CGO_ENABLED=0"),
		Tests: true,
	}, "./...")
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 50 {
		t.Errorf("only %d packages were found", len(all))
	}
	for _, p := range all {
		for _, fault := range p.Errors {
			t.Errorf("%s: %s", p.ID, fault)
		}
	}
}
