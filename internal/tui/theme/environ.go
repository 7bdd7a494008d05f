package theme

import (
	"strconv"
	"strings"
)

// Settings are what the environment says about looks.
type Settings struct {
	NoColour bool // NO_COLOR is set to anything, or nothing can show colours
	ASCII    bool // the terminal or the locale knows no Unicode
	Fixed    Name // CAIRN_THEME=light or dark; empty asks the terminal
}

// FromEnviron reads the settings from an environment as os.Environ returns it.
// NO_COLOR wins over CLICOLOR_FORCE, as both of their pages ask.
func FromEnviron(environ []string) Settings {
	env := lookup(environ)
	s := Settings{NoColour: env("NO_COLOR") != ""}
	term := env("TERM")
	s.ASCII = term == "linux" || asciiLocale(env)
	if env("CLICOLOR") == "0" && !forced(env("CLICOLOR_FORCE")) {
		s.NoColour = true
	}
	switch strings.ToLower(env("CAIRN_THEME")) {
	case "light":
		s.Fixed = Light
	case "dark":
		s.Fixed = Dark
	}
	return s
}

// Normalise returns the environment in the form that the colour detection
// understands: it reads NO_COLOR and CLICOLOR_FORCE as booleans, so that
// NO_COLOR=yes would count for nothing.
func Normalise(environ []string) []string {
	out := make([]string, 0, len(environ))
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		switch {
		case name == "NO_COLOR" && value != "":
			kv = "NO_COLOR=1"
		case name == "CLICOLOR_FORCE" && forced(value):
			kv = "CLICOLOR_FORCE=1"
		}
		out = append(out, kv)
	}
	return out
}

func forced(value string) bool {
	if value == "" {
		return false
	}
	on, err := strconv.ParseBool(value)
	return err != nil || on
}

func asciiLocale(env func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := env(name); v != "" {
			return v == "C" || v == "POSIX"
		}
	}
	return false
}

func lookup(environ []string) func(string) string {
	m := make(map[string]string, len(environ))
	for _, kv := range environ {
		if name, value, ok := strings.Cut(kv, "="); ok {
			m[name] = value
		}
	}
	return func(name string) string { return m[name] }
}
