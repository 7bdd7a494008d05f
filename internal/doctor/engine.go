package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/cairn-learn/cairn/grader/services"
)

// hostOnce asks once what servers run in, for all checks that want to know.
type hostOnce struct {
	ask   func(context.Context) (services.HostInfo, error)
	once  sync.Once
	found services.HostInfo
	err   error
}

func (h *hostOnce) info(ctx context.Context) (services.HostInfo, error) {
	h.once.Do(func() { h.found, h.err = h.ask(ctx) })
	return h.found, h.err
}

func (h *hostOnce) check(ctx context.Context) finding {
	info, err := h.info(ctx)
	var unavailable *services.Unavailable
	switch {
	case errors.As(err, &unavailable):
		return fault(sentence(unavailable.Do), "%s", unavailable.What)
	case err != nil:
		return fault("Start Docker and run cairn doctor again.", "%s", firstLine(err))
	}
	if engine := info.Engine; engine.Version != "" {
		return fine("%s, API %s, %s, at %s", engine.Version, engine.APIVersion, engine.OS, engine.Host)
	}
	return checkPrograms(info.Programs)
}

// checkPrograms looks at what servers run from without Docker.
func checkPrograms(programs []services.ProgramInfo) finding {
	titles := map[string]string{"postgres": "PostgreSQL", "redis": "Redis"}
	var have []string
	for _, p := range programs {
		have = append(have, fmt.Sprintf("%s %s (%s)", titles[p.Service], p.Version, p.Path))
		delete(titles, p.Service)
	}
	saw := "not used, servers of this machine run instead: " + strings.Join(have, ", ")
	for service, title := range titles {
		pkg := map[string]string{"postgres": "postgresql", "redis": "redis-server"}[service]
		return warn("Install it for the exercises that need it (on Debian and Ubuntu: apt install "+pkg+"), or use Docker.",
			"%s; the server of %s is not installed", saw, title)
	}
	return fine("%s; exercises that build images need Docker all the same", saw)
}

func (h *hostOnce) checkImages(ctx context.Context) finding {
	info, err := h.info(ctx)
	if err != nil {
		return warn("Put Docker right first.", "cannot be looked for without Docker")
	}
	if info.Engine.Version == "" {
		return fine("not needed, servers run without Docker")
	}
	var have, lack []string
	for _, image := range info.Engine.Images {
		switch {
		case !image.Present:
			lack = append(lack, image.Name)
		case image.StandIn != "":
			have = append(have, fmt.Sprintf("%s (%s, a stand-in)", image.Name, size(image.Size)))
		default:
			have = append(have, fmt.Sprintf("%s (%s)", image.Name, size(image.Size)))
		}
	}
	if len(lack) > 0 {
		return fault("Run docker pull "+lack[0]+", or make images in a clone of cairn where no registry can be reached.",
			"not here yet: %s", strings.Join(lack, ", "))
	}
	return fine("%s", strings.Join(have, ", "))
}

// sentence gives text a capital and a full stop.
func sentence(text string) string {
	if text == "" {
		return text
	}
	text = strings.ToUpper(text[:1]) + text[1:]
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}
