package snippet

import (
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		source string
		want   []string // the line counts from 10, where the snippet begins
	}{
		"file":               {"package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(1) }\n", nil},
		"commented file":     {"// Package x is one.\npackage x\n", nil},
		"declarations":       {"func f(w http.ResponseWriter) {\n\tw.WriteHeader(http.StatusTeapot)\n}\n", nil},
		"statements":         {"rows, err := db.Query(ctx, q)\nif err != nil {\n\treturn err\n}\n", nil},
		"own names":          {"type account struct{ balance int }\n\nfunc (a account) left() int { return a.balance }\n", nil},
		"a shadowed package": {"func f(time string, log *slog.Logger) {\n\tlog.Info(time)\n}\n", nil},
		"pgx":                {"tx, err := pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.Serializable})\n", nil},
		"an import":          {"import \"net/http\"\n\nvar c = http.Client{}\n", nil},
		"only a comment":     {"// nothing here\n", nil},
		"handler":            {"mux.HandleFunc(\"GET /x\", func(w http.ResponseWriter, r *http.Request) {\n\tw.WriteHeader(204)\n})\n", nil},

		"file with undefined name": {"package main\n\nfunc main() { f() }\n", []string{"l.md:12: undefined: f"}},
		"file with unused import":  {"package x\n\nimport \"fmt\"\n", []string{`l.md:12: "fmt" imported and not used`}},
		"file with unknown import": {"package x\n\nimport _ \"fmmt\"\n", []string{"l.md:12: could not import fmmt (there is no package fmmt in this module or in those it requires)"}},
		"no such constant":         {"func f(w http.ResponseWriter) {\n\tw.WriteHeader(http.StatusTeepot)\n}\n", []string{"l.md:11: undefined: http.StatusTeepot"}},
		"no such method":           {"var b bytes.Buffer\nb.Wriite(nil)\n", []string{"l.md:11: b.Wriite undefined (type bytes.Buffer has no field or method Wriite)"}},
		"wrong argument":           {"n := 1\n\nfmt.Println(strings.ToUpper(n))\n", []string{"l.md:12: cannot use n (variable of type int) as string value in argument to strings.ToUpper"}},
		"no Go at all":             {"x :=\n", []string{"l.md:10: expected operand, found '}'"}},
		"broken function":          {"func f() {\n\tif {\n\t}\n}\n", []string{"l.md:11: missing condition in if statement"}},
		"not formatted":            {"x := 1\nif x==2 {\n}\n", []string{`l.md:11: not as gofmt formats it: "if x==2 {"`}},
	} {
		t.Run(name, func(t *testing.T) {
			faults, err := Check(".", []Snippet{{File: "l.md", Line: 10, Source: c.source}})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range faults {
				got = append(got, f.Error())
			}
			if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}
