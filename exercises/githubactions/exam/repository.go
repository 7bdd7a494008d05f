package exam

import (
	"bytes"
	_ "embed"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"text/template"

	"golang.org/x/tools/txtar"

	"github.com/cairn-learn/cairn/grader/workflow"
)

//go:embed repository.txtar
var source string

var repositoryTemplate = template.Must(template.New("repository").Delims("<<", ">>").Parse(source))

// defect is what is wrong with a repository: nothing, or one thing.
type defect string

const (
	good        defect = ""
	failingTest defect = "test"
	dataRace    defect = "race"
	unformatted defect = "format"
	vetError    defect = "vet"
	untidy      defect = "tidy"
)

// places are where a defect can be, and the forms that it has.
var places = map[defect][]string{
	good:        {""},
	failingTest: {"split", "clamp", "count"},
	dataRace:    {"lookups", "close", "latest"},
	unformatted: {"spaces", "operator", "trailing"},
	vetError:    {"tag", "self", "unreachable"},
	untidy:      {"spare", "indirect"},
}

// names are what the template is filled in with.
type names struct {
	Defect defect
	Place  string

	Owner, Repo, About, Args, Module, Nouns, Word    string
	Dep, DepVersion, DepPkg, DepFunc                 string
	Spare, SpareVersion                              string
	Pkg, Split, Clamp, Count, Table, Price           string
	Gate, Admit, Latest, Report                      string
	SplitFile, TableFile, GateFile, ReportFile, File string
	Amount, Third, Limit, Classes                    int
}

func (n names) is(d defect, place string) bool { return n.Defect == d && n.Place == place }

// Broken, Racy, Vet and Untidy tell the template where the defect is.
func (n names) Broken(place string) bool { return n.is(failingTest, place) }
func (n names) Racy(place string) bool   { return n.is(dataRace, place) }
func (n names) Vet(place string) bool    { return n.is(vetError, place) }
func (n names) Untidy(place string) bool { return n.is(untidy, place) }

// draw returns a function that draws a repository with a defect.
func draw(d defect) func(*rand.Rand) workflow.Repository {
	return func(r *rand.Rand) workflow.Repository {
		n := drawNames(r, d)
		files := n.files()
		if d == unformatted {
			n.deform(files)
		}
		modules := newModules()
		sums := modules.add(n.Dep, n.DepVersion, n.DepPkg, n.DepFunc)
		spare := modules.add(n.Spare, n.SpareVersion, lastElement(n.Spare), "Reverse")
		if n.Untidy("spare") {
			sums = append(sums, spare...)
		}
		slices.Sort(sums)
		files["go.sum"] = []byte(strings.Join(sums, ""))
		return workflow.Repository{
			Owner: n.Owner, Name: n.Repo, Files: files, Modules: modules.files,
			Number: 2 + r.IntN(400), Title: "Count the " + n.Nouns + " once", Draft: d == untidy,
		}
	}
}

func lastElement(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

func drawNames(r *rand.Rand, d defect) names {
	pick := func(words string) string {
		all := strings.Fields(words)
		return all[r.IntN(len(all))]
	}
	version := func() string { return fmt.Sprintf("v%d.%d.%d", r.IntN(2), 1+r.IntN(9), r.IntN(9)) }
	n := names{
		Defect: d, Place: places[d][r.IntN(len(places[d]))],
		Owner: pick("amber birch cedar flint hazel juniper larch maple oakum quartz"),
		Repo:  pick("harbor pier market meadow orchard quarry summit terrace village wharf"),
		Nouns: pick("berths crates kayaks lockers parcels rooms seats stalls"),
		Word:  pick("ember fable garnet indigo lagoon nectar opal reed"),
		Pkg:   pick("booking depot dispatch ledger planning stock yard"),
		Split: pick("Allot Apportion Divide Share Spread"),
		Clamp: pick("Bounded Capped Confine Within"),
		Count: pick("AtLeast Enough Reaching Sufficient"),
		Table: pick("Charges PriceList Rates Tariff"),
		Price: pick("Cost Fee Price Toll"),
		Gate:  pick("Barrier Boom Gate Turnstile"),
		Admit: pick("Admit Enter LetIn Pass"), Latest: pick("Last Latest MostRecent Newest"),
		Report: pick("Digest Overview Statement Summary"),
		DepPkg: pick("columns listing paragraph rows"), DepFunc: pick("Format Join Lines Text"),
		DepVersion: version(), SpareVersion: version(),
		Third: 5 + r.IntN(40), Limit: 60 + r.IntN(40), Classes: 3 + r.IntN(5),
	}
	n.Amount, n.Args = 3*n.Third+1, fmt.Sprint(3*n.Third+1, " ", 3)
	n.About = fmt.Sprintf("Shares an amount among %s, and knows what they cost.", n.Nouns)
	n.Module = "example.com/" + n.Owner + "/" + n.Repo
	n.Dep = "example.com/" + pick("anchor basil cobalt delta fern") + "/" + n.DepPkg
	n.Spare = "example.com/" + pick("ivory jasper linen moss pine") + "/" + pick("mirror reversal turning")
	n.SplitFile, n.TableFile = strings.ToLower(n.Split), strings.ToLower(n.Table)
	n.GateFile, n.ReportFile = strings.ToLower(n.Gate), strings.ToLower(n.Report)
	n.File = n.Pkg + "/" + []string{n.SplitFile, n.TableFile, n.GateFile, n.ReportFile}[r.IntN(4)] + ".go"
	return n
}

func (n names) files() map[string][]byte {
	var text bytes.Buffer
	if err := repositoryTemplate.Execute(&text, n); err != nil {
		panic(err) // the template's own fault
	}
	files := map[string][]byte{}
	for _, f := range txtar.Parse(text.Bytes()).Files {
		files[f.Name] = f.Data
	}
	return files
}

// deform makes one file look as gofmt would not have it.
func (n names) deform(files map[string][]byte) {
	change := map[string][2]string{
		"spaces":   {"\n\t", "\n    "},
		"operator": {" := ", ":= "},
		"trailing": {"{\n", "{ \n"},
	}[n.Place]
	if !bytes.Contains(files[n.File], []byte(change[0])) {
		n.File = n.Pkg + "/" + n.SplitFile + ".go" // which has all of them
	}
	files[n.File] = bytes.Replace(files[n.File], []byte(change[0]), []byte(change[1]), 1)
}
