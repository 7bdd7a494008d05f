package process

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Where control groups may be made is settled once per cairn: in the group that
// cairn itself is in, if that was left to it. With version 2 only a group
// without processes may divide its controllers among others, so cairn moves
// itself into a leaf first:
//
//	run-u42.scope          cairn was started here; systemd left it to us
//	├── cairn              cairn, supervisors, servers without containers
//	└── cairn-6x2k…        a program under examination, with its limits
//
// It moves nobody but itself and its own children. Where other processes share
// its group, nothing is changed and the watcher keeps the limits.

// homeGroup is the leaf that cairn moves into.
const homeGroup = "cairn"

// Limits tells what holds programs to their limits here. It is settled at the
// first call, which takes some milliseconds.
func Limits() Keeper {
	k, _ := keeper()
	return k
}

var keeper = sync.OnceValues(settleKeeper)

func settleKeeper() (Keeper, *groupBase) {
	if os.Getenv(limitsVariable) == string(ByWatcher) {
		return Keeper{By: ByWatcher, Why: limitsVariable + " says so"}, nil
	}
	m, err := readMachine()
	if err != nil {
		return Keeper{By: ByWatcher, Why: err.Error()}, nil
	}
	if base, err := m.version1(); err == nil {
		return Keeper{By: ByGroupV1, Where: base.Memory}, base
	}
	base, err := m.version2()
	if err != nil {
		var d *undelegatedError
		return Keeper{By: ByWatcher, Why: err.Error(), Give: m.systemd && errors.As(err, &d)}, nil
	}
	return Keeper{By: ByGroupV2, Where: base.Memory}, base
}

// undelegatedError means that a control group of cairn's own would do.
type undelegatedError struct{ why string }

func (e *undelegatedError) Error() string { return e.why }

// machine is what the kernel tells of control groups.
type machine struct {
	groups  string // of /proc/self/cgroup
	mounts  string // of /proc/self/mountinfo
	root    bool   // whether we are root
	systemd bool   // whether systemd looks after the groups

	controllers []string // that are needed
}

func readMachine() (*machine, error) {
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, errors.New("the kernel has no control groups")
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("mounts cannot be read: %w", err)
	}
	_, err = os.Stat("/run/systemd/system")
	return &machine{
		groups: string(groups), mounts: string(mounts),
		root: os.Geteuid() == 0, systemd: err == nil,
		controllers: []string{"memory", "pids"},
	}, nil
}

// version1 finds the older kind of groups, which are only root's to make.
func (m *machine) version1() (*groupBase, error) {
	memory, err := m.folder("memory")
	if err != nil {
		return nil, err
	}
	pids, err := m.folder("pids")
	if err != nil {
		return nil, err
	}
	if m.systemd {
		return nil, &undelegatedError{"control groups of version 1 are systemd's"}
	}
	base := &groupBase{Version: 1, Memory: memory, Pids: pids}
	return base, try(*base, memory, pids)
}

// version2 finds a group of version 2 that was left to us, and divides it.
func (m *machine) version2() (*groupBase, error) {
	own, err := m.folder("")
	if err != nil {
		return nil, err
	}
	if path.Base(own) == homeGroup { // of the cairn that started this one
		if parent := path.Dir(own); m.missing(parent, "cgroup.subtree_control") == nil {
			base := &groupBase{Version: 2, Memory: parent, Pids: parent}
			return base, try(*base, parent)
		}
	}
	if missing := m.missing(own, "cgroup.controllers"); missing != nil {
		return nil, &undelegatedError{"the control group of cairn has no controller for " + strings.Join(missing, " and ")}
	}
	if unix.Access(own, unix.W_OK) != nil || unix.Access(own+"/cgroup.subtree_control", unix.W_OK) != nil {
		return nil, &undelegatedError{"the control group of cairn belongs to somebody else"}
	}
	if m.root && m.systemd && !marked(own) {
		return nil, &undelegatedError{"the control group of cairn is systemd's"}
	}
	if err := m.divide(own); err != nil {
		return nil, err
	}
	base := &groupBase{Version: 2, Memory: own, Pids: own}
	return base, try(*base, own)
}

// marked tells whether systemd has left a group to whoever is in it.
func marked(dir string) bool {
	value := make([]byte, 8)
	for _, name := range []string{"user.delegate", "trusted.delegate"} {
		if n, err := unix.Getxattr(dir, name, value); err == nil && string(value[:n]) == "1" {
			return true
		}
	}
	return false
}

// divide lets the groups below own have the controllers, after cairn has moved
// into a leaf. When that cannot be done all is as before.
func (m *machine) divide(own string) error {
	if m.missing(own, "cgroup.subtree_control") == nil {
		return nil
	}
	home := filepath.Join(own, homeGroup)
	if _, err := os.Stat(own + "/cgroup.type"); err == nil { // the root of all groups may hold processes
		if err := moveHome(own, home); err != nil {
			return err
		}
	}
	if err := writeKnob(own+"/cgroup.subtree_control", "+"+strings.Join(m.controllers, " +")); err != nil {
		moveAll(home, own)
		_ = unix.Rmdir(home)
		return fmt.Errorf("the control group of cairn cannot be divided: %w", err)
	}
	return nil
}

