package wire

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"
)

// conversation is a session without a network: what either side sends goes
// straight into a recorder, in pieces of a given size.
type conversation struct {
	*recorder
	piece int
	now   time.Time
	last  answer
}

func converse(piece int) *conversation {
	c := &conversation{recorder: newRecorder(NewLog(), "test", 1), piece: piece, now: epoch}
	c.server(&pgproto3.AuthenticationOk{}, &pgproto3.ReadyForQuery{TxStatus: 'I'})
	return c
}

func encode[M interface{ Encode([]byte) ([]byte, error) }](messages []M) []byte {
	var b []byte
	for _, m := range messages {
		var err error
		if b, err = m.Encode(b); err != nil {
			panic(err)
		}
	}
	return b
}

func (c *conversation) program(messages ...pgproto3.FrontendMessage) {
	for p := range slices.Chunk(encode(messages), c.piece) {
		c.requests(slices.Clone(p), c.now)
	}
}

func (c *conversation) server(messages ...pgproto3.BackendMessage) {
	for p := range slices.Chunk(encode(messages), c.piece) {
		c.last = c.answers(slices.Clone(p), c.now)
	}
}

// seen returns SQL, tag, rows and what became of each statement.
func (c *conversation) seen() []string {
	var lines []string
	for _, s := range c.log.Statements() {
		line := fmt.Sprintf("%s → %s %d", s.SQL, s.Tag, s.Rows)
		switch {
		case s.Pending:
			line += " pending"
		case s.Skipped:
			line += " skipped"
		case s.Lost:
			line += " lost"
		case s.Err != nil:
			line += " " + s.Err.Code
		}
		lines = append(lines, line)
	}
	return lines
}

func (c *conversation) want(t *testing.T, want ...string) {
	t.Helper()
	if got := c.seen(); !slices.Equal(got, want) {
		t.Errorf("in pieces of %d the log shows\n\t%s\nwant\n\t%s", c.piece, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
	for _, n := range c.log.Notes() {
		t.Errorf("noted %q", n.Text)
	}
}

func tag(s string) *pgproto3.CommandComplete { return &pgproto3.CommandComplete{CommandTag: []byte(s)} }

var ready = &pgproto3.ReadyForQuery{TxStatus: 'I'}

// inPieces runs a script with messages cut at every kind of place.
func inPieces(t *testing.T, script func(t *testing.T, c *conversation)) {
	t.Helper()
	for _, piece := range []int{1, 2, 3, 5, 7, 64, pieceSize} {
		script(t, converse(piece))
	}
}

func TestStatementOutlivesItsPieces(t *testing.T) {
	inPieces(t, func(t *testing.T, c *conversation) {
		c.program(
			&pgproto3.Parse{Name: "s", Query: "select $1, $2", ParameterOIDs: []uint32{pgtype.Int4OID, 0}},
			&pgproto3.Describe{ObjectType: 'S', Name: "s"}, &pgproto3.Sync{})
		c.server(&pgproto3.ParseComplete{},
			&pgproto3.ParameterDescription{ParameterOIDs: []uint32{pgtype.Int4OID, pgtype.TextOID}},
			&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("a"), DataTypeOID: pgtype.Int8OID}}}, ready)
		c.want(t)
		c.program(
			&pgproto3.Bind{PreparedStatement: "s", ParameterFormatCodes: []int16{1, 0},
				Parameters: [][]byte{{0, 0, 1, 0}, []byte("x")}, ResultFormatCodes: []int16{1}},
			&pgproto3.Execute{}, &pgproto3.Sync{})
		c.want(t, "select $1, $2 →  -1 pending")
		c.server(&pgproto3.BindComplete{},
			&pgproto3.DataRow{Values: [][]byte{{0, 0, 0, 0, 0, 0, 2, 0}}}, &pgproto3.DataRow{Values: [][]byte{nil}},
			tag("SELECT 2"), &pgproto3.ReadyForQuery{TxStatus: 'T'})
		c.want(t, "select $1, $2 → SELECT 2 2")
		s := c.log.Statements()[0]
		want := Statement{
			Seq: 1, Listener: "test", Session: 1, SQL: "select $1, $2", Params: []string{"256", "x"}, Rows: 2,
			Tag: "SELECT 2", Start: epoch, Columns: []string{"a"}, FirstRow: []string{"512"}, TxStatus: 'T',
		}
		if !reflect.DeepEqual(s, want) {
			t.Errorf("recorded %+v, want %+v", s, want)
		}
	})
}

