// Command cairn teaches backend engineering in the terminal.
package main

import (
	"os"

	"github.com/cairn-learn/cairn/grader/process"
)

func main() {
	process.SuperviseIfAsked() // first: cairn is also the parent of the programs it grades
	os.Exit(run(os.Args[1:], stdio{os.Stdin, os.Stdout, os.Stderr}))
}
