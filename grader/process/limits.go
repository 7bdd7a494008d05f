package process

// LimitsBy is what holds programs to their limits of memory and processes.
type LimitsBy string

// From the best to the worst.
const (
	ByGroupV2 LimitsBy = "cgroup v2" // the kernel, with a control group for each program
	ByGroupV1 LimitsBy = "cgroup v1" // the same, of the older kind
	ByWatcher LimitsBy = "watcher"   // the supervisor, which looks every 50 ms
	ByNobody  LimitsBy = "nobody"    // this system has no means that cairn knows
)

// Keeper tells how the limits are kept on this machine.
type Keeper struct {
	By    LimitsBy
	Where string // the folder that the groups are made in, "" without groups
	Why   string // why there are no groups, one clause; "" where there are
	Give  bool   // whether starting cairn in a control group of its own would help
}

// limitsVariable, set to "watcher", leaves control groups alone.
const limitsVariable = "CAIRN_LIMITS"

// tasksPerProcess is how many threads a process may have on average when a
// control group bounds the tree: the kernel counts threads, the limit processes.
// A Go program has about ten.
const tasksPerProcess = 16

// TasksFor is how many processes and threads together a tree may have where a
// control group bounds it.
func TasksFor(processLimit int) int { return tasksPerProcess * processLimit }

// groupBase is where control groups are made. It travels to supervisors.
type groupBase struct {
	Version int
	Memory  string // folder in the hierarchy of the memory controller
	Pids    string // the same of the pids controller; with version 2 the same folder
}

// folders lists the folders that a group of this name consists of.
func (b groupBase) folders(name string) []string {
	if b.Version == 2 {
		return []string{b.Memory + "/" + name}
	}
	return []string{b.Memory + "/" + name, b.Pids + "/" + name}
}

// parents lists the folders that groups lie in.
func (b groupBase) parents() []string {
	if b.Memory == b.Pids {
		return []string{b.Memory}
	}
	return []string{b.Memory, b.Pids}
}
