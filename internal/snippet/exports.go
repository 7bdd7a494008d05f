package snippet

import (
	"bytes"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// exports finds the compiler's export data of a package.
type exports map[string]string

// exportData compiles packages and everything they need, as seen from dir. The
// go command keeps the results in its build cache. A package that does not
// exist is left out; whoever imports it is told by the type checker.
func exportData(dir string, packages map[string]bool) (exports, error) {
	if len(packages) == 0 {
		return nil, nil
	}
	args := append([]string{"list", "-e", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}"}, slices.Sorted(maps.Keys(packages))...)
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("compile what the snippets import: %w: %s", err, said.String())
	}
	found := exports{}
	for line := range strings.Lines(out.String()) {
		if name, file, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			found[name] = file
		}
	}
	return found, nil
}

func (e exports) importer(fset *token.FileSet) types.Importer {
	return importer.ForCompiler(fset, "gc", func(name string) (io.ReadCloser, error) {
		file, ok := e[name]
		if !ok {
			return nil, fmt.Errorf("there is no package %s in this module or in those it requires", name)
		}
		return os.Open(file)
	})
}
