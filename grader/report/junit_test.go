package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func raced() Report {
	r := lost()
	r.Checks = r.Checks[:1]
	r.Reason, r.Next = "every check passed, but the race detector found something", "put both places under a lock"
	r.Diagnostics = []Diagnostic{{File: "restcrud.go", Line: 3, Message: "is written here"}}
	return r
}

// node is an element of XML, whatever it is.
type node struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
	Nodes   []node     `xml:",any"`
	Text    string     `xml:",chardata"`
}

func (n *node) attr(t *testing.T, name string) string {
	t.Helper()
	for _, a := range n.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	t.Errorf("<%s> has no attribute %s", n.XMLName.Local, name)
	return ""
}

func (n *node) number(t *testing.T, name string) int {
	t.Helper()
	v, err := strconv.Atoi(n.attr(t, name))
	if err != nil || v < 0 {
		t.Errorf("%s of <%s> is no count: %v", name, n.XMLName.Local, err)
	}
	return v
}

// only holds attributes and elements to those that are known.
func (n *node) only(t *testing.T, attrs, nodes string) {
	t.Helper()
	for _, a := range n.Attrs {
		if !slices.Contains(strings.Fields(attrs), a.Name.Local) {
			t.Errorf("<%s> has an attribute %s", n.XMLName.Local, a.Name.Local)
		}
	}
	order := strings.Fields(nodes)
	last := 0
	for _, c := range n.Nodes {
		at := slices.Index(order, c.XMLName.Local)
		if at < 0 || at < last {
			t.Errorf("<%s> stands in <%s> where it may not", c.XMLName.Local, n.XMLName.Local)
		}
		last = at
	}
}

