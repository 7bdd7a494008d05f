package exposition

import (
	"errors"
	"math"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

const page = `# HELP requests_total All requests, by \\ and\nby.
# TYPE requests_total counter
requests_total{method="GET",code="200"} 1027
requests_total{method="POST", code = "200",} 3 1395066363000
# a comment of somebody's

# TYPE took_seconds histogram
# HELP took_seconds How long.
took_seconds_bucket{le="0.3"} 1
took_seconds_bucket{le="+Inf"} 2
took_seconds_sum 1.5e-1
took_seconds_count 2
# TYPE temperature gauge
temperature{place="a \"b\" \\ \n c"} -Inf
loose_count 7
`

func TestParse(t *testing.T) {
	m, err := Parse([]byte(page))
	if err != nil {
		t.Fatal(err)
	}
	if n := m.Samples(); n != 8 {
		t.Errorf("%d samples, want 8", n)
	}
	requests := m.Family("requests_total")
	if requests.Type != "counter" || requests.Help != "All requests, by \\ and\nby." || len(requests.Samples) != 2 {
		t.Errorf("requests_total is %+v", requests)
	}
	if key := requests.Samples[1].Key(); key != `requests_total{code="200",method="POST"}` {
		t.Errorf("the key is %s", key)
	}
	if took := m.Family("took_seconds"); len(took.Samples) != 4 || took.Samples[2].Value != 0.15 || m.Family("took_seconds_sum") != nil {
		t.Errorf("took_seconds is %+v", took)
	}
	if v := m.Family("temperature").Samples[0]; !math.IsInf(v.Value, -1) || v.Labels["place"] != "a \"b\" \\ \n c" {
		t.Errorf("temperature is %+v", v)
	}
	if m.Family("loose_count") == nil || m.Family("nothing") != nil {
		t.Error("a name that ends in _count is a metric where there is no histogram of that name")
	}
}

// refused are pages that a scraper does not take, by what is wrong with them.
var refused = []struct{ page, line, problem string }{
	{"a 1", "1", "does not end with a line feed"},
	{"a 1\r\n", "1", "CR LF"},
	{"a\n", "1", "a name without a value"},
	{"a{} \n", "1", "no value"},
	{"a 1 2 3\n", "1", "more than a value and a timestamp"},
	{"a one\n", "1", `"one" is no number`},
	{"a 1 soon\n", "1", "timestamp"},
	{"http-requests 1\n", "1", "no name of a metric"},
	{"a{b=1} 1\n", "1", "not in quotes"},
	{"a{b=\"1} 1\n", "1", "no closing quote"},
	{"a{b=\"\\x\"} 1\n", "1", "backslash"},
	{"a{b=\"1\" c=\"2\"} 1\n", "1", "a comma or }"},
	{"a{b=\"1\",b=\"2\"} 1\n", "1", "twice"},
	{"a{b-c=\"1\"} 1\n", "1", "a label's name"},
	{"ok 1\n# TYPE a number\n", "2", "no type"},
	{"# TYPE a gauge\n# TYPE a gauge\n", "2", "second TYPE"},
	{"# HELP a x\n# HELP a y\n", "2", "second HELP"},
	{"a 1\n# TYPE a gauge\n", "2", "after its first sample"},
	{"a{b=\"1\"} 1\na{b=\"1\"} 1\n", "2", "the same series as in line 1"},
	{"# TYPE a histogram\na 1\n", "2", "no value of its own"},
	{"{\"a\":1}\n", "1", "no name"},
}

func TestRefuses(t *testing.T) {
	for _, r := range refused {
		_, err := Parse([]byte(r.page))
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), "line "+r.line+": ") || !strings.Contains(err.Error(), r.problem) {
			t.Errorf("%q: %v, want line %s and %q", r.page, err, r.line, r.problem)
		}
	}
}

func TestInteger(t *testing.T) {
	for v, want := range map[float64]bool{0: true, 3: true, -1: false, 0.5: false, math.Inf(1): false} {
		if Integer(v) != want {
			t.Errorf("Integer(%v) is %v", v, !want)
		}
	}
}

// FuzzParse holds the parser to that of Prometheus: what it takes, that one takes
// as well, with the same values.
func FuzzParse(f *testing.F) {
	f.Add([]byte(page))
	for _, r := range refused {
		f.Add([]byte(r.page))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := Parse(text)
		if err != nil {
			return
		}
		var p expfmt.TextParser
		families, err := p.TextToMetricFamilies(strings.NewReader(string(text)))
		if err != nil {
			t.Fatalf("Prometheus refuses what was taken: %v\n%s", err, text)
		}
		for _, ours := range m.Families {
			if ours.Type == "histogram" || ours.Type == "summary" || len(ours.Samples) == 0 {
				continue
			}
			theirs := families[ours.Name]
			if theirs == nil || len(theirs.Metric) != len(ours.Samples) {
				t.Fatalf("%s has %d samples here, and %v in Prometheus\n%s", ours.Name, len(ours.Samples), theirs, text)
			}
			for i, s := range ours.Samples {
				if v := value(theirs.Metric[i]); v != s.Value && !(math.IsNaN(v) && math.IsNaN(s.Value)) {
					t.Fatalf("%s is %v here, and %v in Prometheus\n%s", s.Key(), s.Value, v, text)
				}
			}
		}
	})
}

func value(m *dto.Metric) float64 {
	switch {
	case m.Counter != nil:
		return m.Counter.GetValue()
	case m.Gauge != nil:
		return m.Gauge.GetValue()
	default:
		return m.Untyped.GetValue()
	}
}
