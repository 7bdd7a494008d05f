package services

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/moby/moby/api/types/build"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"
)

// Build is one image to be built.
type Build struct {
	// Context is a tar of the build context. In its Dockerfile each FROM is followed by the line
	// BuildLabel, by which what the build leaves on the way is found again.
	Context    io.Reader
	Dockerfile string // name in the context
	Args       map[string]string

	Timeout   time.Duration
	Memory    int64 // bytes, of each step
	Disk      int64 // bytes that one step may write
	Processes int64 // of one step
}

// Built is an image that was built for a grade. It lives as long as the Engine.
type Built struct {
	ID    string
	Steps []Step
}

// Step is one step of a build, as the engine told of it.
type Step struct {
	Text   string   // "RUN go build ./...", with variables as they stand there
	Output []string // the last lines that it printed
	Cached bool
	image  string // what it left
}

// BuildError says that a step of a build failed.
type BuildError struct {
	Steps   []Step // the last one is the one that failed; none when the build never began
	Message string // of the engine
}

func (e *BuildError) Error() string { return "the build failed: " + e.Message }

// BuildLimit says that a build was ended because it took more than it may.
type BuildLimit struct {
	Steps []Step // the last one is the one that was under way
	What  string // "took longer than 2m0s"
}

func (e *BuildLimit) Error() string { return "the build " + e.What }

// BuildLabel is the instruction that must follow each FROM.
func (e *Engine) BuildLabel() string { return "LABEL " + labelBuild + "=" + e.owner }

// keptOutput is how many of the last lines of each step are kept.
const keptOutput = 30

