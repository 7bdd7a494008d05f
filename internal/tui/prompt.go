package tui

import (
	"os"
	"path/filepath"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cairn-learn/cairn/internal/tui/component"
	"github.com/cairn-learn/cairn/internal/workspace"
)

// defaultFolder is where a learner's files go unless they say otherwise. It is
// not ~/cairn, where a clone of cairn often lies.
const defaultFolder = "~/cairn-work"

// askWorkspace asks in one line where the learner wants to write.
func (a *app) askWorkspace() tea.Cmd {
	if a.prompt != nil || a.making || a.workspace.Load() != nil {
		return nil
	}
	a.prompt = component.NewPrompt("Your files go to (enter makes it, esc: not now):", defaultFolder)
	return nil
}

func (a *app) pressPrompt(msg tea.KeyPressMsg) tea.Cmd {
	switch {
	case key.Matches(msg, a.promptKeys.Cancel):
		a.prompt = nil
	case key.Matches(msg, a.promptKeys.Accept):
		dir := strings.TrimSpace(a.prompt.Value())
		if dir == "" {
			return nil
		}
		a.prompt, a.making = nil, true
		return a.makeWorkspace(dir)
	default:
		a.prompt.Update(msg)
	}
	return nil
}

// makeWorkspace makes a workspace of a folder, or opens the one that it is.
func (a *app) makeWorkspace(dir string) tea.Cmd {
	catalogue, version, made := a.opts.Road.Catalogue, a.opts.Version, a.opts.Made
	return func() tea.Msg {
		dir, err := expandHome(dir)
		if err != nil {
			return workspaceMadeMsg{err: err}
		}
		ws, err := workspace.Init(dir, catalogue, version)
		if err == nil && made != nil {
			made(ws)
		}
		return workspaceMadeMsg{workspace: ws, err: err}
	}
}

func expandHome(dir string) (string, error) {
	rest, ok := strings.CutPrefix(dir, "~")
	if !ok || rest != "" && !strings.HasPrefix(rest, string(filepath.Separator)) {
		return dir, nil
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, rest), err
}
