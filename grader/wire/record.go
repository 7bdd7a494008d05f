package wire

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"sync/atomic"
	"time"
)

// record is a statement as the log keeps it. Parameters and rows stay raw until
// somebody looks: their types may be announced only later, and most are never
// looked at. Under the log's lock, but for query and bound, which do not change.
type record struct {
	Statement
	query   *prepared
	bound   binding
	columns *columns
	row     []byte // beginning of the first DataRow's body
}

// prepared is a statement text and what the server said about it.
type prepared struct {
	sql     string
	simple  bool
	oids    atomic.Pointer[[]uint32] // of the parameters
	columns atomic.Pointer[columns]
}

// columns is a RowDescription: its first few columns.
type columns struct {
	names []string
	oids  []uint32
}

// binding is a Bind, made small: of every parameter its format, its length and
// its beginning; and the formats of the result.
type binding struct {
	params  []byte
	total   int // parameters, kept or not
	results []byte
}

func newRecord(q *prepared, b binding, now time.Time) *record {
	return &record{
		Statement: Statement{SQL: q.sql, Rows: -1, Start: now, Pending: true, Simple: q.simple},
		query:     q,
		bound:     b,
	}
}

func (r *record) number(seq int) { r.Seq = seq }

// size is what the record costs in memory, roughly.
func (r *record) size() int {
	return 400 + len(r.SQL) + len(r.bound.params) + len(r.bound.results)
}

// statement renders a copy of a record.
func (r *record) statement() Statement {
	s := r.Statement
	if r.query == nil {
		return s
	}
	var oids []uint32
	if p := r.query.oids.Load(); p != nil {
		oids = *p
	}
	s.Params = r.bound.text(oids)
	if r.row != nil && r.columns != nil {
		s.Columns = r.columns.names
		s.FirstRow = r.columns.text(r.row, r.bound.results)
	}
	return s
}

// finish fills in the server's answer. The caller holds the log's lock.
func (r *record) finish(now time.Time) {
	r.Pending = false
	r.Duration = now.Sub(r.Start)
}

// parseBind reads what follows the names in a Bind. A body that was cut gives
// the parameters up to there.
func parseBind(c *cursor) binding {
	formats := formatCodes(c)
	b := binding{total: c.uint16()}
	if b.total == 0 {
		b.results = bytes.Clone(formatCodes(c))
		return b
	}
	b.params = make([]byte, 0, min(len(c.b)+b.total, 4<<10))
	for i := 0; i < b.total && c.ok; i++ {
		length := int(int32(c.uint32()))
		if !c.ok {
			break
		}
		value := c.b
		if length >= 0 {
			value = value[:min(length, len(value))]
			c.take(length)
		}
		if i >= maxParams {
			continue
		}
		b.params = append(b.params, byte(formatOf(formats, i)))
		b.params = binary.BigEndian.AppendUint32(b.params, uint32(length))
		if length > 0 {
			value = value[:min(len(value), maxParam)]
			b.params = binary.BigEndian.AppendUint16(b.params, uint16(len(value)))
			b.params = append(b.params, value...)
		}
	}
	b.results = bytes.Clone(formatCodes(c))
	return b
}

// formatCodes reads a counted list of format codes, two bytes each.
func formatCodes(c *cursor) []byte { return c.take(2 * c.uint16()) }

// formatOf returns the format of the i-th value: none given means text, a single
// one is for all.
func formatOf(codes []byte, i int) int16 {
	switch {
	case len(codes) == 2:
		return int16(codes[1])
	case 2*i+1 < len(codes):
		return int16(codes[2*i+1])
	}
	return 0
}

// text renders the parameters.
func (b binding) text(oids []uint32) []string {
	if b.total == 0 {
		return nil
	}
	values := make([]string, 0, min(b.total, maxParams))
	d := newDecoder()
	for c := fields(b.params); len(c.b) > 0; {
		format := int16(c.byte())
		length := int(int32(c.uint32()))
		switch {
		case length < 0:
			values = append(values, "NULL")
			continue
		case length == 0:
			values = append(values, "")
			continue
		}
		value := c.take(c.uint16())
		var oid uint32
		if len(values) < len(oids) {
			oid = oids[len(values)]
		}
		values = append(values, d.text(oid, format, value, length, maxParam))
	}
	if more := b.total - len(values); more > 0 {
		values = append(values, "… "+strconv.Itoa(more)+" more")
	}
	return values
}

// parseOIDs reads a counted list of types, as in Parse.
func parseOIDs(c *cursor) *[]uint32 {
	n := min(c.uint16(), maxParams)
	if n == 0 {
		return nil
	}
	oids := make([]uint32, 0, n)
	for range n {
		oids = append(oids, c.uint32())
	}
	return &oids
}

// parseColumns reads a RowDescription.
func parseColumns(body []byte) *columns {
	c := fields(body)
	cols := &columns{}
	for range min(c.uint16(), maxColumns) {
		name := c.text()
		c.take(4 + 2) // table, attribute
		oid := c.uint32()
		c.take(2 + 4 + 2) // size, modifier, format
		if !c.ok {
			break
		}
		cols.names = append(cols.names, shorten(name, len(name), maxValue))
		cols.oids = append(cols.oids, oid)
	}
	return cols
}

// text renders the beginning of a DataRow; formats are those that Bind asked for.
func (cols *columns) text(row, formats []byte) []string {
	c := fields(row)
	n := min(c.uint16(), len(cols.oids))
	values := make([]string, 0, n)
	d := newDecoder()
	for i := range n {
		length := int(int32(c.uint32()))
		if !c.ok {
			break
		}
		if length < 0 {
			values = append(values, "NULL")
			continue
		}
		value := c.b[:min(length, len(c.b))]
		c.take(length)
		values = append(values, d.text(cols.oids[i], formatOf(formats, i), value, length, maxValue))
	}
	return values
}

// parseError reads an ErrorResponse; fatal says that the session ends with it.
func parseError(body []byte) (e *Error, fatal bool) {
	e = &Error{}
	for c := fields(body); len(c.b) > 0; {
		field := c.byte()
		if field == 0 {
			break
		}
		value := c.text()
		switch field {
		case 'V':
			fatal = string(value) == "FATAL" || string(value) == "PANIC"
		case 'C':
			e.Code = shorten(value, len(value), 16)
		case 'M':
			e.Message = shorten(value, len(value), maxMessage)
		case 'D':
			e.Detail = shorten(value, len(value), maxMessage)
		case 'n':
			e.Constraint = shorten(value, len(value), maxMessage)
		}
	}
	return e, fatal
}

// rowsOf returns the number that ends a command tag, -1 where there is none.
func rowsOf(tag string) int {
	i := len(tag)
	for i > 0 && tag[i-1] >= '0' && tag[i-1] <= '9' {
		i--
	}
	n, err := strconv.Atoi(tag[i:])
	if err != nil {
		return -1
	}
	return n
}
