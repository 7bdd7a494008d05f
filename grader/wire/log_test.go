package wire

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"
)

func begin(l *Log, sql string) *record {
	r := newRecord(&prepared{sql: sql}, binding{}, time.Now())
	l.begin(r)
	return r
}

func TestMarkAndSince(t *testing.T) {
	l := NewLog()
	if n := len(l.Since(l.Mark())); n != 0 {
		t.Errorf("%d statements in an empty log", n)
	}
	begin(l, "one")
	mark := l.Mark()
	begin(l, "two")
	begin(l, "three")
	since := l.Since(mark)
	if len(since) != 2 || since[0].SQL != "two" || since[1].Seq != 3 {
		t.Errorf("since the mark: %+v", since)
	}
	if n := len(l.Since(l.Mark())); n != 0 {
		t.Errorf("%d statements since the end", n)
	}
	if n := len(l.Since(99)); n != 0 {
		t.Errorf("%d statements since a time to come", n)
	}
}

func TestFullLogForgetsTheOldest(t *testing.T) {
	l := NewLog()
	for range maxStatements + 5 {
		begin(l, "select 1")
	}
	mark := l.Mark()
	begin(l, "the last")
	all := l.Statements()
	if len(all) != maxStatements || l.Dropped() != 6 || all[0].Seq != 7 {
		t.Errorf("%d statements from %d on, %d dropped", len(all), all[0].Seq, l.Dropped())
	}
	if since := l.Since(mark); len(since) != 1 || since[0].SQL != "the last" {
		t.Errorf("since the mark: %v", since)
	}
}

func TestLogIsBoundedInBytes(t *testing.T) {
	l := NewLog()
	for range 2 * maxLogBytes / maxSQL {
		begin(l, strings.Repeat("x", maxSQL))
	}
	kept := 0
	for _, s := range l.Statements() {
		kept += len(s.SQL)
	}
	if kept > maxLogBytes || kept < maxLogBytes/2 || l.Dropped() == 0 {
		t.Errorf("%d bytes of SQL are kept, %d statements dropped", kept, l.Dropped())
	}
	for range 2 * maxNotes {
		l.note("test", 1, "hello")
	}
	if n := len(l.Notes()); n != maxNotes {
		t.Errorf("%d notes are kept", n)
	}
}

func TestWait(t *testing.T) {
	l := NewLog()
	r := begin(l, "select 1")
	found := make(chan Statement)
	go func() {
		s, err := l.Wait(context.Background(), 0, func(s Statement) bool { return s.Tag == "SELECT 1" })
		if err != nil {
			t.Error(err)
		}
		found <- s
	}()
	begin(l, "select 2")
	l.update(func() { r.Tag = "SELECT 1" })
	if s := <-found; s.SQL != "select 1" {
		t.Errorf("found %+v", s)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := l.Wait(ctx, 0, func(Statement) bool { return false }); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting for nothing ended with %v", err)
	}
}

func TestManyParameters(t *testing.T) {
	c := converse(pieceSize)
	params := make([][]byte, 3*maxParams)
	for i := range params {
		params[i] = []byte("x")
	}
	c.program(&pgproto3.Parse{Query: "insert"}, &pgproto3.Bind{Parameters: params}, &pgproto3.Execute{})
	got := c.log.Statements()[0].Params
	if len(got) != maxParams+1 || got[maxParams] != "… 200 more" || got[0] != "x" {
		t.Errorf("%d parameters are shown, the last as %q", len(got), got[len(got)-1])
	}
}

func TestTextOfValues(t *testing.T) {
	array := func(header string, items string) string {
		return "\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x17" + header + "\x00\x00\x00\x01" + items
	}
	for _, c := range []struct {
		name  string
		oid   uint32
		value string
		size  int
		want  string
	}{
		{"an int cut short", pgtype.Int8OID, "\x00\x01", 2, `\x0001`},
		{"an int too long", pgtype.Int4OID, "\x00\x00\x00\x00\x01", 5, `\x0000000001`},
		{"a type that is not known, text", 99999, "glad", 4, "glad"},
		{"a type that is not known, binary", 99999, "\x00\x01\x02", 3, `\x000102`},
		{"terminal escapes of an unknown type", 0, "\x1b[31m", 5, `\x1b5b33316d`},
		{"invalid UTF-8 of an unknown type", 0, "a\xff", 2, `\x61ff`},
		{"an array of a billion", pgtype.Int4ArrayOID, array("\x3f\xff\xff\xff", "\x00\x00\x00\x04\x00\x00\x00\x07"), 28, `\x000000010000000000000017` + `3fffffff` + `00000001` + `00000004` + `00000007`},
		{"an array longer than is kept", pgtype.Int4ArrayOID, array("\x00\x00\x01\x00", "\x00\x00\x00\x04\x00\x00\x00\x07"), 9999, `{7…}`},
		{"an array with NULL", pgtype.Int4ArrayOID, array("\x00\x00\x00\x02", "\xff\xff\xff\xff\x00\x00\x00\x04\x00\x00\x00\x07"), 32, `{NULL,7}`},
		{"an array of many dimensions", pgtype.Int4ArrayOID, "\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x17", 12, `\x000000020000000000000017`},
		{"long bytes", pgtype.ByteaOID, strings.Repeat("\x01", 512), 4096, `\x` + strings.Repeat("01", 256) + "…"},
		{"long text, cut between letters", pgtype.TextOID, strings.Repeat("x", 511) + "ü", 513, strings.Repeat("x", 511) + "…"},
		{"jsonb longer than is kept", pgtype.JSONBOID, "\x01{\"a\":", 100, `{"a":…`},
		{"a numeric of nonsense", pgtype.NumericOID, "\xff\xff\x7f\xff\x00\x00\x00\x00", 8, `\xffff7fff00000000`},
	} {
		if got := newDecoder().text(c.oid, 1, []byte(c.value), c.size, maxParam); got != c.want {
			t.Errorf("%s is shown as %q, want %q", c.name, got, c.want)
		}
	}
}
