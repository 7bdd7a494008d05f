package nearest

import "testing"

func TestName(t *testing.T) {
	have := []string{"S1", "S4", "S9", "sql/lost-update", "lostupdate", "restcrud", "foundations/rest-crud"}
	for want, expect := range map[string]string{
		"S99":             "S9",
		"s44":             "S4",
		"lostupdat":       "lostupdate",
		"lost":            "lostupdate",
		"sql/lostupdate":  "sql/lost-update",
		"RESTCRDU":        "restcrud",
		"foundations/res": "foundations/rest-crud",
	} {
		if got := Name(want, have); got != expect {
			t.Errorf("Name(%q) = %q, want %q", want, got, expect)
		}
	}
	if got := Name("x", nil); got != "" {
		t.Errorf("Name over nothing = %q, want nothing", got)
	}
}
