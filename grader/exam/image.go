package exam

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/dockerfile"
	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/safe"
	"github.com/cairn-learn/cairn/grader/services"
)

// Image is what came of the learner's Dockerfile, every layer of it read.
type Image struct {
	Config services.ImageConfig
	Base   string        // that the image begins with, or scratch
	Layers []ImageLayer  // the lowest first
	Found  []Trace       // of the secrets that the build was given
	Took   time.Duration // of the build

	id    string
	files map[string]ImageFile // as a container sees them
}

// ImageLayer is one layer of an image.
type ImageLayer struct {
	Size int64 // bytes of its files
	Line int   // of the instruction that made it; 0 when it is the base's
	Text string
}

// ImageFile is a file of an image.
type ImageFile struct {
	Size    int64
	Mode    int64
	Regular bool
	Content []byte // of etc/passwd and etc/group alone
}

// Trace is a place in an image where a secret can be read.
type Trace struct {
	Secret string // its name
	File   string // "" where it is no file
	Line   int    // of the instruction that put it there; 0 when it is not known
	Text   string
	Gone   bool   // a later layer removes the file, or writes another one over it
	In     string // of what is no file: "the environment", "the history"
}

// ImageBuild says how an image is built.
type ImageBuild struct {
	Files   map[string][]byte // of the context, beside the learner's and the given ones or instead of them
	Args    map[string]string // build arguments
	Secrets map[string]string // values to look for in what came of it, by name
}

// The bounds of one build.
const (
	buildMemory    = 2 << 30
	buildDisk      = 3 << 30
	buildProcesses = 512
	buildMargin    = 5 * time.Second // of a check's time, which a build may not use up
)

// Images names the images that the task lets a Dockerfile begin with, so that they are fetched in
// good time.
func (x *X) Images(names ...string) { x.images = append(x.images, names...) }

// ImagesNeeded are those that Images named.
func (x *X) ImagesNeeded() []string { return x.images }

// Dockerfile is the learner's.
func (c *C) Dockerfile() *dockerfile.File {
	f, wrong := dockerfile.Parse(dockerfileName, c.session.opts.Files[dockerfileName])
	if f == nil { // it was read before the exam began
		c.trouble(fmt.Errorf("the Dockerfile cannot be read: %v", wrong))
	}
	return f
}

const dockerfileName = "Dockerfile"

// BuildImage builds the learner's Dockerfile in a context of the learner's files, the given ones and
// those of b, without what .dockerignore names. The image is there for all later checks, see Image.
// A step that fails, or takes too long, fails the check.
func (c *C) BuildImage(b ImageBuild) *Image {
	f := c.Dockerfile()
	var bases []string
	for _, use := range f.Images() {
		bases = append(bases, use.What)
	}
	for _, label := range f.All("LABEL") {
		if strings.Contains(label.Text, "org.cairn.") {
			c.Fail(Finding{Did: fmt.Sprintf("read the Dockerfile, line %d: %s", label.Line, label.Text),
				Expected: "labels of your own", Saw: "a label whose name begins with org.cairn: these are cairn's, by which it finds again what it has made"})
		}
	}
	e := c.engine(bases...)
	files := map[string][]byte{}
	for name, content := range c.session.opts.Files {
		files[name] = content
	}
	for name, content := range b.Files {
		files[name] = content
	}
	files[dockerfileName] = f.With(e.BuildLabel())
	kept, err := dockerfile.Context(files)
	if err != nil {
		c.Fail(Finding{Did: "read .dockerignore", Expected: "patterns, one in a line", Saw: err.Error()})
	}
	limit := max(c.session.limits.Check-buildMargin, c.session.limits.Check/2)
	began := time.Now()
	built, err := e.Build(c.ctx, services.Build{
		Context: tarOf(kept), Dockerfile: dockerfileName, Args: b.Args,
		Timeout: limit, Memory: buildMemory, Disk: buildDisk, Processes: buildProcesses,
	})
	c.record(report.Entry{Kind: report.KindNote, Actor: "examiner", Text: "docker build .", Duration: time.Since(began), Failed: err != nil}, began)
	if err != nil {
		c.buildFailed(f, err)
	}
	img := &Image{id: built.ID, Took: time.Since(began), Base: f.Base()}
	if err := img.read(c.ctx, e, f, b.Secrets); err != nil {
		c.trouble(err)
	}
	c.session.setImage(img)
	return img
}