func TestCopyIgnoresEarlySync(t *testing.T) {
	inPieces(t, func(t *testing.T, c *conversation) {
		c.program(&pgproto3.Parse{Query: "copy t from stdin"}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Sync{})
		c.server(&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, &pgproto3.CopyInResponse{})
		c.program(&pgproto3.CopyData{Data: []byte("1\n")}, &pgproto3.Sync{}, &pgproto3.CopyDone{}, &pgproto3.Sync{})
		c.server(tag("COPY 1"), ready)
		c.program(&pgproto3.Query{String: "select 1"})
		c.server(tag("SELECT 1"), ready)
		c.want(t, "copy t from stdin → COPY 1 1", "select 1 → SELECT 1 1")
	})
}

func TestCopyFails(t *testing.T) {
	inPieces(t, func(t *testing.T, c *conversation) {
		c.program(&pgproto3.Query{String: "copy t from stdin; select 2"})
		c.server(&pgproto3.CopyInResponse{})
		c.program(&pgproto3.CopyData{Data: []byte("1\n")}, &pgproto3.CopyFail{Message: "no more"})
		c.server(&pgproto3.ErrorResponse{Code: "57014"}, ready)
		c.program(&pgproto3.Query{String: "select 1"})
		c.server(tag("SELECT 1"), ready)
		c.want(t, "copy t from stdin →  -1 57014", "select 2 →  -1 skipped", "select 1 → SELECT 1 1")
	})
}

func TestPortalInPortions(t *testing.T) {
	inPieces(t, func(t *testing.T, c *conversation) {
		c.program(&pgproto3.Parse{Query: "table t"}, &pgproto3.Bind{DestinationPortal: "p"},
			&pgproto3.Execute{Portal: "p", MaxRows: 2}, &pgproto3.Execute{Portal: "p", MaxRows: 2},
			&pgproto3.Close{ObjectType: 'P', Name: "p"}, &pgproto3.Sync{})
		row := &pgproto3.DataRow{Values: [][]byte{[]byte("1")}}
		c.server(&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, row, row, &pgproto3.PortalSuspended{},
			row, tag("SELECT 1"), &pgproto3.CloseComplete{}, ready)
		c.program(&pgproto3.Execute{Portal: "p"}, &pgproto3.Sync{})
		c.server(&pgproto3.ErrorResponse{Code: "34000"}, ready)
		c.want(t, "table t →  2", "table t → SELECT 1 1", "(a portal opened in SQL) →  -1 34000")
	})
}

func TestMessagesBesideTheAnswers(t *testing.T) {
	inPieces(t, func(t *testing.T, c *conversation) {
		c.program(&pgproto3.Query{String: "select 1"})
		c.server(&pgproto3.NoticeResponse{Message: "by the way"}, &pgproto3.ParameterStatus{Name: "TimeZone", Value: "UTC"},
			&pgproto3.NotificationResponse{Channel: "c"}, tag("SELECT 1"), ready, &pgproto3.NotificationResponse{Channel: "d"})
		c.program(&pgproto3.Terminate{})
		c.want(t, "select 1 → SELECT 1 1")
	})
}

func TestFunctionCall(t *testing.T) {
	inPieces(t, func(t *testing.T, c *conversation) {
		c.program(&pgproto3.FunctionCall{Function: 31, Arguments: [][]byte{{1}}})
		c.server(&pgproto3.FunctionCallResponse{Result: []byte("x")}, ready)
		c.program(&pgproto3.Query{String: "select 1"})
		c.server(tag("SELECT 1"), ready)
		c.want(t, "(call of function 31) → FUNCTION CALL -1", "select 1 → SELECT 1 1")
	})
}

// TestStatementNotSeen: a name from before the recording, or from SQL's PREPARE.
func TestStatementNotSeen(t *testing.T) {
	inPieces(t, func(t *testing.T, c *conversation) {
		c.program(&pgproto3.Bind{PreparedStatement: "of old"}, &pgproto3.Execute{}, &pgproto3.Sync{})
		c.server(&pgproto3.BindComplete{}, tag("SELECT 1"), ready)
		c.want(t, `(prepared statement "of old") → SELECT 1 1`)
	})
}

func TestSessionEndsWithStatementsOut(t *testing.T) {
	c := converse(64)
	c.program(&pgproto3.Query{String: "select 1; select 2"})
	c.server(tag("SELECT 1"))
	c.end(c.now.Add(time.Second))
	c.want(t, "select 1 → SELECT 1 1", "select 2 →  -1 lost")
	if d := c.log.Statements()[1].Duration; d != time.Second {
		t.Errorf("the lost one took %v", d)
	}
}

