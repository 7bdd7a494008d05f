package wire

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// scripted is a session between two ends of the test's own.
func scripted(t *testing.T) (program, server net.Conn, log *Log) {
	t.Helper()
	upstream, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer upstream.Close()
	log = NewLog()
	proxy, err := ListenPostgres(Config{Upstream: upstream.Addr().String(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	if program, err = net.Dial("tcp", proxy.Addr()); err != nil {
		t.Fatal(err)
	}
	start := encode([]pgproto3.FrontendMessage{&pgproto3.StartupMessage{
		ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": "u"},
	}})
	send(t, program, start)
	if server, err = upstream.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = program.Close()
		_ = server.Close()
		_ = proxy.Close()
	})
	receive(t, server, start)
	return program, server, log
}

func send(t *testing.T, to net.Conn, b []byte) {
	t.Helper()
	if _, err := to.Write(b); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, from net.Conn, want []byte) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(from, got); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%.80q arrived as %.80q, %v", want, got, err)
	}
}

// TestWhatIsNotUnderstoodIsForwarded: bytes that are no message go through, both
// ways, and the log says that it has stopped.
func TestWhatIsNotUnderstoodIsForwarded(t *testing.T) {
	program, server, log := scripted(t)
	for _, b := range [][]byte{
		encode([]pgproto3.FrontendMessage{&pgproto3.Query{String: "select 1"}}),
		[]byte("Q\x00\x00\x00\x00 this is no message"),
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
	if all := log.Statements(); len(all) != 1 || all[0].SQL != "select 1" {
		t.Errorf("recorded %+v", all)
	}
}

// TestLongMessagesStream: a message far larger than any buffer arrives while it
// is still being sent.
func TestLongMessagesStream(t *testing.T) {
	program, server, _ := scripted(t)
	send(t, server, []byte("D\x3f\xff\xff\xff"))
	receive(t, program, []byte("D\x3f\xff\xff\xff"))
	piece := bytes.Repeat([]byte{'x'}, pieceSize)
	for range 10 {
		send(t, server, piece)
		receive(t, program, piece)
	}
}

func TestFloodEndsTheSession(t *testing.T) {
	program, server, log := scripted(t)
	go func() { _, _ = io.Copy(io.Discard, server) }()
	flood := bytes.Repeat([]byte("S\x00\x00\x00\x04"), 1<<14)
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

// TestServerEndsTheSession: its last words arrive, then the end.
func TestServerEndsTheSession(t *testing.T) {
	program, server, log := scripted(t)
	last := encode([]pgproto3.BackendMessage{&pgproto3.ErrorResponse{Severity: "FATAL", Code: "53300", Message: "too many clients"}})
	send(t, server, last)
	_ = server.Close()
	got, err := io.ReadAll(program)
	if err != nil || !bytes.Equal(got, last) {
		t.Errorf("%q arrived, %v", got, err)
	}
	if notes := log.Notes(); len(notes) != 1 || !strings.Contains(notes[0].Text, "too many clients (SQLSTATE 53300)") {
		t.Errorf("noted %v", notes)
	}
}

func TestSilentConnectionsAreBounded(t *testing.T) {
	log := NewLog()
	proxy, err := ListenPostgres(Config{Upstream: "127.0.0.1:1", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	for range maxSessions {
		conn, err := net.Dial("tcp", proxy.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	// The kernel accepts before the proxy does, in order: this is the last in line.
	if one, err := net.Dial("tcp", proxy.Addr()); err == nil {
		defer one.Close()
		if _, err := one.Read(make([]byte, 1)); err == nil {
			t.Error("it was answered")
		}
	}
	if n := proxy.Sessions(); n != maxSessions {
		t.Errorf("%d sessions are open", n)
	}
	if notes := log.Notes(); len(notes) != 1 {
		t.Errorf("noted %v", notes)
	}
}
