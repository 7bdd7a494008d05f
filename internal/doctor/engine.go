package doctor

import (
	"context"
	"strings"
	"sync"
)

// engineOnce asks the engine once for all checks that want to know.
type engineOnce struct {
	engine Engine
	once   sync.Once
	found  EngineInfo
	err    error
}

var errNoEngine = &Trouble{"no container engine is known", "Install Docker."}

func (e *engineOnce) info(ctx context.Context) (EngineInfo, error) {
	e.once.Do(func() {
		if e.engine == nil {
			e.err = errNoEngine
			return
		}
		e.found, e.err = e.engine.Engine(ctx)
	})
	return e.found, e.err
}

func (e *engineOnce) check(ctx context.Context) finding {
	info, err := e.info(ctx)
	if err != nil {
		return trouble(err, "Install or start Docker.")
	}
	if info.Servers > 0 {
		return fine("%s, %d warm server(s)", info.Name, info.Servers)
	}
	return fine("%s", info.Name)
}

func (e *engineOnce) checkImages(ctx context.Context) finding {
	info, err := e.info(ctx)
	if err != nil {
		return fault("Start Docker first, see above.", "cannot be looked for without Docker")
	}
	var have, lack []string
	for _, image := range info.Images {
		if image.Present {
			have = append(have, image.Name)
		} else {
			lack = append(lack, image.Name)
		}
	}
	if len(lack) > 0 {
		return fault("Run docker pull "+lack[0]+", or make images in cairn's source folder where no registry can be reached.",
			"not here yet: %s", strings.Join(lack, ", "))
	}
	return fine("%s", strings.Join(have, ", "))
}
