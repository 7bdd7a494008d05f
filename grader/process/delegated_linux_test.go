package process

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// What /proc/self/cgroup and /proc/self/mountinfo say on machines of several kinds.
func TestFolderOfTheGroup(t *testing.T) {
	const unified = "30 25 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n"
	const old = "34 30 0:31 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n" +
		"35 30 0:32 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n" +
		"38 30 0:35 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n" +
		"40 30 0:37 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
	const hybrid = "9:name=systemd:/\n8:pids:/user.slice\n7:cpu,cpuacct:/a\n4:memory:/user.slice/x\n0::/user.slice/y\n"
	for _, test := range []struct {
		name, groups, mounts, controller string
		want                             string // "" for none
	}{
		{"systemd scope", "0::/user.slice/user-1000.slice/user@1000.service/app.slice/run-u42.scope\n", unified, "",
			"/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/run-u42.scope"},
		{"the root", "0::/\n", unified, "", "/sys/fs/cgroup"},
		{"no version 1", "0::/\n", unified, "memory", ""},
		{"hybrid, version 2", hybrid, old, "", "/sys/fs/cgroup/unified/user.slice/y"},
		{"hybrid, memory", hybrid, old, "memory", "/sys/fs/cgroup/memory/user.slice/x"},
		{"hybrid, pids", hybrid, old, "pids", "/sys/fs/cgroup/pids/user.slice"},
		{"hybrid, two in one", hybrid, old, "cpuacct", "/sys/fs/cgroup/cpu,cpuacct/a"},
		{"container without a namespace", "0::/docker/4fe1\n", "7 6 0:2 /docker/4fe1 /sys/fs/cgroup ro - cgroup2 cgroup rw\n", "", "/sys/fs/cgroup"},
		{"below that", "0::/docker/4fe1/leaf\n", "7 6 0:2 /docker/4fe1 /sys/fs/cgroup ro - cgroup2 cgroup rw\n", "", "/sys/fs/cgroup/leaf"},
		{"another of like name", "0::/docker/4fe12\n", "7 6 0:2 /docker/4fe1 /sys/fs/cgroup ro - cgroup2 cgroup rw\n", "", ""},
		{"outside of the namespace", "0::/../other\n", unified, "", ""},
		{"a mount with spaces", "0::/a\n", `7 6 0:2 / /mnt/control\040groups rw - cgroup2 none rw` + "\n", "", "/mnt/control groups/a"},
		{"a colon in the name", "0::/a:b\n", unified, "", "/sys/fs/cgroup/a:b"},
		{"not mounted", "0::/\n", "22 1 254:0 / / rw - ext4 /dev/vda rw\n", "", ""},
		{"no groups at all", "", "", "", ""},
		{"nonsense", "0\n:\n::\nx::y\n", "- - -\n1 2 - cgroup2\n", "", ""},
	} {
		m := &machine{groups: test.groups, mounts: test.mounts}
		got, err := m.folder(test.controller)
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%s: %q, %v; want %q", test.name, got, err, test.want)
		}
	}
}

// v2 lays out folders like a hierarchy of version 2. They are ordinary files:
// what the kernel makes of them is not tried here.
func v2(t *testing.T, own string, files map[string]string) (*machine, string) {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return &machine{
		groups: "0::" + own + "\n", mounts: "1 1 0:1 / " + root + " rw - cgroup2 cgroup2 rw\n",
		controllers: []string{"memory", "pids"},
	}, root
}

