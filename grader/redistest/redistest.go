// Package redistest starts Redis servers for tests of what speaks to them.
package redistest

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Start starts a Redis server of the test's own and returns its address. It
// ends with the test, and with the test binary if that is killed: the server on
// this machine because its parent dies, one in a container because its input ends.
func Start(tb testing.TB) string {
	tb.Helper()
	for range 3 { // the port can be taken between asking and starting
		if addr, ok := start(tb); ok {
			return addr
		}
	}
	tb.Fatal("no Redis server came up")
	return ""
}

func start(tb testing.TB) (addr string, ok bool) {
	tb.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(free.Addr().String())
	_ = free.Close()
	options := []string{"--save", "", "--appendonly", "no", "--daemonize", "no"}
	var cmd *exec.Cmd
	if binary, err := exec.LookPath("redis-server"); err == nil {
		cmd = exec.Command(binary, append(options, "--bind", "127.0.0.1", "--port", port, "--dir", tb.TempDir())...)
		endWithParent(cmd)
	} else if docker, err := exec.LookPath("docker"); err == nil {
		cmd = exec.Command(docker, "run", "--rm", "-i", "-p", "127.0.0.1:"+port+":6379", "--entrypoint", "sh", "redis:8-alpine",
			"-c", `redis-server --save "" --protected-mode no & cat >/dev/null; kill $!`)
	} else {
		tb.Skip("this test needs a Redis server: install redis-server, or Docker with the image redis:8-alpine")
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	tb.Cleanup(func() {
		_ = stdin.Close()
		if strings.HasSuffix(cmd.Path, "redis-server") {
			_ = cmd.Process.Kill()
		}
		<-ended
	})
	addr = "127.0.0.1:" + port
	for {
		if conn, err := net.Dial("tcp", addr); err == nil {
			_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
			_, _ = io.WriteString(conn, "PING\r\n")
			line, _ := bufio.NewReader(conn).ReadString('\n')
			_ = conn.Close()
			if line == "+PONG\r\n" {
				return addr, true
			}
		}
		select {
		case <-ended:
			tb.Logf("the Redis server ended: %s", output.String())
			return "", false
		case <-time.After(5 * time.Millisecond):
		}
	}
}
