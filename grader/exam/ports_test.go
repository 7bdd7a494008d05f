package exam

import "testing"

// TestPortsOfTwoSessions holds that a port stays with its session also while nobody listens there,
// and is free again when the session is over.
func TestPortsOfTwoSessions(t *testing.T) {
	first, second := &Session{}, &Session{}
	given := map[int]bool{}
	for range 300 {
		port, err := first.freePort()
		if err != nil {
			t.Fatal(err)
		}
		given[port] = true
	}
	if len(given) != 300 {
		t.Errorf("300 ports were %d different ones", len(given))
	}
	for range 300 {
		port, err := second.freePort()
		if err != nil {
			t.Fatal(err)
		}
		if given[port] {
			t.Errorf("port %d was given to both", port)
		}
	}
	first.returnPorts()
	for port := range given {
		if _, still := portsGiven.Load(port); still {
			t.Errorf("port %d was not given back", port)
		}
	}
	second.returnPorts()
}