// TestNotOursToDivide: nothing is changed where cairn was not left a group.
func TestNotOursToDivide(t *testing.T) {
	whole := map[string]string{"a/cgroup.type": "domain\n", "a/cgroup.subtree_control": "", "a/cgroup.controllers": "cpu memory pids\n", "a/cgroup.procs": ""}
	with := func(name, content string) map[string]string {
		files := map[string]string{name: content}
		for n, c := range whole {
			if n != name {
				files[n] = c
			}
		}
		return files
	}
	stranger := strconv.Itoa(os.Getppid())
	for _, test := range []struct {
		name  string
		files map[string]string
		root  bool
		want  string
	}{
		{"no pids", with("a/cgroup.controllers", "cpu memory\n"), false, "has no controller for pids"},
		{"none", with("a/cgroup.controllers", "\n"), false, "has no controller for memory and pids"},
		{"shared", with("a/cgroup.procs", stranger+"\n"+strconv.Itoa(os.Getpid())+"\n"), false, "other programs are in the control group"},
		{"systemd's", whole, true, "is systemd's"},
	} {
		m, root := v2(t, "/a", test.files)
		m.root, m.systemd = test.root, true
		base, err := m.version2()
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %+v, %v; want %q", test.name, base, err, test.want)
		}
		if got, _ := os.ReadFile(root + "/a/cgroup.subtree_control"); len(got) > 0 {
			t.Errorf("%s: it wrote %q", test.name, got)
		}
		if _, err := os.Stat(root + "/a/" + homeGroup); err == nil {
			t.Errorf("%s: it left a leaf", test.name)
		}
	}
}

// TestDividesForReal moves a process that stands for cairn, and its child, into a
// leaf of a group of the kernel's, with a controller that version 2 has here.
func TestDividesForReal(t *testing.T) {
	m, err := readMachine()
	if err != nil {
		t.Fatal(err)
	}
	own, err := m.folder("")
	if err != nil || !m.root {
		t.Logf("only the layouts of version 2 are tried here: root %t, %v", m.root, err)
		return
	}
	data, _ := os.ReadFile(own + "/cgroup.controllers")
	have := strings.Fields(string(data))
	if len(have) == 0 || writeKnob(own+"/cgroup.subtree_control", "+"+have[0]) != nil {
		t.Logf("version 2 has no controller here that may be divided (it has %q)", have)
		return
	}
	for _, test := range []struct{ who, want string }{
		{"alone", "divided\n"},
		{"with a stranger", "other programs are in the control group of cairn\n"},
	} {
		t.Run(test.who, func(t *testing.T) {
			dir := filepath.Join(own, "cairn-test-"+strconv.Itoa(os.Getpid()))
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := removeGroupFolder(dir); err != nil {
					t.Error(err)
				}
			})
			if test.who != "alone" {
				stranger := exec.Command("/bin/sleep", "60")
				if err := stranger.Start(); err != nil {
					t.Fatal(err)
				}
				defer func() { _ = stranger.Process.Kill(); _ = stranger.Wait() }()
				if err := writeKnob(dir+"/cgroup.procs", strconv.Itoa(stranger.Process.Pid)); err != nil {
					t.Fatal(err)
				}
			}
			out, err := exec.Command("/proc/self/exe", "program=divider", dir, have[0]).CombinedOutput()
			if err != nil || string(out) != test.want {
				t.Errorf("%v: %s, want %s", err, out, test.want)
			}
		})
	}
}

// divider moves itself into a group, starts a child and divides the group.
func divider(args []string) {
	dir, controller := args[0], args[1]
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	must(writeKnob(dir+"/cgroup.procs", "0"))
	child := exec.Command("/bin/sleep", "60")
	must(child.Start())
	defer func() { _ = child.Process.Kill(); _ = child.Wait() }()
	m := &machine{controllers: []string{controller}}
	err := m.divide(dir)
	inLeaf := len(processesIn(dir+"/"+homeGroup)) == 1 // the child; we do not count ourselves
	if err != nil {
		if inLeaf || len(m.missing(dir, "cgroup.subtree_control")) == 0 {
			panic("it failed and changed something")
		}
		os.Stdout.WriteString(err.Error() + "\n")
		return
	}
	if !inLeaf || m.missing(dir, "cgroup.subtree_control") != nil {
		panic("it did not divide the group")
	}
	os.Stdout.WriteString("divided\n")
}

func init() { programs["divider"] = divider }
