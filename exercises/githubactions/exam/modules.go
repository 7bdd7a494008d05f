package exam

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"strings"

	"golang.org/x/mod/sumdb/dirhash"
)

// modules is a proxy of Go modules as files, from which a repository without a network gets what
// it requires.
type modules struct{ files map[string][]byte }

func newModules() *modules { return &modules{files: map[string][]byte{}} }

// add puts a module with one package and one function there, and returns its lines of go.sum.
func (m *modules) add(module, version, pkg, function string) []string {
	gomod := fmt.Sprintf("module %s\n\ngo 1.26\n", module)
	code := fmt.Sprintf(`// Package %[1]s puts texts together.
package %[1]s

import "strings"

// %[2]s puts each text on a line of its own.
func %[2]s(texts []string) string { return strings.Join(texts, "\n") }
`, pkg, function)
	files := []struct{ name, text string }{{"go.mod", gomod}, {pkg + ".go", code}}
	var archive bytes.Buffer
	var all []string
	texts := map[string]string{}
	z := zip.NewWriter(&archive)
	for _, f := range files {
		name := module + "@" + version + "/" + f.name
		all, texts[name] = append(all, name), f.text
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, f.text)
		}
		if err != nil {
			panic(err) // a buffer takes everything
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	at := module + "/@v/"
	m.files[at+"list"] = []byte(version + "\n")
	m.files[at+version+".info"] = fmt.Appendf(nil, `{"Version":%q,"Time":"2026-01-05T09:00:00Z"}`, version)
	m.files[at+version+".mod"] = []byte(gomod)
	m.files[at+version+".zip"] = archive.Bytes()
	texts["go.mod"] = gomod
	return []string{
		fmt.Sprintf("%s %s %s\n", module, version, sum(texts, all...)),
		fmt.Sprintf("%s %s/go.mod %s\n", module, version, sum(texts, "go.mod")),
	}
}

func sum(texts map[string]string, names ...string) string {
	h, err := dirhash.Hash1(names, func(name string) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(texts[name])), nil
	})
	if err != nil {
		panic(err) // no name has a line break
	}
	return h
}