// TestMoreAnswersThanStatements: whatever the server sends, the next request is
// told apart again.
func TestMoreAnswersThanStatements(t *testing.T) {
	c := converse(64)
	c.program(&pgproto3.Query{String: "select 1"})
	c.server(tag("SELECT 1"), tag("SELECT 2"), &pgproto3.ParseComplete{}, &pgproto3.NoData{}, ready, tag("SELECT 3"), ready)
	c.program(&pgproto3.Query{String: "select 4"})
	c.server(tag("SELECT 4"), ready)
	c.want(t, "select 1 → SELECT 1 1", "select 4 → SELECT 4 4")
}

func TestMalformedMessagesEndTheRecording(t *testing.T) {
	for name, bytes := range map[string]string{
		"length below itself": "Q\x00\x00\x00\x03",
		"length of 2 GB":      "Q\x7f\xff\xff\xff",
		"negative length":     "Q\xff\xff\xff\xff",
		"unknown type":        "\x00\x00\x00\x00\x04",
	} {
		for _, side := range []string{"the program", "the server"} {
			c := converse(64)
			c.program(&pgproto3.Query{String: "select 1"})
			if side == "the program" {
				c.requests([]byte(bytes), c.now)
			} else {
				c.answers([]byte(strings.Replace(bytes, "Q", "D", 1)), c.now)
			}
			c.program(&pgproto3.Query{String: "select 2"})
			c.server(tag("SELECT 1"), ready)
			notes := c.log.Notes()
			if len(notes) != 1 || !strings.Contains(notes[0].Text, side+" sent") || notes[0].Session != 1 {
				t.Errorf("%s from %s is noted as %v", name, side, notes)
			}
			if seen := c.seen(); !slices.Equal(seen, []string{"select 1 →  -1 pending"}) {
				t.Errorf("%s from %s leaves %q", name, side, seen)
			}
		}
	}
}

// TestShortBodies: fields that lie beyond the end of their message.
func TestShortBodies(t *testing.T) {
	for _, b := range []string{
		"B\x00\x00\x00\x04", "B\x00\x00\x00\x08\x00\x00\xff\xff", "B\x00\x00\x00\x0c\x00\x00\x00\x00\x00\x05\xff\xff",
		"P\x00\x00\x00\x05x", "P\x00\x00\x00\x08\x00x\x00\xff", "E\x00\x00\x00\x04", "D\x00\x00\x00\x04", "C\x00\x00\x00\x05S",
		"F\x00\x00\x00\x05\x00", "Q\x00\x00\x00\x04",
	} {
		c := converse(64)
		c.requests([]byte(b), c.now)
		c.requests([]byte("E\x00\x00\x00\x09\x00\x00\x00\x00\x00S\x00\x00\x00\x04"), c.now)
		for _, a := range []string{
			"T\x00\x00\x00\x06\xff\xff", "t\x00\x00\x00\x06\xff\xff", "D\x00\x00\x00\x06\xff\xff", "D\x00\x00\x00\x04",
			"C\x00\x00\x00\x04", "E\x00\x00\x00\x05C", "Z\x00\x00\x00\x04",
		} {
			c.answers([]byte(a), c.now)
		}
		if n := len(c.log.Statements()); n == 0 {
			t.Errorf("after %q nothing is recorded", b)
		}
	}
}

func TestTooManyRequestsEndTheSession(t *testing.T) {
	c := converse(pieceSize)
	sync := encode([]pgproto3.FrontendMessage{&pgproto3.Sync{}})
	if req := c.requests(slices.Repeat(sync, maxQueue), c.now); req.flood {
		t.Error("the session ends too early")
	}
	if req := c.requests(slices.Repeat(sync, 10), c.now); !req.flood {
		t.Error("the session goes on")
	}
	if notes := c.log.Notes(); len(notes) != 1 || !strings.Contains(notes[0].Text, "connection is closed") {
		t.Errorf("noted %v", notes)
	}
}

func TestNamesAreBounded(t *testing.T) {
	c := converse(pieceSize)
	for i := range 3 * maxPrepared {
		name := fmt.Sprint(i, strings.Repeat("x", 2*maxName))
		c.program(&pgproto3.Parse{Name: name, Query: "select 1"}, &pgproto3.Bind{PreparedStatement: name, DestinationPortal: name})
	}
	if len(c.prepared) > maxPrepared || len(c.portals) > maxPrepared {
		t.Errorf("%d statements and %d portals are remembered", len(c.prepared), len(c.portals))
	}
}
