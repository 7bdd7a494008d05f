package wire

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// dialogue is a session with Redis without a network: what either side sends goes
// straight into a recorder, in pieces of a given size.
type dialogue struct {
	*redisRecorder
	piece int
	now   time.Time
	last  answer
}

func newDialogue(piece int) *dialogue {
	return &dialogue{redisRecorder: newRedisRecorder(NewLog(), "test", 1), piece: piece, now: epoch}
}

// resp encodes a command, its words parted by blanks.
func resp(command string) string {
	words := strings.Fields(command)
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, w := range words {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(w), w)
	}
	return b.String()
}

func (d *dialogue) program(commands ...string) {
	for _, c := range commands {
		d.programSends(resp(c))
	}
}

func (d *dialogue) programSends(stream string) {
	for p := range slices.Chunk([]byte(stream), d.piece) {
		d.requests(slices.Clone(p), d.now)
	}
}

func (d *dialogue) server(stream ...string) {
	for p := range slices.Chunk([]byte(strings.Join(stream, "")), d.piece) {
		d.last = d.answers(slices.Clone(p), d.now)
	}
}

func (d *dialogue) seen() []string { return oneLineEach(d.log.Commands()) }

func oneLineEach(commands []Command) []string {
	var lines []string
	for _, c := range commands {
		line := strings.Join(append([]string{c.Name}, c.Args...), " ") + " → " + c.Reply
		if c.Err != "" {
			line += "ERROR " + c.Err
		}
		for _, state := range []struct {
			is   bool
			word string
		}{{c.Pending, "pending"}, {c.Lost, "lost"}, {c.Skipped, "skipped"}, {c.InTx, "tx"}, {c.NoReply, "no reply"}} {
			if state.is {
				line += " " + state.word
			}
		}
		lines = append(lines, line)
	}
	return lines
}

