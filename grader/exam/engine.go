package exam

import (
	"context"
	"fmt"
	"sync"

	"github.com/cairn-learn/cairn/grader/services"
)

// engineUse is the Docker engine of a session, opened at its first use.
type engineUse struct {
	mu     sync.Mutex
	engine *services.Engine
}

func (u *engineUse) open(ctx context.Context, open func(context.Context) (*services.Engine, error)) (*services.Engine, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.engine != nil {
		return u.engine, nil
	}
	if open == nil {
		return nil, fmt.Errorf("exercises of this kind have no Docker engine")
	}
	var err error
	u.engine, err = open(ctx)
	return u.engine, err
}

func (u *engineUse) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.engine != nil {
		u.engine.Close()
		u.engine = nil
	}
}

// engine is the Docker engine, with the images that the check is about to use. Where one of them
// can't be had, the grade comes out as ungraded; it does not return then.
func (c *C) engine(images ...string) *services.Engine {
	e, err := c.session.engine.open(c.ctx, c.session.opts.Engine)
	if err == nil {
		err = e.Ensure(c.ctx, c.session.opts.Progress, images...)
	}
	if err != nil {
		c.trouble(err)
	}
	return e
}
