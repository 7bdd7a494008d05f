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
	freshKey = "the signing key"
	gitToken = "the token of the pipeline"
	deskKey  = "the signing key of your desk"
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
		f.Saw = fmt.Sprintf("%s stands in %s of the image, at %s. The values of an ARG are kept with each RUN that follows it in its stage", t.Secret, t.In, at(t.Line, t.Text))
	case t.Gone:
		f.Saw = fmt.Sprintf("%s, in the file /%s, which came with %s. Something later removes the file, and no container sees it; the layer of that line still has it", t.Secret, t.File, at(t.Line, t.Text))
	case strings.HasSuffix(t.File, ".env") || strings.Contains(t.File, ".git/"):
		f.Saw = fmt.Sprintf("%s, in the file /%s, which came with %s", t.Secret, t.File, at(t.Line, t.Text))
		f.Detail = "This is the place to begin. Keep the file out of the build, which is what .dockerignore is for, or have COPY name what the program is made of."
	default:
		f.Saw = fmt.Sprintf("%s, inside of the file /%s: a step of the build wrote it there", t.Secret, t.File)
	}
	f.Detail = strings.TrimSpace(others(found[1:]) + "\n" + f.Detail)
	c.Fail(f)
}

// at names a line of the Dockerfile.
func at(line int, text string) string {
	if line == 0 {
		return "the base"
	}
	if len(text) > 48 {
		text = text[:47] + "…"
	}
	return fmt.Sprintf("line %d (%s)", line, text)
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
		if line := "also " + t.Secret + ", in " + place; !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
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
	var removing exam.ImageLayer
	for _, l := range img.Layers {
		if strings.HasPrefix(l.Text, "RUN ") && strings.Contains(l.Text, "rm -r") {
			removing = l
		}
	}
	_, compiler := img.File("usr/local/go/bin/go")
	switch {
	case removing.Line > 0 && strings.HasPrefix(img.Base, "golang"):
		f.Saw += fmt.Sprintf(". A layer only adds: what %s takes away is still in the layers below, and is shipped and stored", at(removing.Line, removing.Text))
	case strings.HasPrefix(img.Base, "golang"):
		f.Saw += fmt.Sprintf(". The last stage begins with %s, so the compiler, its sources and a whole Debian are part of the image", img.Base)
	case compiler:
		f.Saw += ". Go itself was copied into the last stage"
	}
	f.Detail = layers(img)
	c.Fail(f)
}

// layers lists what there is of some size, line by line.
func layers(img *exam.Image) string {
	var base int64
	var lines []string
	for _, l := range img.Layers {
		switch {
		case l.Line == 0:
			base += l.Size
		case l.Size > 100_000:
			lines = append(lines, fmt.Sprintf("%10s  %s", megabytes(l.Size), at(l.Line, l.Text)))
		}
	}
	if base > 0 {
		lines = append([]string{fmt.Sprintf("%10s  the base %s", megabytes(base), img.Base)}, lines...)
	}
	return strings.Join(lines, "\n")
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
