package workflow

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/rhysd/actionlint"
)

// maxCombinations is the most that GitHub makes of one matrix.
const maxCombinations = 256

// combinations returns the values of each run of a job; one without values where it has no matrix.
func (j Job) combinations() ([]map[string]any, error) {
	if j.job.Strategy == nil || j.job.Strategy.Matrix == nil {
		return []map[string]any{{}}, nil
	}
	m := j.job.Strategy.Matrix
	if m.Expression != nil || m.Include != nil && m.Include.ContainsExpression() || m.Exclude != nil && m.Exclude.ContainsExpression() {
		return nil, &Unsupported{Line: lineOf(m.Pos), What: "a matrix that an expression makes"}
	}
	all := []map[string]any{{}}
	rows := slices.SortedFunc(maps.Values(m.Rows), func(a, b *actionlint.MatrixRow) int { return cmp.Compare(lineOf(a.Name.Pos), lineOf(b.Name.Pos)) })
	for _, row := range rows {
		var more []map[string]any
		if row.Expression != nil {
			return nil, &Unsupported{Line: lineOf(m.Pos), What: "a matrix that an expression makes"}
		}
		for _, c := range all {
			for _, v := range row.Values {
				with := maps.Clone(c)
				with[strings.ToLower(row.Name.Value)] = rawValue(v)
				more = append(more, with)
			}
		}
		if all = more; len(all) > maxCombinations {
			return nil, &Unsupported{Line: lineOf(m.Pos), What: "a matrix of more than 256 jobs"}
		}
	}
	if m.Exclude != nil {
		for _, x := range m.Exclude.Combinations {
			out := assigned(x)
			all = slices.DeleteFunc(all, func(c map[string]any) bool { return agree(c, out, out) })
		}
	}
	if m.Include != nil {
		all = include(all, m.Include.Combinations, m.Rows)
	}
	return all, nil
}

// include adds values to the combinations that they do not contradict, or else a combination.
func include(all []map[string]any, added []*actionlint.MatrixCombination, rows map[string]*actionlint.MatrixRow) []map[string]any {
	if len(rows) == 0 {
		all = nil
	}
	product := len(all)
	for _, x := range added {
		values := assigned(x)
		of := map[string]any{} // those of the matrix itself, which are never overwritten
		for key, v := range values {
			if rows[key] != nil {
				of[key] = v
			}
		}
		fits := false
		for _, c := range all[:product] {
			if agree(c, of, of) {
				fits = true
				maps.Copy(c, values)
			}
		}
		if !fits {
			all = append(all, values)
		}
	}
	return all
}

func agree(c, values, keys map[string]any) bool {
	for key := range keys {
		if !equal(c[key], values[key]) {
			return false
		}
	}
	return true
}

func assigned(c *actionlint.MatrixCombination) map[string]any {
	values := map[string]any{}
	for key, a := range c.Assigns {
		values[strings.ToLower(key)] = rawValue(a.Value)
	}
	return values
}

func rawValue(v actionlint.RawYAMLValue) any {
	switch v := v.(type) {
	case *actionlint.RawYAMLString:
		return v.Value
	case *actionlint.RawYAMLArray:
		all := make([]any, len(v.Elems))
		for i, element := range v.Elems {
			all[i] = rawValue(element)
		}
		return all
	case *actionlint.RawYAMLObject:
		all := map[string]any{}
		for key, element := range v.Props {
			all[strings.ToLower(key)] = rawValue(element)
		}
		return all
	}
	return nil
}
