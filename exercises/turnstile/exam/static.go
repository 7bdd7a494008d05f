package exam

import (
	"fmt"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

// bases looks at what the file begins with and copies from.
func bases(c *exam.C) {
	for _, use := range c.Dockerfile().Images() {
		name := strings.TrimPrefix(strings.TrimPrefix(use.What, "docker.io/"), "library/")
		if name == builder || name == distroless {
			continue
		}
		f := exam.Finding{
			Did:      fmt.Sprintf("read the Dockerfile, line %d: %s", use.Line, use.Text),
			Expected: strings.Join([]string{builder, distroless, "scratch"}, ", ") + ", or a stage of the file",
			Saw:      use.What,
		}
		repository, tag := split(name)
		switch {
		case strings.Contains(name, "@"):
			f.Saw += ": the base is pinned by its digest, which the task asks you not to do here: a machine without a registry has these bases under their names alone"
		case repository == "golang" && tag == "latest":
			f.Saw += ": that is another compiler on each machine and on each day"
		case repository == "golang":
			f.Saw += ": another tag of golang than the one that the house has agreed on"
		case strings.HasPrefix(repository, "gcr.io/distroless/"):
			f.Saw += ": a distroless image, and not the one that the house has agreed on"
		default:
			f.Saw += ": no base that the house has agreed on"
		}
		c.Fail(f)
	}
}

// split takes a name of an image apart.
func split(name string) (repository, tag string) {
	at := strings.LastIndexByte(name, ':')
	if at < 0 || strings.Contains(name[at:], "/") {
		return name, "latest"
	}
	return name[:at], name[at+1:]
}

// plain looks for what only some builders understand, and for what the builder would fetch.
func plain(c *exam.C) {
	f := c.Dockerfile()
	for _, place := range f.Beyond() {
		c.Fail(exam.Finding{
			Did:      fmt.Sprintf("read the Dockerfile, line %d: %s", place.Line, place.Text),
			Expected: "instructions that builders other than BuildKit understand as well",
			Saw:      place.What + ", which only BuildKit understands",
		})
	}
	for _, in := range f.All("ONBUILD") {
		c.Fail(exam.Finding{
			Did:      fmt.Sprintf("read the Dockerfile, line %d: %s", in.Line, in.Text),
			Expected: "instructions that are carried out where they stand",
			Saw:      "ONBUILD, which is carried out in another stage or another file than the one in which it is read",
		})
	}
	for _, place := range f.Fetched() {
		c.Fail(exam.Finding{
			Did:      fmt.Sprintf("read the Dockerfile, line %d: %s", place.Line, place.Text),
			Expected: "ADD with files of the build context, written out",
			Saw:      place.What + " would be fetched from somewhere else while the image is built",
			Why: "What is fetched during a build is another file tomorrow, or none. " +
				"Two builds of one commit are then two programs, and nobody has read the second.",
		})
	}
}
