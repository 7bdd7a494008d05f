package exam

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

// What the secrets are called in feedback.
const (
	freshKey = "the signing key of .env, which the pipeline also passes as the build argument SIGNING_KEY"
	gitToken = "the token in .git/config"
	deskKey  = "the signing key of the .env on your desk"
)

// desk is what the .env that the learner has says.
const desk = "desk-7f3c9a51e8b24d06"

// builds builds the image in a checkout with secrets of this grade.
func builds(c *exam.C) {
	key, token := secret(c), secret(c)
	img := c.BuildImage(exam.ImageBuild{
		Files: map[string][]byte{
			".env":                    []byte("# For the desk. The real key is the platform's.\nSIGNING_KEY=" + key + "\nPORT=8080\n"),
			".git/HEAD":               []byte("ref: refs/heads/main\n"),
			".git/config":             []byte("[remote \"origin\"]\n\turl = https://ci:" + token + "@git.example.com/turnstile.git\n"),
			".git/objects/info/packs": nil, // git knows a repository by these folders
			".git/refs/tags/.keep":    nil,
		},
		Args:    map[string]string{"SIGNING_KEY": key},
		Secrets: map[string]string{freshKey: key, gitToken: token, deskKey: desk},
	})
	if img.Config.Entrypoint == nil && img.Config.Cmd == nil {
		c.Fail(exam.Finding{
			Did: "built the image, and read its configuration", Expected: "an ENTRYPOINT or a CMD", Saw: "neither: the image does not say what to run",
			Why: "Whoever starts the image would have to know what is in it.",
		})
	}
}

// secret is a value that nobody has seen before.
func secret(c *exam.C) string {
	var b strings.Builder
	for range 3 {
		fmt.Fprintf(&b, "%08x", c.Int(0, 1<<32-1))
	}
	return b.String()
}

// secrets looks at what the layers and the configuration tell.
func secrets(c *exam.C) {
	img := c.Image()
	if len(img.Found) == 0 {
		return
	}
	found := slices.Clone(img.Found)
	slices.SortStableFunc(found, func(a, b exam.Trace) int { return rank(a) - rank(b) })
	t := found[0]
	f := exam.Finding{
		Did:      "saved the image, and read every file of every layer, the environment and the history",
		Expected: "no secret in any of them",
	}
	switch {
	case t.In == "the environment":
		f.Saw = t.Secret + " stands in the environment of the image. docker inspect shows it to whoever has the image; an ENV is for what everybody may know"
	case t.In != "":
		f.Saw = fmt.Sprintf("%s stands in %s of the image, at %s. The values of an ARG are kept with each RUN that follows it in the same stage", t.Secret, t.In, shorten(t.By))
	case t.Gone:
		f.Saw = fmt.Sprintf("%s, in the file /%s. A later instruction removes the file, and no container sees it; the layer of %s still has it", t.Secret, t.File, shorten(t.By))
	case strings.HasSuffix(t.File, ".env") || strings.Contains(t.File, ".git/"):
		f.Saw = fmt.Sprintf("%s, in the file /%s, which came with %s", t.Secret, t.File, shorten(t.By))
	default:
		f.Saw = fmt.Sprintf("%s, inside of the file /%s: the build wrote it there", t.Secret, t.File)
	}
	f.Detail = others(found[1:])
	if img.Size() > most {
		f.Detail = strings.TrimSpace(f.Detail + "\nThis is the place to begin: keep the files out of the build, which .dockerignore can do, or name in COPY what is needed.")
	}
	c.Fail(f)
}

// rank orders what is found: the most telling first.
func rank(t exam.Trace) int {
	switch {
	case t.In == "the environment":
		return 0
	case t.In != "":
		return 1
	case t.Gone:
		return 2
	}
	return 3
}

// others lists what else was found.
func others(found []exam.Trace) string {
	var lines []string
	for _, t := range found {
		place := t.In
		if t.File != "" {
			place = "/" + t.File
		}
		if line := "also " + place + ": " + t.Secret; !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// shorten cuts what builders put in place of names that they do not know.
func shorten(by string) string {
	words := strings.Fields(by)
	for i, w := range words {
		if strings.HasPrefix(w, "file:") || strings.HasPrefix(w, "dir:") || strings.HasPrefix(w, "multi:") {
			words[i] = "…"
		}
	}
	text := strings.Join(words, " ")
	if strings.HasPrefix(text, "RUN |") { // with the arguments of the build
		if _, command, ok := strings.Cut(text, "/bin/sh -c "); ok {
			text = "RUN " + command
		}
	}
	if len(text) > 60 {
		text = text[:57] + "…"
	}
	return text
}

// small adds up the layers.
func small(c *exam.C) {
	img := c.Image()
	size := img.Size()
	if size <= most {
		return
	}
	f := exam.Finding{
		Did:      "added up the files of all layers",
		Expected: "at most 20 MB",
		Saw:      megabytes(size),
	}
	last := c.Dockerfile().Last()
	var removing string
	for _, in := range last.Find("RUN") {
		if strings.Contains(in.Text, "rm -r") {
			removing = fmt.Sprintf("line %d: %s", in.Line, in.Text)
		}
	}
	_, compiler := img.File("usr/local/go/bin/go")
	switch {
	case removing != "":
		f.Saw += ". A layer only adds: what " + removing + " takes away is still in the layers below, and is shipped and stored"
	case strings.HasPrefix(last.Base, "golang"):
		f.Saw += fmt.Sprintf(". The last stage begins with %s, so the compiler, its sources and a whole Debian are part of the image", last.Base)
	case compiler:
		f.Saw += ". Go itself was copied into the last stage"
	}
	var lines []string
	for i, l := range img.Layers {
		by := shorten(l.By)
		if i == 0 && by == "" {
			by = "(the base)"
		}
		if l.Size > 100_000 {
			lines = append(lines, fmt.Sprintf("%8s  %s", megabytes(l.Size), by))
		}
	}
	if len(lines) > 12 {
		lines = lines[len(lines)-12:]
	}
	f.Detail = strings.Join(lines, "\n")
	c.Fail(f)
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

// user looks at whom the image runs as. A platform that is told never to run root can only tell by
// a number.
func user(c *exam.C) {
	img := c.Image()
	name, _, _ := strings.Cut(img.Config.User, ":")
	f := exam.Finding{
		Did:      "read the configuration of the image",
		Expected: "USER with a number other than 0, or a base that sets one",
		Saw:      "USER " + img.Config.User,
	}
	n, err := strconv.Atoi(name)
	_, passwd := img.File("etc/passwd")
	switch {
	case name == "":
		f.Saw = "no USER: the program runs as root"
	case name == "root" || err == nil && n == 0:
		f.Saw += ", which is root"
	case err == nil:
		return
	case !passwd:
		f.Saw += ": a name, and there is no /etc/passwd in the image that would give it a number"
	default:
		f.Saw += ": a name. A platform that refuses root (runAsNonRoot in Kubernetes) does not look into the image for its number, and refuses this one too"
	}
	c.Fail(f)
}
