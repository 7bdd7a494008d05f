package wire

import "time"

// Command is one command that the program sent to Redis, as seen on the wire.
type Command struct {
	Seq      int      // order of start within the Log, from 1, among statements too
	Listener string   // the proxy it went through, e.g. "instance 1"
	Session  int      // number of the connection, from 1, unique within the Log
	Name     string   // in upper case, e.g. "GET", "EVALSHA"
	Args     []string // what follows the name; long ones are cut and end in "…", secrets are "(masked)"

	// Reply is the answer in short, much as redis-cli shows it: OK, 3, "text",
	// nil, [1, "a"], {"a": 1}. It is cut where it is long. "" while there is none,
	// and where the answer is an error.
	Reply string
	// Err is the error that the server answered, with its code: "ERR syntax error";
	// "" unless it did.
	Err string

	// Script is the source of the Lua script that the command ran or loaded: of
	// EVAL and SCRIPT LOAD what they sent, of EVALSHA what the same log has seen
	// under that hash, whenever that was. "" where that is not known.
	Script string

	// Start is when the command reached the proxy. Duration runs from there until
	// its answer is complete (or until the connection ended, if Lost); 0 while
	// Pending. A queued command of a transaction is answered by EXEC.
	Start    time.Time
	Duration time.Duration

	Pending bool // not answered yet
	Lost    bool // the connection ended before the answer
	Skipped bool // queued in a transaction that was given up: DISCARD, WATCH or an error
	InTx    bool // sent between MULTI and EXEC
	NoReply bool // the program asked for no reply (CLIENT REPLY)
}

// End returns when the command was answered; Start while it is pending.
func (c Command) End() time.Time { return c.Start.Add(c.Duration) }

// RunsScript reports whether the command runs a script or a function on the
// server.
func (c Command) RunsScript() bool {
	switch c.Name {
	case "EVAL", "EVAL_RO", "EVALSHA", "EVALSHA_RO", "FCALL", "FCALL_RO":
		return true
	}
	return false
}

// Setup reports whether the command belongs to its connection rather than to the
// program's work: HELLO, AUTH, SELECT and the like, which clients send by
// themselves. It says so of PING as little as of GET.
func (c Command) Setup() bool {
	switch c.Name {
	case "HELLO", "AUTH", "SELECT", "CLIENT", "COMMAND", "READONLY":
		return true
	}
	return false
}

// Limits of what a Log keeps of a command.
const (
	maxReply      = 200      // bytes of a rendered answer
	maxExecReply  = 16 << 10 // … of that of EXEC, which answers many commands
	maxScript     = 64 << 10 // bytes of a script; a longer one is not known by its hash
	maxScripts    = 256
	maxCommandArg = maxParam
)
