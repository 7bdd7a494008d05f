package process

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// programs are the programs under supervision in these tests. The test binary
// plays them when its first argument names one; it gets no help from its
// environment, which is the Spec's alone.
var programs = map[string]func(args []string){
	"hello": func([]string) {
		fmt.Println("to stdout")
		fmt.Fprintln(os.Stderr, "to stderr")
	},
	"exit":  func([]string) { os.Exit(7) },
	"panic": func([]string) { panic("no such account") },
	"wait": func([]string) {
		fmt.Println("ready")
		select {}
	},
	"term": func([]string) {
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGTERM)
		fmt.Println("ready")
		<-signals
		fmt.Println("bye")
	},
	"deaf": func([]string) {
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGQUIT)
		fmt.Println("ready")
		select {}
	},
	"environment": func([]string) {
		dir, _ := os.Getwd()
		fmt.Printf("dir %s\nenv %q\nargs %q\n", dir, os.Environ(), os.Args[2:])
	},
	"descriptors": descriptors,
	"shout": func([]string) {
		line := strings.Repeat("x", 999) + "\n"
		for range 500_000 {
			if _, err := io.WriteString(os.Stdout, line); err != nil {
				return
			}
		}
	},
	"longline": func([]string) {
		io.WriteString(os.Stdout, strings.Repeat("y", 200_000)+"\nnext\n")
	},
	"memory": func([]string) {
		var hold [][]byte
		for range 1 << 12 {
			b := make([]byte, 1<<20)
			for i := range b {
				b[i] = 1
			}
			hold = append(hold, b)
		}
		fmt.Println(len(hold))
		select {}
	},
	"deadlock": func([]string) {
		entered := make(chan bool)
		go func() { stuckWorker(func() { entered <- true }) }()
		<-entered
		stuckWorker(func() { fmt.Println("ready") })
	},
	"parent": parent,
	"cairn":  fakeCairn,
}

// descriptors prints every open file descriptor but the one it reads them by,
// whether stdout blocks, and what it can learn of its parent.
func descriptors([]string) {
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		target, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err == nil && !runtimes(target) {
			kind, _, _ := strings.Cut(target, ":")
			fmt.Printf("fd %s %s\n", e.Name(), kind)
		}
	}
	flags, _, _ := syscall.Syscall(syscall.SYS_FCNTL, 1, syscall.F_GETFL, 0)
	fmt.Printf("nonblocking %t\n", flags&syscall.O_NONBLOCK != 0)
	above := fmt.Sprintf("/proc/%d/", os.Getppid())
	for _, name := range []string{"comm", "cmdline", "environ"} {
		content, _ := os.ReadFile(above + name)
		fmt.Printf("parent %s %q\n", name, content)
	}
}

// runtimes tells whether the Go runtime of the program itself opened a file.
func runtimes(target string) bool {
	for _, prefix := range []string{"/proc/", "anon_inode:", "/sys/fs/cgroup/"} {
		if strings.HasPrefix(target, prefix) {
			return true
		}
	}
	return false
}

//go:noinline
func stuckWorker(announce func()) {
	announce()
	<-make(chan bool)
}

// tell writes a line to a unix socket that the test listens on: the one way in
// which a child that lost its pipes can still be heard. The connection ends when
// the process does.
func tell(socket, line string) net.Conn {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(conn, line)
	return conn
}

// parent starts children of a kind, waits for nothing, and stays or leaves.
// Arguments: socket, "stay" or "leave", then kinds of children.
func parent(args []string) {
	for _, kind := range args[2:] {
		cmd := exec.Command("/proc/self/exe", "program=child", args[0], kind)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: kind == "setsid", Setpgid: kind == "group"}
		if err := cmd.Start(); err != nil {
			panic(err)
		}
	}
	conn := tell(args[0], "parent")
	if args[1] == "leave" {
		// Until every child has been heard.
		bufio.NewReader(conn).ReadString('\n')
		os.Exit(3)
	}
	select {}
}

// child outlives its parent. A "daemon" forks once more, out of the session.
func child(args []string) {
	signal.Ignore(syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT)
	if args[1] == "daemon" {
		cmd := exec.Command("/proc/self/exe", "program=child", args[0], "grandchild")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			panic(err)
		}
		os.Exit(0)
	}
	tell(args[0], args[1])
	select {}
}

// fakeCairn starts a program as cairn does and waits to be killed.
func fakeCairn(args []string) {
	_, err := Start(context.Background(), Spec{Path: args[0], Args: append([]string{"program=parent"}, args[1:]...)})
	if err != nil {
		panic(err)
	}
	select {}
}

func TestMain(m *testing.M) {
	SuperviseIfAsked()
	programs["child"], programs["handout"] = child, handOut
	if len(os.Args) > 1 {
		if name, ok := strings.CutPrefix(os.Args[1], "program="); ok {
			programs[name](os.Args[2:])
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

// spec is a Spec that runs one of the programs.
func spec(t testing.TB, name string, args ...string) Spec {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Spec{Path: self, Args: append([]string{"program=" + name}, args...)}
}

func start(t testing.TB, s Spec) *Process {
	t.Helper()
	p, err := Start(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

// over waits for the end of a program.
func over(t testing.TB, p *Process) Exit {
	t.Helper()
	select {
	case <-p.Done():
	case <-time.After(time.Minute):
		t.Fatalf("the program has not ended; it printed:\n%s", p.Output())
	}
	e, ok := p.Exit()
	if !ok {
		t.Fatal("Exit knows nothing after Done")
	}
	return e
}

// witness listens for the children of "parent".
type witness struct {
	socket string
	lines  chan string
	closed chan string
	conns  chan net.Conn
}

func newWitness(t *testing.T) *witness {
	t.Helper()
	dir, err := os.MkdirTemp("", "witness")
	if err != nil {
		t.Fatal(err)
	}
	w := &witness{
		socket: filepath.Join(dir, "s"), lines: make(chan string, 64),
		closed: make(chan string, 64), conns: make(chan net.Conn, 64),
	}
	listener, err := net.Listen("unix", w.socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close(); os.RemoveAll(dir) })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go w.hear(conn)
		}
	}()
	return w
}

func (w *witness) hear(conn net.Conn) {
	r := bufio.NewReader(conn)
	line, err := r.ReadString('\n')
	if err != nil {
		return
	}
	line = strings.TrimSpace(line)
	w.conns <- conn
	w.lines <- line
	_, _ = r.ReadByte() // ends when the process does
	w.closed <- line
}

// await gets n messages from a channel.
func await(t *testing.T, from <-chan string, n int, what string) []string {
	t.Helper()
	var all []string
	for len(all) < n {
		select {
		case line := <-from:
			all = append(all, line)
		case <-time.After(30 * time.Second):
			t.Fatalf("%s: only %q of %d", what, all, n)
		}
	}
	return all
}
