package services

import (
	"context"
	"net/url"
	"os"
	"strings"
	"sync"

	"github.com/containerd/errdefs"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"
)

// localEngine tells testcontainers where the engine is. Its own search remembers a failure for the
// life of the process, and takes a machine that looks like a container for one; cairn has found
// the engine already, and has to recover when it comes back.
type localEngine struct{ host string }

func (l localEngine) Initialize(context.Context) (testcontainers.RuntimeConfig, error) {
	bridge := "bridge"
	if strings.Contains(l.host, "podman") {
		bridge = "podman"
	}
	return testcontainers.RuntimeConfig{DockerHost: l.host, PublishedHost: "127.0.0.1", DefaultBridgeNetwork: bridge}, nil
}

var (
	configureOnce sync.Once
	errConfigure  error
)

// useEngine has to come before anything else of testcontainers: its first use settles its settings.
func useEngine(host string) error {
	configureOnce.Do(func() { errConfigure = configure(host) })
	return errConfigure
}

// containerProvider returns testcontainers' engine client, made to cairn's needs: it keeps
// silent, and it starts no reaper, since warm servers outlive the process on purpose.
func containerProvider(host string) (*testcontainers.DockerProvider, error) {
	if err := useEngine(host); err != nil {
		return nil, err
	}
	return testcontainers.NewDockerProvider(testcontainers.WithLogger(tclog.NewNoopLogger()))
}

// configure gives testcontainers its settings. It takes them from the environment only, once, and
// keeps them; so they stand there for just that moment.
func configure(host string) error {
	tclog.SetDefault(tclog.NewNoopLogger())
	settings := map[string]string{
		"TESTCONTAINERS_RYUK_DISABLED": "true",
		// Its default is shared by all children of one shell, whose reapers would remove
		// cairn's servers too.
		"TESTCONTAINERS_SESSION_ID": "cairn",
	}
	if u, err := url.Parse(host); err == nil && u.Scheme == "unix" {
		if err := testcontainers.RegisterProvider("cairn", func() testcontainers.RuntimeProvider { return localEngine{host} }); err != nil {
			return err
		}
		settings["TESTCONTAINERS_PROVIDER"] = "cairn"
	}
	for name, value := range settings {
		if old, had := os.LookupEnv(name); had {
			defer os.Setenv(name, old)
		} else {
			defer os.Unsetenv(name)
		}
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	testcontainers.ReadConfig()
	return nil
}

// isGone tells whether the engine no longer knows the container, or is removing it.
func isGone(err error) bool {
	return errdefs.IsNotFound(err) || errdefs.IsConflict(err)
}
