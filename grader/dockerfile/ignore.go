package dockerfile

import (
	"bytes"
	"fmt"
	"maps"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// Context returns the files of a build context without those that its .dockerignore names, as a
// client sends them to a builder. The error says what is wrong with a pattern.
func Context(files map[string][]byte) (map[string][]byte, error) {
	ignore, there := files[".dockerignore"]
	if !there {
		return maps.Clone(files), nil
	}
	patterns, err := ignorefile.ReadAll(bytes.NewReader(ignore))
	if err != nil {
		return nil, fmt.Errorf("read .dockerignore: %w", err)
	}
	m, err := patternmatcher.New(patterns)
	if err != nil {
		return nil, fmt.Errorf("read .dockerignore: %w", err)
	}
	kept := map[string][]byte{}
	for name, content := range files {
		out, err := m.MatchesOrParentMatches(name)
		if err != nil {
			return nil, fmt.Errorf("read .dockerignore: %w", err)
		}
		// A builder needs these two, whatever the file says.
		if !out || name == "Dockerfile" || name == ".dockerignore" {
			kept[name] = content
		}
	}
	return kept, nil
}
