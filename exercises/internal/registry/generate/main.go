// Command generate writes registry.go in the folder it is run in.
package main

import (
	"fmt"
	"os"

	"github.com/cairn-learn/cairn/exercises/internal/registry"
)

func main() {
	src, err := registry.Generate(os.DirFS("."))
	if err == nil {
		err = os.WriteFile(registry.File, src, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}
