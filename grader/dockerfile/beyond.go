package dockerfile

import (
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// onlyBuildKit are flags that builders other than BuildKit refuse, by instruction.
var onlyBuildKit = map[string][]string{
	"FROM":        {"--platform"},
	"RUN":         {"--mount", "--network", "--security", "--device"},
	"COPY":        {"--link", "--chmod", "--parents", "--exclude"},
	"ADD":         {"--link", "--chmod", "--exclude", "--checksum", "--keep-git-dir", "--unpack"},
	"HEALTHCHECK": {"--start-interval"},
}

// Beyond is what only BuildKit understands, in the order of the lines.
func (f *File) Beyond() []Place {
	var all []Place
	if syntax, _, at, ok := parser.DetectSyntax(f.source); ok && len(at) > 0 {
		line := at[0].Start.Line
		all = append(all, Place{Line: line, Text: f.line(line), What: "the line # syntax=" + syntax})
	}
	for _, n := range f.nodes {
		name := strings.ToUpper(n.Value)
		add := func(what string) {
			all = append(all, Place{Line: n.StartLine, Text: oneLine(strings.SplitN(n.Original, "\n", 2)[0]), What: what})
		}
		for _, flag := range n.Flags {
			flag, _, _ = strings.Cut(flag, "=")
			if slices.Contains(onlyBuildKit[name], flag) {
				add(name + " " + flag)
			}
		}
		if len(n.Heredocs) > 0 {
			add(name + " <<" + n.Heredocs[0].Name)
		}
	}
	slices.SortStableFunc(all, func(a, b Place) int { return a.Line - b.Line })
	return all
}