func (d *dialogue) want(t *testing.T, want ...string) {
	t.Helper()
	if got := d.seen(); !slices.Equal(got, want) {
		t.Errorf("in pieces of %d the log shows\n\t%s\nwant\n\t%s", d.piece, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
	for _, n := range d.log.Notes() {
		t.Errorf("noted %q", n.Text)
	}
}

func TestRedisConversations(t *testing.T) {
	for name, c := range map[string]struct {
		program []string // commands; those that begin with "!" are sent as they are
		server  string
		want    []string
	}{
		"answers of all kinds": {
			[]string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m"},
			"+OK\r\n:-7\r\n$5\r\nhe\r\no\r\n$-1\r\n*-1\r\n_\r\n#t\r\n,1.5\r\n(3492890328409238509324850943850943825024385\r\n=8\r\ntxt:some\r\n-ERR no\r\n!8\r\nWRONG no\r\n$0\r\n\r\n",
			[]string{"A → OK", "B → -7", `C → "he\r\no"`, "D → nil", "E → nil", "F → nil", "G → true", "H → 1.5",
				"I → 3492890328409238509324850943850943825024385", `J → "some"`, "K → ERROR ERR no", "L → ERROR WRONG no", `M → ""`},
		},
		"nested": {
			[]string{"a", "b", "c", "d"},
			"*3\r\n*0\r\n*2\r\n:1\r\n$1\r\nx\r\n*-1\r\n%2\r\n+a\r\n:1\r\n$1\r\nb\r\n~1\r\n#f\r\n*0\r\n*2\r\n-ERR in\r\n_\r\n",
			[]string{`A → [[], [1, "x"], nil]`, `B → {a: 1, "b": [false]}`, "C → []", "D → [(error) ERR in, nil]"},
		},
		"attributes": {
			[]string{"a", "b"},
			"|1\r\n+ttl\r\n:5\r\n*2\r\n:1\r\n|1\r\n+x\r\n*1\r\n:9\r\n:2\r\n|0\r\n:3\r\n",
			[]string{"A → [1, 2]", "B → 3"},
		},
		"inline": {
			[]string{"!set a \"b c\\n\" 'd'\r\n\r\nping\n*0\r\n*-1\r\nGET ''\r\n"},
			"+OK\r\n+PONG\r\n$-1\r\n",
			[]string{"SET a b c\n d → OK", "PING → PONG", "GET  → nil"},
		},
		"pushes pair with nothing": {
			[]string{"hello 3", "get a", "get b"},
			"%1\r\n+proto\r\n:3\r\n>2\r\n+invalidate\r\n*1\r\n+a\r\n:1\r\n>3\r\n+message\r\n+c\r\n+hi\r\n:2\r\n>0\r\n",
			[]string{"HELLO 3 → {proto: 3}", "GET a → 1", "GET b → 2"},
		},
		"a transaction": {
			[]string{"multi", "incr a", "lpush a b", "get c", "exec", "get d"},
			"+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n:1\r\n-WRONGTYPE no\r\n*2\r\n:1\r\n:2\r\n+d\r\n",
			[]string{"MULTI → OK", "INCR a → 1 tx", "LPUSH a b → ERROR WRONGTYPE no tx", "GET c → [1, 2] tx",
				"EXEC → [1, (error) WRONGTYPE no, [1, 2]]", "GET d → d"},
		},
		"transactions given up": {
			[]string{"multi", "incr a", "exec", "multi", "incr b", "discard", "multi", "foo", "incr c", "exec", "multi", "incr d"},
			"+OK\r\n+QUEUED\r\n*-1\r\n+OK\r\n+QUEUED\r\n+OK\r\n+OK\r\n-ERR unknown\r\n+QUEUED\r\n-EXECABORT no\r\n+OK\r\n+QUEUED\r\n",
			[]string{"MULTI → OK", "INCR a →  skipped tx", "EXEC → nil", "MULTI → OK", "INCR b →  skipped tx", "DISCARD → OK",
				"MULTI → OK", "FOO → ERROR ERR unknown tx", "INCR c →  skipped tx", "EXEC → ERROR EXECABORT no",
				"MULTI → OK", "INCR d → QUEUED pending tx"},
		},
		"a subscription, RESP2": {
			[]string{"subscribe a b", "ping", "unsubscribe", "lrange l 0 -1"},
			"*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n" +
				"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n*2\r\n$4\r\npong\r\n$0\r\n\r\n" +
				"*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:0\r\n*1\r\n$7\r\nmessage\r\n",
			[]string{`SUBSCRIBE a b → ["subscribe", "b", 2]`, `PING → ["pong", ""]`, `UNSUBSCRIBE → ["unsubscribe", "a", 1]`, `LRANGE l 0 -1 → ["message"]`},
		},
		"a subscription, RESP3": {
			[]string{"subscribe a", "lrange l 0 -1", "psubscribe"},
			">3\r\n+subscribe\r\n+a\r\n:1\r\n>3\r\n+message\r\n+a\r\n+hi\r\n*1\r\n+message\r\n-ERR wrong number\r\n",
			[]string{"SUBSCRIBE a → [subscribe, a, 1]", "LRANGE l 0 -1 → [message]", "PSUBSCRIBE → ERROR ERR wrong number"},
		},
		"replies that nobody wants": {
			[]string{"client reply skip", "get a", "get b", "client reply off", "get c", "client reply on", "get d"},
			":1\r\n+OK\r\n:2\r\n",
			[]string{"CLIENT reply skip →  no reply", "GET a →  no reply", "GET b → 1", "CLIENT reply off →  no reply", "GET c →  no reply",
				"CLIENT reply on → OK", "GET d → 2"},
		},
		"secrets": {
			[]string{"auth secret", "auth user secret", "hello 3 auth user secret setname me", "config set requirepass secret", "acl setuser bob on >secret"},
			"+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n",
			[]string{"AUTH (masked) → OK", "AUTH (masked) (masked) → OK", "HELLO 3 auth (masked) (masked) setname me → OK",
				"CONFIG set requirepass (masked) → OK", "ACL setuser bob on (masked) → OK"},
		},
	} {
		for _, piece := range []int{1, 2, 3, 5, 7, 64, pieceSize} {
			t.Run(fmt.Sprintf("%s in pieces of %d", name, piece), func(t *testing.T) {
				d := newDialogue(piece)
				for _, command := range c.program {
					if raw, ok := strings.CutPrefix(command, "!"); ok {
						d.programSends(raw)
					} else {
						d.program(command)
					}
				}
				d.server(c.server)
				d.want(t, c.want...)
			})
		}
	}
}

func TestScriptsAreKnownByTheirHash(t *testing.T) {
	const hash = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db" // of "return 1", as redis-cli says
	d := newDialogue(7)
	d.program("evalsha " + hash + " 0")
	d.programSends("*3\r\n$4\r\neval\r\n$8\r\nreturn 1\r\n$1\r\n0\r\n*3\r\n$6\r\nscript\r\n$4\r\nload\r\n$8\r\nreturn 2\r\n")
	d.program("evalsha "+strings.ToUpper(hash)+" 0", "get a", "evalsha abc 0")
	d.server("-NOSCRIPT No matching script.\r\n:1\r\n+x\r\n:1\r\n")
	var got []string
	for _, c := range d.log.Commands() {
		got = append(got, fmt.Sprintf("%s %v %q", c.Name, c.RunsScript(), c.Script))
	}
	want := []string{`EVALSHA true "return 1"`, `EVAL true "return 1"`, `SCRIPT false "return 2"`, `EVALSHA true "return 1"`, `GET false ""`, `EVALSHA true ""`}
	if !slices.Equal(got, want) {
		t.Errorf("seen %q, want %q", got, want)
	}
}

// TestCommandsAreBounded: long and many arguments, long answers.
func TestCommandsAreBounded(t *testing.T) {
	d := newDialogue(pieceSize)
	d.program("set " + strings.Repeat("k", 5000) + strings.Repeat(" x", 3*maxParams))
	d.program("lrange l 0 -1", "get a", strings.Repeat("n", 5000))
	d.server("+", strings.Repeat("y", 5000), "\r\n*5000\r\n", strings.Repeat("$300\r\n"+strings.Repeat("z", 300)+"\r\n", 5000))
	d.server("$100000\r\n", strings.Repeat("\x01", 100000), "\r\n-ERR ", strings.Repeat("e", 5000), "\r\n")
	all := d.log.Commands()
	if got := all[0].Args; len(got) != maxParams+1 || len(got[0]) != maxCommandArg+len("…") || got[maxParams] != "… 201 more" {
		t.Errorf("%d arguments of a long command, the last %q", len(got), got[len(got)-1])
	}
	for _, c := range all {
		if c.Pending || len(c.Name) > maxName || len(c.Reply) > 3*maxReply || len(c.Err) > maxMessage+len("…") {
			t.Errorf("%.20s… with a reply of %d and an error of %d bytes", c.Name, len(c.Reply), len(c.Err))
		}
	}
	if n := cap(d.in.body.kept) + cap(d.out.body.kept) + cap(d.in.line.kept) + cap(d.out.line.kept) + cap(d.out.respReply.text); n > 20<<10 {
		t.Errorf("%d bytes are buffered", n)
	}
}

// TestMalformedRESP: what is no RESP ends the recording with a note, and nothing
// else.
func TestMalformedRESP(t *testing.T) {
	for _, piece := range []int{1, 3, pieceSize} {
		for side, streams := range map[string][]string{
			"the program": {"*x\r\n", "*1\r\n:1\r\n", "*1\r\n$-1\r\n", "*1\r\n$1\r\nabc", "*99999999999\r\n", "*1\r\n$99999999999999\r\n",
				"get \"a\r\n", "*" + strings.Repeat("1", 100), strings.Repeat("x", maxInline+10), "*1\r\n$" + strings.Repeat("0", 100)},
			"the server": {"?\r\n", "\r\n", "$x\r\n", "$-2\r\n", "$3\r\nabcde\r\n", "*99999999999\r\n", "$?\r\n", strings.Repeat("*1\r\n", maxDepth+1)},
		} {
			for _, stream := range streams {
				d := newDialogue(piece)
				d.program("get a")
				if side == "the program" {
					d.programSends(stream)
				} else {
					d.server(stream)
				}
				d.program("get b")
				d.server("+OK\r\n")
				notes := d.log.Notes()
				if len(notes) != 1 || !strings.Contains(notes[0].Text, side+" sent") || notes[0].Session != 1 {
					t.Errorf("%.40q from %s is noted as %v", stream, side, notes)
				}
				if seen := d.seen(); !slices.Equal(seen, []string{"GET a →  pending"}) {
					t.Errorf("%.40q from %s leaves %q", stream, side, seen)
				}
				d.end(d.now)
				if c := d.log.Commands()[0]; c.Pending || !c.Lost {
					t.Errorf("%.40q from %s leaves %+v at the end", stream, side, c)
				}
			}
		}
	}
}

func TestMonitorAndReplicationPassThrough(t *testing.T) {
	for command, reply := range map[string]string{"monitor": "+OK\r\n+1.2 [0 127.0.0.1:1] \"get\" \"a\"\r\n", "psync ? -1": "+CONTINUE\r\n\n\nREDIS0012"} {
		d := newDialogue(5)
		d.program(command, "get a")
		d.server(reply)
		d.program("get b")
		if notes := d.log.Notes(); len(notes) != 1 || !strings.Contains(notes[0].Text, "not recorded any further") {
			t.Errorf("%s is noted as %v", command, notes)
		}
	}
}

func TestTooManyCommandsEndTheSession(t *testing.T) {
	d := newDialogue(pieceSize)
	one := resp("ping")
	if req := d.requests([]byte(strings.Repeat(one, maxQueue)), d.now); req.flood {
		t.Error("the session ends too early")
	}
	if req := d.requests([]byte(strings.Repeat(one, 10)), d.now); !req.flood {
		t.Error("the session goes on")
	}
	if notes := d.log.Notes(); len(notes) != 1 || !strings.Contains(notes[0].Text, "connection is closed") {
		t.Errorf("noted %v", notes)
	}
}

// TestOneOrder: statements and commands share their numbers and marks.
func TestOneOrder(t *testing.T) {
	l := NewLog()
	r := newRedisRecorder(l, "test", 1)
	begin(l, "select 1")
	r.requests([]byte(resp("get a")), epoch)
	mark := l.Mark()
	begin(l, "select 2")
	r.requests([]byte(resp("get b")), epoch)
	statements, commands := l.Since(mark), l.CommandsSince(mark)
	if len(statements) != 1 || statements[0].Seq != 3 || len(commands) != 1 || commands[0].Seq != 4 {
		t.Errorf("since the mark %+v and %+v", statements, commands)
	}
	if all := l.Commands(); len(all) != 2 || all[0].Seq != 2 {
		t.Errorf("all commands: %+v", all)
	}
}
