package exam

import "testing"

func TestFromTheEnd(t *testing.T) {
	const (
		handled = "2026/01/02 03:04:05 http: panic serving 127.0.0.1:4711: no berth\ngoroutine 7 [running]:\npanic({0x1, 0x2})\n"
		fatal   = "fatal error: concurrent map writes\n\ngoroutine 9 [running]:\n"
	)
	for _, test := range []struct{ name, output, want string }{
		{"nothing", "listening\n", "listening\n"},
		{"a handler's panic alone", handled, handled},
		{"a handler's panic before", handled + fatal, fatal},
		{"a handler's panic behind", "panic: no disk\n" + handled, "panic: no disk\n" + handled},
	} {
		if got := fromTheEnd(test.output); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}
