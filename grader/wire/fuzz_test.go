package wire

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"
)

// fuzzConversation is one with a barrier armed, so that every path is taken.
func fuzzConversation() *conversation {
	c := converse(pieceSize)
	c.barrier, c.party = NewBarrier(), &party{}
	c.barrier.Arm(2, "t")
	return c
}

// requestsOfAllKinds is what a program may have sent when the server answers.
func requestsOfAllKinds() []pgproto3.FrontendMessage {
	return []pgproto3.FrontendMessage{
		&pgproto3.Parse{Name: "s", Query: "select * from t where id = any($1)", ParameterOIDs: []uint32{pgtype.Int4ArrayOID}},
		&pgproto3.Describe{ObjectType: 'S', Name: "s"},
		&pgproto3.Sync{},
		&pgproto3.Bind{PreparedStatement: "s", Parameters: [][]byte{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 23}}, ParameterFormatCodes: []int16{1}, ResultFormatCodes: []int16{1}},
		&pgproto3.Describe{ObjectType: 'P'},
		&pgproto3.Execute{},
		&pgproto3.Close{ObjectType: 'P'},
		&pgproto3.Sync{},
		&pgproto3.Query{String: "begin; select 1; update t set a = 1"},
		&pgproto3.Parse{Query: "copy t from stdin"},
		&pgproto3.Bind{},
		&pgproto3.Execute{},
		&pgproto3.Sync{},
		&pgproto3.FunctionCall{Function: 31},
		&pgproto3.Query{String: "select 2"},
	}
}

// answersOfAllKinds is what the server may say, not always to the point.
func answersOfAllKinds() []pgproto3.BackendMessage {
	return []pgproto3.BackendMessage{
		&pgproto3.ParseComplete{},
		&pgproto3.ParameterDescription{ParameterOIDs: []uint32{pgtype.NumericOID}},
		&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("a"), DataTypeOID: pgtype.JSONBArrayOID}}},
		ready, &pgproto3.BindComplete{}, &pgproto3.NoData{},
		&pgproto3.DataRow{Values: [][]byte{{0, 0, 0, 1}, nil}},
		tag("SELECT 1"), &pgproto3.CloseComplete{}, ready, &pgproto3.PortalSuspended{},
		&pgproto3.CopyInResponse{}, &pgproto3.CopyOutResponse{}, &pgproto3.CopyData{}, &pgproto3.CopyDone{},
		&pgproto3.EmptyQueryResponse{}, tag("BEGIN"), tag("UPDATE 3"), &pgproto3.FunctionCallResponse{},
		&pgproto3.ErrorResponse{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: "57P01", Message: "no"}, ready,
		&pgproto3.NoticeResponse{}, &pgproto3.ParameterStatus{}, &pgproto3.NotificationResponse{}, ready, ready,
	}
}

// seedPieces adds a stream as a whole, and from each of several places on.
func seedPieces(f *testing.F, stream []byte) {
	f.Add(stream, 3)
	for i := 1; i < len(stream); i += 1 + len(stream)/7 {
		f.Add(stream[i:], i)
	}
}

// FuzzFrontend feeds a session with whatever a program may send. However the
// bytes are cut into pieces, the same must be recorded.
func FuzzFrontend(f *testing.F) {
	seedPieces(f, encode(requestsOfAllKinds()))
	f.Fuzz(func(t *testing.T, data []byte, piece int) {
		recordedAlike(t, data, piece, func(c *conversation, p []byte) { c.requests(p, c.now) }, func(c *conversation) {
			c.server(answersOfAllKinds()...)
		})
	})
}

// FuzzBackend feeds a session with whatever a server may answer to requests of
// all kinds.
func FuzzBackend(f *testing.F) {
	seedPieces(f, encode(answersOfAllKinds()))
	f.Fuzz(func(t *testing.T, data []byte, piece int) {
		recordedAlike(t, data, piece, func(c *conversation, p []byte) { c.answers(p, c.now) }, func(c *conversation) {
			c.program(requestsOfAllKinds()...)
		})
	})
}

// recordedAlike feeds data in one piece and in several, and compares.
func recordedAlike(t *testing.T, data []byte, piece int, feed func(*conversation, []byte), after func(*conversation)) {
	data = data[:min(len(data), pieceSize)]
	piece = 1 + max(piece, -piece, 0)%64
	record := func(size int) ([]Statement, int) {
		c := fuzzConversation()
		c.program(requestsOfAllKinds()...)
		for p := range slices.Chunk(data, size) {
			feed(c, slices.Clone(p))
		}
		after(c)
		c.end(c.now.Add(time.Second))
		statements := c.log.Statements()
		for _, s := range statements {
			if s.Pending {
				t.Errorf("still pending after the end: %+v", s)
			}
		}
		return statements, len(c.log.Notes())
	}
	whole, notes := record(max(len(data), 1))
	pieces, notesInPieces := record(piece)
	if !reflect.DeepEqual(whole, pieces) || notes != notesInPieces {
		t.Errorf("recorded %+v (%d notes) in one piece, %+v (%d notes) in pieces of %d",
			whole, notes, pieces, notesInPieces, piece)
	}
}
