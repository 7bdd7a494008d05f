package exercises

import (
	"slices"
	"strings"
	"testing"
)

// mutant returns the one mutant of an exercise with the given patch.
func mutant(t *testing.T, diff string) (Mutant, map[string][]byte, error) {
	t.Helper()
	fsys := folder()
	fsys["transfer/mutants/minus.diff"].Data = []byte(diff)
	e := mustLoad(t, fsys)
	reference, err := e.Solution()
	if err != nil {
		t.Fatal(err)
	}
	all, err := e.Mutants()
	if err != nil {
		return Mutant{}, nil, err
	}
	if len(all) != 1 {
		t.Fatalf("%d mutants, want 1", len(all))
	}
	return all[0], reference, nil
}

func TestMutant(t *testing.T) {
	m, reference, err := mutant(t, minus)
	if err != nil {
		t.Fatal(err)
	}
	if m.Name != "minus" || m.Check != "sums" || !slices.Equal(m.Also, []string{"maxima", "totals"}) || m.Mistake != "subtracts." || m.Golden() != "mutants/minus.feedback" {
		t.Errorf("header: %+v", m)
	}
	got, err := m.Apply(reference)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Replace(solution, "a + b", "a - b", 1); string(got["transfer.go"]) != want {
		t.Errorf("got\n%s", got["transfer.go"])
	}
	if string(reference["transfer.go"]) != solution {
		t.Error("the solution itself was changed")
	}
	if string(got["program/main.go"]) != "package main\n" {
		t.Error("the other files are missing")
	}
}

func TestMutantFollowsMovedLines(t *testing.T) {
	m, _, err := mutant(t, `# check: sums
# mistake: both.
--- a/transfer.go
+++ b/transfer.go
@@ -3,3 +3,3 @@
 func Sum(a, b int) int {
-	return a + b
+	return a - b
 }
@@ -8,3 +8,3 @@
 	if a > b {
-		return a
+		return b
 	}
`)
	if err != nil {
		t.Fatal(err)
	}
	moved := strings.Replace(solution, "package transfer\n", "package transfer\n\n// One.\n// Two.\n", 1)
	moved = strings.Replace(moved, "func Max", "// Max.\nfunc Max", 1)
	got, err := m.Apply(map[string][]byte{"transfer.go": []byte(moved)})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(moved, "a + b", "a - b", 1)
	want = strings.Replace(want, "return a\n\t}", "return b\n\t}", 1)
	if string(got["transfer.go"]) != want {
		t.Errorf("got\n%s", got["transfer.go"])
	}
}

func TestMutantRefusals(t *testing.T) {
	const file = "exercises/transfer/mutants/minus.diff"
	for name, c := range map[string]struct{ old, new, want string }{
		"no check": {"# check: sums\n", "", `:1: the first line of a mutant is # check: <id>, and no line of its header is empty`},
		"no header": {"# check: sums\n# also: maxima totals\n# mistake: subtracts.\n", "",
			`:1: the first line of a mutant names the check that catches it: # check: <id>`},
		"two checks":     {"# check: sums", "# check: sums maxima", `:1: "sums maxima" is not one check; list the others in a line # also: <ids>`},
		"no mistake":     {"# mistake: subtracts.\n", "", `:1: the mutant doesn't say what the mistake is; add # mistake: and one sentence`},
		"unknown header": {"# mistake:", "# misteak:", `:3: "# misteak: subtracts." names none of check, also, mistake, mask and tries`},
		"too many tries": {"# mistake:", "# tries: 50\n# mistake:", `:3: "50" is no number of tries; it is from 2 to 5`},
		"no expression":  {"# mistake:", "# mask: (\n# mistake:", ":3: \"(\" is no regular expression: error parsing regexp: missing closing ): `(`"},
		"no longer applies": {"-\treturn a + b", "-\treturn a * b",
			`:6: hunk @@ -1,5 +1,5 @@ no longer applies to transfer.go: its 5 lines from "package transfer" on stand nowhere in it; make the patch again`},
		"another file": {"--- a/transfer.go\n+++ b/transfer.go", "--- a/other.go\n+++ b/other.go",
			`:4: the patch is on "other.go", which is no file of the solution (transfer.go)`},
		"wrong counts":    {"@@ -1,5 +1,5 @@", "@@ -1,7 +1,5 @@", `:7: the patch can't be read: fragment header miscounts lines: -2 old, +0 new`},
		"changes nothing": {"+\treturn a - b", "+\treturn a + b", `:1: the patch changes nothing in transfer.go`},
		"no patch":        {minus[strings.Index(minus, "---"):], "", `:1: the mutant holds no patch`},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(minus, c.old, c.new, 1)
			if text == minus {
				t.Fatalf("the mutant does not hold %q", c.old)
			}
			m, reference, err := mutant(t, text)
			if err == nil {
				_, err = m.Apply(reference)
			}
			if err == nil {
				t.Fatal("applied without an error")
			}
			if err.Error() != file+c.want {
				t.Errorf("got  %s\nwant %s%s", err, file, c.want)
			}
		})
	}
}