// Build builds an image without network, with the builder that every engine has. Errors are
// *BuildError, *BuildLimit, *Unavailable, or the context's.
func (e *Engine) Build(ctx context.Context, b Build) (*Built, error) {
	unlock, err := e.p.state.building(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	limited, end := context.WithCancelCause(ctx)
	defer end(nil)
	timer := time.AfterFunc(b.Timeout, func() { end(&BuildLimit{What: "took longer than " + b.Timeout.String()}) })
	defer timer.Stop()
	var s buildStream
	watched := e.watchBuild(limited, b, &s.containers, end)
	defer func() { end(nil); <-watched }()

	args := map[string]*string{}
	for name, value := range b.Args {
		args[name] = &value
	}
	resp, err := e.cli.ImageBuild(limited, b.Context, client.ImageBuildOptions{
		Dockerfile: b.Dockerfile, BuildArgs: args, Labels: e.labels(), Version: build.BuilderV1,
		Remove: true, ForceRemove: true, NetworkMode: "none",
		Memory: b.Memory, MemorySwap: b.Memory, CPUShares: 512, ShmSize: 64 << 20,
		Ulimits: []*container.Ulimit{
			{Name: "fsize", Soft: b.Disk, Hard: b.Disk}, {Name: "core"}, {Name: "nofile", Soft: 4096, Hard: 4096},
		},
	})
	if err == nil {
		defer resp.Body.Close()
		err = s.read(resp.Body)
	}
	e.p.state.keepBuilds(s.left())
	switch cause := context.Cause(limited); {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case cause != nil:
		var limit *BuildLimit
		if errors.As(cause, &limit) {
			limit.Steps = s.steps
			return nil, limit
		}
		return nil, cause
	case s.failure != "":
		if trouble := e.buildTrouble(s.failure); trouble != nil {
			return nil, trouble
		}
		return nil, &BuildError{Steps: s.steps, Message: s.failure}
	case err != nil:
		return nil, e.explain(ctx, err, "building an image")
	case s.id == "":
		return nil, unavailable(nil, "run cairn doctor", "Docker built an image and did not say which")
	}
	return &Built{ID: s.id, Steps: s.steps}, nil
}

// buildTrouble tells what is the engine's own of the reasons for which a build fails.
func (e *Engine) buildTrouble(message string) error {
	if strings.Contains(message, "no space left on device") && !strings.Contains(message, "returned a non-zero code") {
		return unavailable(nil, "free some space (docker system prune)", "Docker's disk is full (building an image)")
	}
	return nil
}

var shortID = regexp.MustCompile(`^[0-9a-f]{12}$`)

// colours are what the builder puts around what a step writes to standard error.
var colours = strings.NewReplacer("\x1b[91m", "", "\x1b[0m", "")

// builders is how messages of the builder's own begin.
var builders = regexp.MustCompile(`^(Step \d| ---> |Removing intermediate )`)

// buildStream reads what the builder tells, one JSON message after the other.
type buildStream struct {
	steps   []Step
	id      string
	failure string
	partial string

	containers idSet // in which steps run
}

func (s *buildStream) read(r io.Reader) error {
	for msg, err := range messages(r) {
		if err != nil {
			return err
		}
		s.add(msg)
	}
	return nil
}

func (s *buildStream) add(msg jsonstream.Message) {
	switch {
	case msg.Error != nil:
		s.failure = strings.TrimSpace(msg.Error.Message)
	case msg.Aux != nil:
		var image struct{ ID string }
		if json.Unmarshal(*msg.Aux, &image) == nil && image.ID != "" {
			s.id = image.ID // of each stage in turn
		}
	default:
		if s.partial != "" && builders.MatchString(msg.Stream) { // the last line of a step had no end
			msg.Stream = "\n" + msg.Stream
		}
		text := s.partial + colours.Replace(msg.Stream)
		lines := strings.Split(text, "\n")
		s.partial = lines[len(lines)-1]
		for _, line := range lines[:len(lines)-1] {
			s.line(strings.TrimRight(line, "\r"))
		}
	}
}

// line sorts one line: what the builder says itself begins with "Step" or an arrow.
func (s *buildStream) line(line string) {
	last := len(s.steps) - 1
	if rest, ok := strings.CutPrefix(line, "Step "); ok && s.between() {
		if _, text, ok := strings.Cut(rest, " : "); ok {
			s.steps = append(s.steps, Step{Text: text})
			return
		}
	}
	if last < 0 {
		return
	}
	step := &s.steps[last]
	if rest, ok := strings.CutPrefix(line, " ---> "); ok {
		switch {
		case rest == "Using cache":
			step.Cached = true
		case strings.HasPrefix(rest, "Running in ") && shortID.MatchString(strings.TrimPrefix(rest, "Running in ")):
			s.containers.add(strings.TrimPrefix(rest, "Running in "))
		case shortID.MatchString(rest): // a step may print anything
			step.image = rest
		}
		return
	}
	if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "Removing intermediate container ") || strings.HasPrefix(line, "Successfully built ") {
		return
	}
	step.Output = append(step.Output, line)
	if len(step.Output) > keptOutput {
		step.Output = step.Output[1:]
	}
}

// between tells whether no step is under way: none has begun, or the last has left an image. What a
// step prints can then not be taken for the beginning of another.
func (s *buildStream) between() bool {
	if len(s.steps) == 0 {
		return true
	}
	last := s.steps[len(s.steps)-1]
	return last.image != "" || last.begins("scratch")
}

// begins tells whether the step begins a stage, from a base unless that is "".
func (s Step) begins(base string) bool {
	words := strings.Fields(s.Text)
	return len(words) > 1 && strings.EqualFold(words[0], "FROM") && (base == "" || words[1] == base)
}

// left are the images that the stages of a build have left, on which the next build may go on.
func (s *buildStream) left() []string {
	var all []string
	for i, step := range s.steps {
		// The last step is the labels of the grade, whose image is no cache for anything.
		if i+1 < len(s.steps) && (s.steps[i+1].begins("") || i+2 == len(s.steps)) && step.image != "" {
			all = append(all, step.image)
		}
	}
	return all
}
