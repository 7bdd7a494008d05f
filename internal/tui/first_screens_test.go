package tui

import (
	"fmt"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/cairn-learn/cairn/internal/tui/firststart"
	"github.com/cairn-learn/cairn/internal/workspace"
)

// firstScenes are the screens of the first start.
var firstScenes = []struct {
	name string
	meet func(n *newcomer)
}{
	{"first-path", func(*newcomer) {}},
	{"first-editor", func(n *newcomer) { n.press("enter", "j") }},
	{"first-command", func(n *newcomer) {
		n.press("enter", "j", "j", "enter")
		n.send(tea.PasteMsg{Content: "emcas"})
		n.press("enter")
	}},
	{"first-folder", func(n *newcomer) { n.press("enter", "enter") }},
	{"first-fetching", func(n *newcomer) { n.press("enter", "enter"); n.answer() }},
	{"first-failed", func(n *newcomer) {
		n.press("enter", "enter")
		n.answer()
		n.goes("fetch example.com/pgx@v5: lookup proxy.golang.org: no such host; check the network and go env GOPROXY, then run: cairn init")
	}},
	{"paths", func(n *newcomer) { n.toTheRoad(); n.press("p") }},
	{"roadmap-path", (*newcomer).toTheRoad},
}

// toTheRoad answers all questions, takes the other path, and leaves the lesson.
func (n *newcomer) toTheRoad() {
	n.press("j", "enter", "enter")
	n.answer()
	n.goes("", "")
	n.press("enter", "q")
}

func TestFirstStartScreens(t *testing.T) {
	looks := map[string][]string{
		"dark":  {"CAIRN_THEME=dark", "LANG=C.UTF-8"},
		"light": {"CAIRN_THEME=light", "LANG=C.UTF-8"},
		"plain": {"NO_COLOR=yes", "LANG=C.UTF-8"},
		"ascii": {"NO_COLOR=1", "LANG=C"},
	}
	for _, scene := range firstScenes {
		for _, size := range [][2]int{{80, 24}, {120, 40}} {
			for look, environ := range looks {
				if size[0] == 120 && (look == "light" || look == "ascii") {
					continue
				}
				name := fmt.Sprintf("%s-%dx%d-%s", scene.name, size[0], size[1], look)
				t.Run(name, func(t *testing.T) {
					n := meet(t, size[0], size[1], environ, atHome)
					scene.meet(n)
					frame := n.frame()
					fits(t, frame, size[0], size[1])
					if look == "ascii" && ansi.Strip(frame) != strings.Map(onlyASCII, ansi.Strip(frame)) {
						t.Errorf("an ASCII frame holds other characters:\n%s", frame)
					}
					golden(t, name, frame)
				})
			}
		}
	}
}

// atHome gives the newcomer of the pictures a home whose name is always the same.
func atHome(o *Options) {
	o.First.Home = "/home/ada"
	o.First.Settle = func(a firststart.Answers) (*workspace.Workspace, error, error) {
		return &workspace.Workspace{Dir: a.Folder}, nil, nil
	}
}

func TestFirstStartFitsEverySize(t *testing.T) {
	for _, scene := range firstScenes {
		n := meet(t, 80, 24, nil, atHome)
		scene.meet(n)
		for _, size := range [][2]int{{60, 16}, {71, 19}, {160, 50}, {80, 24}} {
			n.take(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
			fits(t, n.frame(), size[0], size[1])
		}
		n.take(tea.WindowSizeMsg{Width: 59, Height: 15})
		n.wants("cairn needs a window of 60 by 16")
	}
}
