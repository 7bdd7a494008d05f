package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/cairn-learn/cairn/internal/editor"
)

// What a disk must have free: builds need some hundred megabytes, and a full
// disk under the engine stops every server.
const (
	leastFree = 300 << 20
	wiseFree  = 2 << 30
)

const dockerData = "/var/lib/docker"

// checkDisk looks at the disks that builds and servers write to.
func (s Subject) checkDisk(ctx context.Context, host *hostOnce) finding {
	places := []Folder{{"temporary files", os.TempDir()}}
	if dir, err := os.UserCacheDir(); err == nil {
		places = append(places, Folder{"cache", dir})
	}
	if info, err := host.info(ctx); err == nil && strings.HasPrefix(info.Engine.Host, "unix:") {
		if _, err := os.Stat(dockerData); err == nil { // elsewhere on Docker Desktop, in its own machine
			places = append(places, Folder{"Docker", dockerData})
		}
	}
	least, where, seen := int64(-1), "", []string{}
	for _, p := range places {
		free, err := freeBytes(p.Path)
		if err != nil {
			continue // a folder that is not there yet, or the engine's own, is no fault of the disk
		}
		seen = append(seen, fmt.Sprintf("%s %s", p.Name, size(free)))
		if least < 0 || free < least {
			least, where = free, p.Path
		}
	}
	free := "Free some space on the disk of " + where + "; go clean -cache and docker system prune often give most."
	saw := "free: " + strings.Join(seen, ", ")
	switch {
	case least < 0:
		return warn("Set TMPDIR to a folder that exists.", "the free space of %s cannot be read", os.TempDir())
	case least < leastFree:
		return fault(free, "%s", saw)
	case least < wiseFree:
		return warn(free, "%s", saw)
	}
	return fine("%s", saw)
}

// freeBytes is what an ordinary user may still write below path, or below its
// nearest parent that exists.
func freeBytes(path string) (int64, error) {
	var st unix.Statfs_t
	err := unix.Statfs(path, &st)
	for errors.Is(err, unix.ENOENT) && path != filepath.Dir(path) {
		path = filepath.Dir(path)
		err = unix.Statfs(path, &st)
	}
	if err != nil {
		return 0, fmt.Errorf("free space of %s: %w", path, err)
	}
	return int64(st.Bavail) * int64(st.Bsize), nil //nolint:unconvert // the types differ between systems
}

func size(n int64) string {
	if n < 1<<30 {
		return fmt.Sprintf("%d MB", n>>20)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
}

// checkFolders tries to write where cairn writes.
func (s Subject) checkFolders(context.Context) finding {
	var paths []string
	for _, f := range s.Folders {
		if f.Path == "" || !filepath.IsAbs(f.Path) {
			return fault("Set HOME to your home folder.", "no place for cairn's %s: HOME is not set", f.Name)
		}
		if err := tryWrite(f.Path); err != nil {
			return fault(fmt.Sprintf("Make %s writable, or set %s to a folder that is.", f.Path, variable(f.Name)),
				"cairn's %s cannot be written: %s", f.Name, err)
		}
		paths = append(paths, f.Name+" "+f.Path)
	}
	return fine("%s", strings.Join(paths, ", "))
}

// variable is what moves a folder elsewhere.
func variable(name string) string {
	if name == "temporary files" {
		return "TMPDIR"
	}
	return "XDG_" + strings.ToUpper(name) + "_HOME"
}

func tryWrite(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString("x")
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}

func (s Subject) checkEditor(context.Context) finding {
	e, err := editor.Find(s.Editor)
	switch {
	case errors.Is(err, editor.ErrNone):
		return fault("Set EDITOR to the command that starts your editor, for example export EDITOR=nano.", "EDITOR is not set and no known editor is installed")
	case err != nil:
		saw, do := split(err)
		return fault(do, "%s", saw)
	case e.Source == "PATH":
		return fine("%s, the first one found; EDITOR chooses another", e)
	}
	return fine("%s, from %s", e, e.Source)
}

func (s Subject) checkSettings(context.Context) finding {
	file, err := s.Settings()
	switch {
	case err != nil:
		return fault("Correct that place; until then cairn goes by its defaults and leaves the file alone.", "%s", firstLine(err))
	case file == "":
		return fine("none, cairn goes by its defaults")
	}
	return fine("%s", file)
}

// checkTerminal never finds a fault: every part of cairn has a plain form.
func checkTerminal(context.Context) finding {
	kind := os.Getenv("TERM")
	if !term.IsTerminal(int(os.Stdout.Fd())) {
		return fine("output goes elsewhere, so cairn writes plain text")
	}
	width, height, err := term.GetSize(int(os.Stdout.Fd()))
	switch {
	case kind == "" || kind == "dumb":
		return warn("Set TERM, for example to xterm-256color; until then cairn writes plain text.", "TERM is %q", kind)
	case err != nil:
		return warn("Use another terminal, or pipe cairn's output.", "the size cannot be read: %s", err)
	case width < 80 || height < 24:
		return warn("Make the window at least 80 columns wide and 24 lines high.", "%s, %d columns by %d lines", kind, width, height)
	case !utf8Locale():
		return warn("Set LANG to a UTF-8 locale such as C.UTF-8; until then signs are plain letters.", "%s, %d by %d, but the locale is not UTF-8", kind, width, height)
	}
	return fine("%s, %d by %d, %s, UTF-8", kind, width, height, colours(kind))
}

func utf8Locale() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(os.Getenv(name)); v != "" {
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return false
}

func colours(kind string) string {
	switch c := os.Getenv("COLORTERM"); {
	case os.Getenv("NO_COLOR") != "":
		return "no colours (NO_COLOR)"
	case c == "truecolor" || c == "24bit" || strings.HasSuffix(kind, "-direct"):
		return "16 million colours"
	case strings.Contains(kind, "256color"):
		return "256 colours"
	}
	return "16 colours"
}

func (s Subject) checkWorkspace(context.Context) finding {
	root, err := s.Workspace()
	switch {
	case err == nil && root != "":
		return fine("%s", root)
	case err == nil:
		return warn("Run cairn init to make one, or go into the one you have.", "%s is in no workspace", s.Dir)
	}
	return fault("Correct that, or make a new workspace elsewhere with cairn init.", "%s", firstLine(err))
}

// split parts an error of package editor, "what happened: what to do".
func split(err error) (saw, do string) {
	text := err.Error()
	i := strings.LastIndex(text, ": ")
	if i < 0 {
		return text, "Set EDITOR to the command that starts your editor."
	}
	return text[:i], sentence(text[i+2:])
}