// The patterns of the schemas: Ant's time stamp without a zone, and Jenkins' times
// with three decimals.
var (
	stampForm = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$`)
	timeForm  = regexp.MustCompile(`^\d{1,9}\.\d{3}$`)
)

// valid checks what the two schemas in use ask for: junit.xsd of Ant's format, in
// which the order counts and hardly anything is optional, and Jenkins' junit-10.
func valid(t *testing.T, doc []byte) *node {
	t.Helper()
	var root node
	if err := xml.Unmarshal(doc, &root); err != nil {
		t.Fatalf("%v in\n%s", err, doc)
	}
	if root.XMLName.Local != "testsuites" || len(root.Nodes) != 1 {
		t.Fatalf("the root is <%s> with %d suites", root.XMLName.Local, len(root.Nodes))
	}
	root.only(t, "", "testsuite")
	suite := &root.Nodes[0]
	suite.only(t, "package id name timestamp hostname tests failures errors skipped time", "properties testcase system-out system-err")
	for _, must := range []string{"package", "id", "name", "hostname"} {
		if suite.attr(t, must) == "" {
			t.Errorf("the suite's %s is empty", must)
		}
	}
	if v := suite.attr(t, "timestamp"); !stampForm.MatchString(v) {
		t.Errorf("time stamp %q", v)
	}
	counts, others := map[string]int{}, map[string]int{}
	for i := range suite.Nodes {
		n := &suite.Nodes[i]
		switch n.XMLName.Local {
		case "properties":
			n.only(t, "", "property")
			for j := range n.Nodes {
				n.Nodes[j].only(t, "name value", "")
			}
		case "testcase":
			validCase(t, n, counts)
			continue
		}
		others[n.XMLName.Local]++
	}
	for _, must := range []string{"properties", "system-out", "system-err"} {
		if others[must] != 1 {
			t.Errorf("%d <%s>, want one", others[must], must)
		}
	}
	if v := suite.attr(t, "time"); !timeForm.MatchString(v) {
		t.Errorf("time %q", v)
	}
	for name, of := range map[string]string{"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"} {
		if got := suite.number(t, name); got != counts[of] {
			t.Errorf("%s is %d, and there are %d", name, got, counts[of])
		}
	}
	return suite
}

func validCase(t *testing.T, n *node, counts map[string]int) {
	t.Helper()
	counts["testcase"]++
	n.only(t, "name classname time", "skipped error failure")
	if n.attr(t, "name") == "" || n.attr(t, "classname") == "" || !timeForm.MatchString(n.attr(t, "time")) {
		t.Errorf("test case %+v", n.Attrs)
	}
	if len(n.Nodes) > 1 {
		t.Errorf("a test case has %d outcomes", len(n.Nodes))
	}
	for i := range n.Nodes {
		counts[n.Nodes[i].XMLName.Local]++
		n.Nodes[i].only(t, "message type", "")
		if n.Nodes[i].XMLName.Local != "skipped" && n.Nodes[i].attr(t, "type") == "" {
			t.Error("an outcome has no type")
		}
	}
}

func junit(t *testing.T, r Report, o TextOptions) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteJUnit(&b, r, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWriteJUnit(t *testing.T) {
	passed := lost()
	passed.Verdict, passed.Checks = Passed, passed.Checks[:1]
	ungraded := Report{Exercise: "lostupdate", Verdict: Ungraded, Reason: "Docker is not running", Next: "start Docker"}
	tests := []struct {
		name                      string
		report                    Report
		cases, fail, errors, skip int
		holds                     []string
	}{
		{"failed", lost(), 6, 2, 0, 3, []string{
			`classname="lostupdate.two" time="1.300"`, `message="both got 200; the balance is 70"`,
			"Did       two clients", "Expected  balance 40", "Saw       both got", "Why       Read, compute", "Read on   sql/lost-update", "goroutine 1 [running]",
			`<skipped message="did not run, because “two withdrawals`,
		}},
		{"passed", passed, 1, 0, 0, 0, []string{`name="verdict" value="passed"`}},
		{"broken", broken(), 1, 1, 0, 0, []string{`name="builds" classname="restcrud.build"`, `type="broken"`, "restcrud.go:12:3: undefined: fmt"}},
		{"limit", limit(), 1, 1, 0, 0, []string{`type="limit"`, "allocating\uFFFD[2J\n"}},
		{"races", raced(), 2, 1, 0, 0, []string{`name="is free of data races"`, "restcrud.go:3: is written here"}},
		{"ungraded", ungraded, 1, 0, 1, 0, []string{`name="is graded"`, `message="Docker is not running"`, "Start Docker."}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc := junit(t, tt.report, TextOptions{})
			s := valid(t, []byte(doc))
			got := fmt.Sprint(s.number(t, "tests"), s.number(t, "failures"), s.number(t, "errors"), s.number(t, "skipped"))
			if want := fmt.Sprint(tt.cases, tt.fail, tt.errors, tt.skip); got != want {
				t.Errorf("tests, failures, errors, skipped are %s, want %s", got, want)
			}
			for _, want := range tt.holds {
				if !strings.Contains(strings.ReplaceAll(strings.ReplaceAll(doc, "&#xA;", "\n"), "&#34;", `"`), want) {
					t.Errorf("%q is missing in\n%s", want, doc)
				}
			}
		})
	}
}

// TestJUnitEvidence holds that the evidence option counts here too.
func TestJUnitEvidence(t *testing.T) {
	for evidence, want := range map[Evidence]bool{Short: true, Full: true, None: false} {
		if got := strings.Contains(junit(t, lost(), TextOptions{Evidence: evidence}), "What happened"); got != want {
			t.Errorf("evidence %d: shown is %v, want %v", evidence, got, want)
		}
	}
}

// FuzzJUnit holds that whatever a program prints, the XML can be read and tells
// as many failures as there are.
func FuzzJUnit(f *testing.F) {
	f.Add("]]> <![CDATA[ & <failure/> \x00\x1b[31m\ufffe\xff", "title\n\"quoted\"", int64(time.Second))
	f.Add("\r\n\t\u0085\u2028", "", int64(-1))
	f.Fuzz(func(t *testing.T, text, title string, took int64) {
		r := lost()
		r.Log, r.Reason, r.Title = text, text, title
		r.Started = time.Unix(took%(1<<33), 0)
		r.Checks[1].Feedback = &Feedback{Did: text, Saw: text, Detail: text}
		r.Checks[1].Title = "x" + title
		r.Checks[1].Duration = time.Duration(took % int64(24*time.Hour))
		doc := junit(t, r, TextOptions{})
		s := valid(t, []byte(doc))
		if s.number(t, "tests") != 6 || s.number(t, "failures") != 2 {
			t.Errorf("the text changed the counts:\n%s", doc)
		}
	})
}