// moveHome moves cairn and its children from own to home, unless somebody else
// is in own.
func moveHome(own, home string) error {
	for range 5 { // children may be born meanwhile
		others := processesIn(own)
		ours := descendants()
		if slices.ContainsFunc(others, func(pid int) bool { return !slices.Contains(ours, pid) && exists(pid) }) {
			moveAll(home, own)
			_ = unix.Rmdir(home)
			return &undelegatedError{"other programs are in the control group of cairn"}
		}
		if err := os.Mkdir(home, 0o755); err != nil && !os.IsExist(err) {
			return fmt.Errorf("make a control group for cairn: %w", err)
		}
		moveAll(own, home)
		if data, err := os.ReadFile(own + "/cgroup.procs"); err == nil && len(data) == 0 {
			return nil
		}
	}
	moveAll(home, own)
	_ = unix.Rmdir(home)
	return errors.New("cairn could not leave its control group")
}

func exists(pid int) bool { return unix.Kill(pid, 0) != unix.ESRCH }

// moveAll moves cairn and its children from one group to another.
func moveAll(from, to string) {
	data, _ := os.ReadFile(from + "/cgroup.procs")
	if strings.Contains("\n"+string(data), "\n"+strconv.Itoa(os.Getpid())+"\n") {
		_ = writeKnob(to+"/cgroup.procs", strconv.Itoa(os.Getpid()))
	}
	ours := descendants()
	for _, pid := range processesIn(from) {
		if slices.Contains(ours, pid) {
			_ = writeKnob(to+"/cgroup.procs", strconv.Itoa(pid))
		}
	}
}

// missing lists the controllers that a file of a group does not name; nil when
// it names all.
func (m *machine) missing(dir, file string) []string {
	data, _ := os.ReadFile(filepath.Join(dir, file))
	var missing []string
	for _, c := range m.controllers {
		if !slices.Contains(strings.Fields(string(data)), c) {
			missing = append(missing, c)
		}
	}
	return missing
}

// try makes a group with limits and removes it: whether all that works is known
// by nothing else. It also removes what killed supervisors have left.
func try(base groupBase, parents ...string) error {
	for _, dir := range parents {
		if err := unix.Access(dir, unix.W_OK); err != nil {
			return &undelegatedError{"the control group of cairn belongs to somebody else"}
		}
	}
	g, err := makeGroup(base, 64<<20, 1)
	if err != nil {
		return err
	}
	g.remove()
	sweepGroups(base)
	return nil
}

// folder returns where the group of this process lies that has a controller; ""
// asks for version 2.
func (m *machine) folder(controller string) (string, error) {
	own, ok := m.ownGroup(controller)
	if !ok {
		return "", fmt.Errorf("the kernel has no control groups for %s", orVersion2(controller))
	}
	for line := range strings.Lines(m.mounts) {
		root, point, ok := mountOf(line, controller)
		if !ok {
			continue
		}
		// What is not below the mounted root lies outside of our namespace.
		if root == "/" {
			root = ""
		}
		if rest, ok := strings.CutPrefix(own, root); ok && (rest == "" || rest[0] == '/') && !strings.HasPrefix(rest, "/..") {
			return path.Join(point, rest), nil
		}
	}
	return "", fmt.Errorf("control groups for %s are not mounted", orVersion2(controller))
}

func orVersion2(controller string) string {
	if controller == "" {
		return "all controllers (version 2)"
	}
	return controller
}

// ownGroup finds the path in a line such as "4:memory:/user" or "0::/user".
func (m *machine) ownGroup(controller string) (string, bool) {
	for line := range strings.Lines(m.groups) {
		fields := strings.SplitN(strings.TrimRight(line, "\n"), ":", 3)
		if len(fields) != 3 {
			continue
		}
		if controller == "" && fields[0] == "0" && fields[1] == "" {
			return fields[2], true
		}
		if controller != "" && slices.Contains(strings.Split(fields[1], ","), controller) {
			return fields[2], true
		}
	}
	return "", false
}

// mountOf reads a line of mountinfo: "34 30 0:31 /root /point rw - cgroup cgroup
// rw,memory". It tells whether the controller is mounted there.
func mountOf(line, controller string) (root, point string, ok bool) {
	before, after, found := strings.Cut(strings.TrimRight(line, "\n"), " - ")
	fields, kind := strings.Fields(before), strings.Fields(after)
	if !found || len(fields) < 5 || len(kind) < 3 {
		return "", "", false
	}
	if controller == "" {
		ok = kind[0] == "cgroup2"
	} else {
		ok = kind[0] == "cgroup" && slices.Contains(strings.Split(kind[2], ","), controller)
	}
	return unescaped.Replace(fields[3]), unescaped.Replace(fields[4]), ok
}

var unescaped = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
