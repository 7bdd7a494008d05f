package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/cairn-learn/cairn/grader/services"
)

// engineOnce asks the engine once for all checks that want to know.
type engineOnce struct {
	ask   func(context.Context) (services.EngineInfo, error)
	once  sync.Once
	found services.EngineInfo
	err   error
}

func (e *engineOnce) info(ctx context.Context) (services.EngineInfo, error) {
	e.once.Do(func() { e.found, e.err = e.ask(ctx) })
	return e.found, e.err
}

func (e *engineOnce) check(ctx context.Context) finding {
	info, err := e.info(ctx)
	var unavailable *services.Unavailable
	switch {
	case errors.As(err, &unavailable):
		return fault(sentence(unavailable.Do), "%s", unavailable.What)
	case err != nil:
		return fault("Start Docker and run cairn doctor again.", "%s", firstLine(err))
	}
	return fine("%s, API %s, %s, at %s", info.Version, info.APIVersion, info.OS, info.Host)
}

func (e *engineOnce) checkImages(ctx context.Context) finding {
	info, err := e.info(ctx)
	if err != nil {
		return warn("Put Docker right first.", "cannot be looked for without Docker")
	}
	var have, lack []string
	for _, image := range info.Images {
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
