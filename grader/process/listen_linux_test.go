package process

import (
	"net"
	"os"
	"slices"
	"testing"
)

func TestListening(t *testing.T) {
	four, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer four.Close()
	client, err := net.Dial("tcp", four.Addr().String()) // has a socket, and doesn't listen
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	want := []string{four.Addr().String()}
	if six, err := net.Listen("tcp6", "[::1]:0"); err == nil {
		defer six.Close()
		want = append(want, six.Addr().String())
	}
	got := (&Process{pid: os.Getpid()}).Listening()
	for _, addr := range want {
		if !slices.Contains(got, addr) {
			t.Errorf("%s is not among %q", addr, got)
		}
	}
	if slices.Contains(got, client.LocalAddr().String()) {
		t.Errorf("a client's %s is among %q", client.LocalAddr(), got)
	}
	if got := socketAddr("00000000000000000000000001000000:1F90"); got != "[::1]:8080" {
		t.Errorf("read %q", got)
	}
}