// Image is what BuildImage has built in an earlier check.
func (c *C) Image() *Image {
	c.session.mu.Lock()
	img := c.session.image
	c.session.mu.Unlock()
	if img == nil {
		c.trouble(fmt.Errorf("check %s asks for an image before any was built", c.spec.id))
	}
	return img
}

func (s *Session) setImage(img *Image) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.image = img
}

// Size is how many bytes all layers have together.
func (i *Image) Size() int64 {
	var n int64
	for _, l := range i.Layers {
		n += l.Size
	}
	return n
}

// File finds a file as a container sees it, by its path without the first slash.
func (i *Image) File(name string) (ImageFile, bool) {
	f, ok := i.files[strings.TrimPrefix(name, "/")]
	return f, ok
}

// buildFailed ends the check with what the builder said.
func (c *C) buildFailed(f *dockerfile.File, err error) {
	var failed *services.BuildError
	var limit *services.BuildLimit
	did := "built the image, as docker build . does, without network"
	switch {
	case errors.As(err, &limit):
		at := whereIn(f, limit.Steps)
		c.session.setLimit("building the image " + limit.What + at)
		c.Fail(Finding{Did: did, Expected: "every step ends, and leaves room for others", Saw: "the build " + limit.What + at,
			Detail: outputOf(limit.Steps),
			Why:    "A build that never ends holds up every deployment behind it; one that fills the disk stops the machine for all others."})
	case errors.As(err, &failed):
		c.Fail(Finding{Did: did, Expected: "every step ends well", Saw: safe.Line(buildCause(failed)) + whereIn(f, failed.Steps), Detail: outputOf(failed.Steps),
			Why: "What does not build cannot be shipped; and what builds on one machine alone cannot be repaired on another."})
	}
	c.trouble(err)
}

// whereIn names the step that was under way.
func whereIn(f *dockerfile.File, steps []services.Step) string {
	if len(steps) == 0 {
		return ""
	}
	text := steps[len(steps)-1].Text
	if line := f.Line(text); line > 0 {
		return fmt.Sprintf("; it was at %s, line %d: %s", f.Name, line, safe.Line(text))
	}
	return "; it was at " + safe.Line(text)
}

func outputOf(steps []services.Step) string {
	if len(steps) == 0 {
		return ""
	}
	return strings.Join(steps[len(steps)-1].Output, "\n")
}

// buildCause says why a step failed, in the words of its author where they are known.
func buildCause(e *services.BuildError) string {
	output := ""
	if n := len(e.Steps); n > 0 {
		output = strings.Join(e.Steps[n-1].Output, "\n")
	}
	all := e.Message + "\n" + output
	switch {
	case strings.Contains(all, `"/bin/sh": stat /bin/sh: no such file`) || strings.Contains(all, `exec: "/bin/sh"`):
		return "RUN needs a shell, and there is none in this stage"
	case strings.Contains(all, "ot resolve host") || strings.Contains(all, "dial tcp: lookup") || strings.Contains(all, "emporary failure in name resolution"):
		return "the step asked the network, and builds here have none"
	case strings.HasPrefix(e.Message, "COPY failed") || strings.HasPrefix(e.Message, "ADD failed"):
		return e.Message + " (what .dockerignore names is not in the context)"
	case strings.Contains(e.Message, "returned a non-zero code: 137"):
		return "the step was killed: it used more memory than it may"
	}
	if _, code, ok := strings.Cut(e.Message, "returned a non-zero code: "); ok {
		return "the step ended with status " + code
	}
	return e.Message
}
