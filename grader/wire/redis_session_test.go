package wire

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
)

// scriptedRedis is a session between two ends of the test's own.
func scriptedRedis(t *testing.T) (program, server net.Conn, log *Log) {
	t.Helper()
	upstream, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer upstream.Close()
	log = NewLog()
	proxy, err := ListenRedis(Config{Upstream: upstream.Addr().String(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	if program, err = net.Dial("tcp", proxy.Addr()); err != nil {
		t.Fatal(err)
	}
	if server, err = upstream.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = program.Close()
		_ = server.Close()
		_ = proxy.Close()
	})
	return program, server, log
}

// TestWhatIsNoRESPIsForwarded: bytes that are no command and no answer go through,
// both ways, and the log says that it has stopped.
func TestWhatIsNoRESPIsForwarded(t *testing.T) {
	program, server, log := scriptedRedis(t)
	for _, b := range [][]byte{
		[]byte(resp("get a")),
		[]byte("*1\r\nthis is no command\r\n"),
		bytes.Repeat([]byte{0xff}, 3*pieceSize),
	} {
		go func() { _, _ = program.Write(b) }()
		receive(t, server, b)
		go func() { _, _ = server.Write(b) }()
		receive(t, program, b)
	}
	if notes := log.Notes(); len(notes) != 1 || !strings.Contains(notes[0].Text, "not recorded any further") {
		t.Errorf("noted %v", notes)
	}
	if all := log.Commands(); len(all) != 1 || all[0].Name != "GET" {
		t.Errorf("recorded %+v", all)
	}
}

// TestLongStringsStream: strings far larger than any buffer arrive while they are
// still being sent.
func TestLongStringsStream(t *testing.T) {
	program, server, log := scriptedRedis(t)
	piece := bytes.Repeat([]byte{'x'}, pieceSize)
	for _, way := range []struct {
		from, to net.Conn
		head     string
	}{{program, server, "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1073741824\r\n"}, {server, program, "*2\r\n$1073741824\r\n"}} {
		send(t, way.from, []byte(way.head))
		receive(t, way.to, []byte(way.head))
		for range 10 {
			send(t, way.from, piece)
			receive(t, way.to, piece)
		}
	}
	if notes := log.Notes(); len(notes) != 0 {
		t.Errorf("noted %v", notes)
	}
}

func TestRedisFloodEndsTheSession(t *testing.T) {
	program, server, log := scriptedRedis(t)
	go func() { _, _ = io.Copy(io.Discard, server) }()
	flood := bytes.Repeat([]byte(resp("ping")), 1<<14)
	for range 2 * maxQueue >> 14 {
		if _, err := program.Write(flood); err != nil {
			break
		}
	}
	if _, err := program.Read(make([]byte, 1)); err == nil {
		t.Error("the session goes on")
	}
	if notes := log.Notes(); len(notes) != 1 || !strings.Contains(notes[0].Text, "connection is closed") {
		t.Errorf("noted %v", notes)
	}
}

// TestRedisEndsTheSession: its last words arrive, then the end.
func TestRedisEndsTheSession(t *testing.T) {
	program, server, log := scriptedRedis(t)
	last := []byte("-ERR max number of clients reached\r\n")
	send(t, server, last)
	_ = server.Close()
	got, err := io.ReadAll(program)
	if err != nil || !bytes.Equal(got, last) {
		t.Errorf("%q arrived, %v", got, err)
	}
	if notes := log.Notes(); len(notes) != 1 || !strings.Contains(notes[0].Text, "the server said: ERR max number of clients") {
		t.Errorf("noted %v", notes)
	}
}
