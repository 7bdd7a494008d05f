package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// What a connection may begin with, in place of a protocol version.
const (
	cancelRequest = 80877102
	sslRequest    = 80877103
	gssRequest    = 80877104
	maxStartup    = 10_000 // bytes, PostgreSQL's own limit
	dialTimeout   = 10 * time.Second
	cancelTimeout = 5 * time.Second
)

var errSwallowed = errors.New("swallowed by a black hole")

// start reads how the program begins, answers offers of encryption with no, and
// returns the packet to begin with upstream.
func (s *postgresSession) start() (packet []byte, code uint32, err error) {
	for {
		packet, err = readStartup(s.client)
		if err != nil {
			return nil, 0, err
		}
		if s.proxy.inForce().blackHole {
			s.swallow()
			_, err = io.Copy(io.Discard, s.client)
			return nil, 0, errors.Join(errSwallowed, err)
		}
		code = binary.BigEndian.Uint32(packet[4:])
		if code != sslRequest && code != gssRequest {
			return packet, code, nil
		}
		if _, err = s.client.Write([]byte{'N'}); err != nil {
			return nil, 0, err
		}
	}
}

// readStartup reads one packet without a type byte.
func readStartup(r io.Reader) ([]byte, error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(head[:])
	if size < 8 || size > maxStartup {
		return nil, fmt.Errorf("a connection began with %q, which is not PostgreSQL's protocol", head[:])
	}
	packet := make([]byte, size)
	copy(packet, head[:])
	_, err := io.ReadFull(r, packet[8:])
	return packet, err
}

// cancel hands a cancel request to the server and waits for it to be taken. It
// names a session by the key that the server itself gave to the program.
func (s *postgresSession) cancel(packet []byte) error {
	server, err := s.dial()
	if err != nil {
		return err
	}
	defer server.Close()
	if err := server.SetDeadline(time.Now().Add(cancelTimeout)); err != nil {
		return err
	}
	if _, err := server.Write(packet); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, server)
	return err
}
