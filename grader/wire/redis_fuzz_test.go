package wire

import (
	"reflect"
	"slices"
	"testing"
	"time"
)

const (
	// commandsOfAllKinds is what a program may have sent when the server answers.
	commandsOfAllKinds = "*2\r\n$5\r\nhello\r\n$1\r\n3\r\n*3\r\n$4\r\nEVAL\r\n$8\r\nreturn 1\r\n$1\r\n0\r\nPING 'a b'\r\n*1\r\n$5\r\nMULTI\r\n" +
		"*2\r\n$4\r\nINCR\r\n$1\r\na\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n*1\r\n$4\r\nEXEC\r\n*3\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n$1\r\nb\r\n" +
		"*2\r\n$11\r\nUNSUBSCRIBE\r\n$1\r\na\r\n*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$4\r\nSKIP\r\n*1\r\n$4\r\nPING\r\n*0\r\n" +
		"*1\r\n$5\r\nMULTI\r\n*1\r\n$4\r\nPING\r\n*1\r\n$7\r\nDISCARD\r\n*2\r\n$4\r\nAUTH\r\n$1\r\nx\r\n*1\r\n$5\r\nRESET\r\n*1\r\n$7\r\nMONITOR\r\n"
	// repliesOfAllKinds is what the server may say to that.
	repliesOfAllKinds = "%1\r\n+proto\r\n:3\r\n>2\r\n+invalidate\r\n_\r\n:1\r\n|1\r\n+a\r\n,1.5\r\n$3\r\na b\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n" +
		"*2\r\n:1\r\n-ERR no\r\n>3\r\n+subscribe\r\n+a\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n" +
		"*3\r\n+unsubscribe\r\n+a\r\n:1\r\n+OK\r\n+QUEUED\r\n+OK\r\n!5\r\nERR x\r\n+RESET\r\n+OK\r\n*1\r\n~1\r\n*1\r\n#t\r\n=5\r\ntxt:a\r\n(12\r\n"
)

func seedRESP(f *testing.F, stream string) {
	f.Add([]byte(stream), 3)
	for i := 1; i < len(stream); i += 1 + len(stream)/7 {
		f.Add([]byte(stream[i:]), i)
	}
}

// FuzzRESPCommand feeds a session with whatever a program may send. However the
// bytes are cut into pieces, the same must be recorded.
func FuzzRESPCommand(f *testing.F) {
	seedRESP(f, commandsOfAllKinds)
	f.Fuzz(func(t *testing.T, data []byte, piece int) {
		sameDialogue(t, data, piece, func(d *dialogue, p []byte) { d.requests(p, d.now) }, func(d *dialogue) {
			d.server(repliesOfAllKinds)
		})
	})
}

// FuzzRESPReply feeds a session with whatever a server may answer to commands of
// all kinds.
func FuzzRESPReply(f *testing.F) {
	seedRESP(f, repliesOfAllKinds)
	f.Fuzz(func(t *testing.T, data []byte, piece int) {
		sameDialogue(t, data, piece, func(d *dialogue, p []byte) { d.answers(p, d.now) }, func(d *dialogue) {
			d.programSends(commandsOfAllKinds)
			d.server(repliesOfAllKinds)
		})
	})
}

// sameDialogue feeds data in one piece and in several, and compares.
func sameDialogue(t *testing.T, data []byte, piece int, feed func(*dialogue, []byte), after func(*dialogue)) {
	data = data[:min(len(data), pieceSize)]
	piece = 1 + max(piece, -piece, 0)%64
	record := func(size int) ([]Command, []string) {
		d := newDialogue(pieceSize)
		d.programSends(commandsOfAllKinds)
		for p := range slices.Chunk(data, size) {
			feed(d, slices.Clone(p))
		}
		after(d)
		d.end(d.now.Add(time.Second))
		commands := d.log.Commands()
		for _, c := range commands {
			if c.Pending {
				t.Errorf("still pending after the end: %+v", c)
			}
			if len(c.Reply) > 3*maxReply || len(c.Args) > maxParams+1 {
				t.Errorf("too long: %+v", c)
			}
		}
		var notes []string
		for _, n := range d.log.Notes() {
			notes = append(notes, n.Text)
		}
		return commands, notes
	}
	whole, notes := record(max(len(data), 1))
	pieces, notesInPieces := record(piece)
	if !reflect.DeepEqual(whole, pieces) || !slices.Equal(notes, notesInPieces) {
		t.Errorf("recorded %+v (%q) in one piece, %+v (%q) in pieces of %d", whole, notes, pieces, notesInPieces, piece)
	}
}
