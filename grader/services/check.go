package services

import (
	"context"
	"errors"
)

// HostInfo is what servers run in here, as cairn doctor shows it.
type HostInfo struct {
	Kind     string        // "containers", "native"
	Engine   EngineInfo    // of containers
	Programs []ProgramInfo // of native: what is installed
}

// ProgramInfo is the program of a server that runs without a container.
type ProgramInfo struct {
	Service string // "postgres", "redis"
	Path    string
	Version string // "15.20"
}

// CheckHost tells what servers run in here, and what is there of it. A missing image, and a missing
// program where there is another, is no error. Errors are *Unavailable, whose cause is
// fs.ErrNotExist where there is nothing to run servers in, or the context's.
func CheckHost(ctx context.Context, cfg Config) (HostInfo, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return HostInfo{}, err
	}
	h, err := openHost(ctx, cfg)
	if err != nil {
		return HostInfo{Kind: inContainers, Engine: EngineInfo{Host: engineHost()}}, err
	}
	defer h.close()
	if _, isNative := h.(*nativeHost); !isNative {
		info, err := CheckEngine(ctx, cfg)
		return HostInfo{Kind: inContainers, Engine: info}, err
	}
	info := HostInfo{Kind: native}
	var missing []error
	for _, service := range []string{postgresService, redisService} {
		p, err := findProgram(ctx, service)
		if err != nil {
			missing = append(missing, err)
			continue
		}
		info.Programs = append(info.Programs, ProgramInfo{Service: service, Path: p.path, Version: p.version()})
	}
	if ctx.Err() != nil {
		return info, context.Cause(ctx)
	}
	if len(info.Programs) == 0 {
		return info, unavailable(errors.Join(missing...), installNative, "no server is installed on this machine")
	}
	return info, nil
}
