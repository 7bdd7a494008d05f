package exam

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
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
	Layers []services.Layer // the lowest first
	Found  []Trace          // of the secrets that the build was given
	Took   time.Duration    // of the build

	id    string
	files map[string]ImageFile // as a container sees them
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
	By     string // the instruction that put it there
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
	img := &Image{id: built.ID, Took: time.Since(began)}
	if err := img.read(c.ctx, e, b.Secrets); err != nil {
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

// read looks at everything that the image consists of.
func (i *Image) read(ctx context.Context, e *services.Engine, secrets map[string]string) error {
	var err error
	if i.Config, err = e.Config(ctx, i.id); err != nil {
		return err
	}
	r := layerReader{secrets: secrets, seen: map[int]map[string]ImageFile{}}
	if i.Layers, err = e.Layers(ctx, i.id, r.visit); err != nil {
		return err
	}
	i.files = map[string]ImageFile{}
	last := map[string]int{} // the layer that a file is seen from
	for at, l := range i.Layers {
		for name := range r.seen[l.Index] {
			i.remove(name)
		}
		for name, f := range r.seen[l.Index] {
			if _, base := splitLast(name); !strings.HasPrefix(base, whiteout) {
				i.files[name], last[name] = f, at
			}
		}
	}
	for _, t := range r.traces {
		at := slices.IndexFunc(i.Layers, func(l services.Layer) bool { return l.Index == t.layer })
		if at < 0 {
			continue
		}
		t.By = plainInstruction(i.Layers[at].By)
		_, there := i.files[t.File]
		t.Gone = !there || last[t.File] != at
		i.Found = append(i.Found, t.Trace)
	}
	i.Found = append(i.Found, i.told(secrets)...)
	return nil
}

// whiteout begins the name of an entry by which a layer removes a file of the layers below.
const whiteout = ".wh."

// remove takes out of what a container sees what an entry of a layer removes: a file, or all that
// was in a folder.
func (i *Image) remove(entry string) {
	dir, base := splitLast(entry)
	name, ok := strings.CutPrefix(base, whiteout)
	if !ok {
		return
	}
	target, all := dir+name, name == whiteout+".opq"
	if all {
		target = strings.TrimSuffix(dir, "/")
	}
	for file := range i.files {
		if file == target && !all || strings.HasPrefix(file, target+"/") {
			delete(i.files, file)
		}
	}
}

func splitLast(name string) (dir, base string) {
	at := strings.LastIndexByte(name, '/')
	return name[:at+1], name[at+1:]
}

// told are the secrets that the image tells without any file.
func (i *Image) told(secrets map[string]string) []Trace {
	var all []Trace
	for name, value := range secrets {
		for _, env := range i.Config.Env {
			if strings.Contains(env, value) {
				all = append(all, Trace{Secret: name, In: "the environment"})
				break
			}
		}
		for _, step := range i.Config.History {
			if strings.Contains(step, value) {
				all = append(all, Trace{Secret: name, In: "the history", By: plainInstruction(step)})
				break
			}
		}
		if len(all) == 0 && bytes.Contains(i.Config.Raw, []byte(value)) {
			all = append(all, Trace{Secret: name, In: "the configuration"})
		}
	}
	return all
}

// plainInstruction is an instruction of a history as it was written.
func plainInstruction(by string) string {
	if _, text, ok := strings.Cut(by, "#(nop)"); ok {
		return strings.TrimSpace(text)
	}
	if _, text, ok := strings.Cut(by, "/bin/sh -c "); ok {
		return "RUN " + strings.TrimSpace(text)
	}
	return strings.TrimSpace(by)
}

// layerReader looks for secrets in the files of layers.
type layerReader struct {
	secrets map[string]string
	seen    map[int]map[string]ImageFile
	traces  []layerTrace
}

type layerTrace struct {
	Trace
	layer int
}

func (r *layerReader) visit(f services.LayerFile) error {
	if r.seen[f.Layer] == nil {
		r.seen[f.Layer] = map[string]ImageFile{}
	}
	file := ImageFile{Size: f.Size, Mode: f.Mode, Regular: f.Regular}
	if f.Regular {
		content := f.Content
		if f.Name == "etc/passwd" || f.Name == "etc/group" {
			data, err := io.ReadAll(io.LimitReader(content, 1<<20))
			if err != nil {
				return err
			}
			file.Content, content = data, io.MultiReader(bytes.NewReader(data), content)
		}
		found, err := search(content, r.secrets)
		if err != nil {
			return err
		}
		for _, name := range found {
			r.traces = append(r.traces, layerTrace{Trace{Secret: name, File: f.Name}, f.Layer})
		}
	}
	r.seen[f.Layer][f.Name] = file
	return nil
}

// search returns the names of the values that a stream holds.
func search(content io.Reader, values map[string]string) ([]string, error) {
	longest := 0
	for _, v := range values {
		longest = max(longest, len(v))
	}
	found := map[string]bool{}
	buf := make([]byte, 0, 128<<10)
	for {
		n, err := content.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		for name, v := range values {
			if bytes.Contains(buf, []byte(v)) {
				found[name] = true
			}
		}
		if keep := min(max(longest-1, 0), len(buf)); len(buf) > cap(buf)/2 {
			buf = buf[:copy(buf[:keep], buf[len(buf)-keep:])]
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	var names []string
	for name := range found {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
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
