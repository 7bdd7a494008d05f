package services

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/modules/postgres"
	"github.com/testcontainers/testcontainers-go/wait"
)

// The images, pulled or built here, must keep the official contract: testcontainers' own modules
// start them as they are.

func prepareImages(t *testing.T) {
	t.Helper()
	needEngine(t)
	if err := useEngine(engineHost()); err != nil {
		t.Fatal(err)
	}
}

func TestPostgresImageKeepsTheContract(t *testing.T) {
	prepareImages(t)
	script := filepath.Join(t.TempDir(), "init.sql")
	if err := os.WriteFile(script, []byte("create table made (by text); insert into made values (current_user); create extension vector;"), 0o644); err != nil {
		t.Fatal(err)
	}
	ctr, err := postgres.Run(t.Context(), DefaultPostgresImage,
		postgres.WithUsername("someone"), postgres.WithPassword("it's secret"), postgres.WithDatabase("some-db"),
		postgres.WithInitScripts(script), postgres.BasicWaitStrategies())
	testcontainers.CleanupContainer(t, ctr)
	if err != nil {
		t.Fatal(err)
	}
	host, err := ctr.PortEndpoint(t.Context(), "5432/tcp", "")
	if err != nil {
		t.Fatal(err)
	}
	conn := dial(t, fmt.Sprintf("postgres://someone:it's%%20secret@%s/some-db?sslmode=disable", host))
	if got := text(t, conn, "select by || ' ' || current_setting('fsync') || ' ' || current_setting('data_directory') from made"); got != "someone off /var/lib/postgresql/data" {
		t.Errorf("the server says %q", got)
	}
	if err := ctr.Stop(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	state, err := ctr.State(t.Context())
	if err != nil || state.ExitCode != 0 {
		t.Errorf("after a stop: %+v, %v, want a clean end", state, err)
	}
}

func TestRedisImageKeepsTheContract(t *testing.T) {
	prepareImages(t)
	ctr, err := testcontainers.Run(t.Context(), DefaultRedisImage,
		testcontainers.WithExposedPorts("6379/tcp"),
		testcontainers.WithCmd("redis-server", "--appendonly", "yes", "--loglevel", "notice"),
		testcontainers.WithWaitStrategy(wait.ForAll(wait.ForListeningPort("6379/tcp"), wait.ForLog("* Ready to accept connections"))))
	testcontainers.CleanupContainer(t, ctr)
	if err != nil {
		t.Fatal(err)
	}
	addr, err := ctr.PortEndpoint(t.Context(), "6379/tcp", "")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	replies := bufio.NewReader(conn)
	for _, c := range []struct{ command, reply string }{
		{"SET greeting hello", "+OK"},
		{"CONFIG GET dir", "*2"}, {"", "$3"}, {"", "dir"}, {"", "$5"}, {"", "/data"},
		{"CONFIG GET appendonly", "*2"}, {"", "$10"}, {"", "appendonly"}, {"", "$3"}, {"", "yes"},
	} {
		if c.command != "" {
			if _, err := fmt.Fprintf(conn, "%s\r\n", c.command); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := replies.ReadString('\n'); err != nil || got != c.reply+"\r\n" {
			t.Fatalf("%s: %q, %v, want %q", c.command, got, err, c.reply)
		}
	}
}
