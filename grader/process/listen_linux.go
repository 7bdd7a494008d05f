package process

import (
	"bytes"
	"encoding/hex"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Listening lists the addresses on which the program accepts connections, such as
// "127.0.0.1:8080", sorted. It is known on Linux only.
func (p *Process) Listening() []string {
	proc := "/proc/" + strconv.Itoa(p.pid)
	files, _ := filepath.Glob(proc + "/fd/*")
	own := map[string]bool{}
	for _, f := range files {
		if link, err := os.Readlink(f); err == nil {
			own[strings.TrimSuffix(strings.TrimPrefix(link, "socket:["), "]")] = true
		}
	}
	var all []string
	for _, table := range []string{"/net/tcp", "/net/tcp6"} {
		data, _ := os.ReadFile(proc + table)
		for line := range bytes.Lines(data) {
			const local, state, inode = 1, 3, 9
			fields := strings.Fields(string(line))
			if len(fields) <= inode || fields[state] != "0A" || !own[fields[inode]] {
				continue
			}
			if addr := socketAddr(fields[local]); addr != "" && !slices.Contains(all, addr) {
				all = append(all, addr)
			}
		}
	}
	slices.Sort(all)
	return all
}

// socketAddr reads an address as the kernel's tables have it: "0100007F:1F90",
// words of four bytes in the machine's order, which is the small end first.
func socketAddr(text string) string {
	host, port, _ := strings.Cut(text, ":")
	ip, err := hex.DecodeString(host)
	number, err2 := strconv.ParseUint(port, 16, 16)
	if err != nil || err2 != nil || len(ip)%4 != 0 {
		return ""
	}
	for i := 0; i < len(ip); i += 4 {
		slices.Reverse(ip[i : i+4])
	}
	return net.JoinHostPort(net.IP(ip).String(), strconv.FormatUint(number, 10))
}
