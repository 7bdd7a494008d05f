//go:build unix && !linux

package process

// Listening lists the addresses on which the program accepts connections. It is
// known on Linux only.
func (p *Process) Listening() []string { return nil }
