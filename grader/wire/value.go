package wire

import (
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgtype"
)

// decoder renders values of PostgreSQL's types as text.
type decoder struct{ types *pgtype.Map }

// newDecoder returns a decoder for one goroutine; it costs nothing until a
// binary value comes by.
func newDecoder() *decoder { return &decoder{} }

// text renders one value of which the first bytes are given; size is the length
// of the whole, limit that of the text. A binary value that can't be decoded is
// shown as text where it is some (an enum, a type of an extension), else in hex.
func (d *decoder) text(oid uint32, format int16, value []byte, size, limit int) string {
	if format == 0 {
		return shorten(value, size, limit)
	}
	if s, ok := d.decode(oid, value, size); ok {
		return shorten([]byte(s), len(s), limit)
	}
	switch {
	case oid == pgtype.JSONBOID && len(value) > 1:
		return shorten(value[1:], size-1, limit)
	case oid != pgtype.ByteaOID && printable(value):
		return shorten(value, size, limit)
	}
	s := `\x` + hex.EncodeToString(value[:min(len(value), limit/2)])
	if size > limit/2 {
		s += "…"
	}
	return s
}

// decode renders a binary value of a type that pgx knows. The bytes are a
// stranger's: whatever a codec does with them stays here.
func (d *decoder) decode(oid uint32, value []byte, size int) (s string, ok bool) {
	defer func() {
		if recover() != nil {
			s, ok = "", false
		}
	}()
	if oid == 0 {
		return "", false
	}
	if d.types == nil {
		d.types = pgtype.NewMap()
	}
	t, known := d.types.TypeForOID(oid)
	if !known {
		return "", false
	}
	if _, isArray := t.Codec.(*pgtype.ArrayCodec); isArray {
		return d.array(value, size)
	}
	if len(value) < size {
		return "", false
	}
	v, err := t.Codec.DecodeDatabaseSQLValue(d.types, oid, pgtype.BinaryFormatCode, value)
	if err != nil {
		return "", false
	}
	return driverText(oid, v)
}

// array renders an array of one dimension as far as its bytes go.
func (d *decoder) array(value []byte, size int) (string, bool) {
	c := fields(value)
	dimensions := c.uint32()
	c.uint32() // has nulls
	element := c.uint32()
	if c.ok && dimensions == 0 {
		return "{}", true
	}
	count := int(int32(c.uint32()))
	c.uint32() // lower bound
	if !c.ok || dimensions != 1 {
		return "", false
	}
	var b strings.Builder
	b.WriteByte('{')
	for i := range count {
		length := int(int32(c.uint32()))
		item := c.take(max(length, 0))
		if !c.ok {
			b.WriteString("…")
			break
		}
		if i > 0 {
			b.WriteByte(',')
		}
		switch {
		case length < 0:
			b.WriteString("NULL")
		case element == pgtype.TextOID || element == pgtype.VarcharOID:
			b.WriteString(strconv.Quote(string(item)))
		default:
			b.WriteString(d.text(element, pgtype.BinaryFormatCode, item, length, maxValue))
		}
	}
	b.WriteByte('}')
	return b.String(), c.ok || len(value) < size
}

func driverText(oid uint32, v driver.Value) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		bits := 64
		if oid == pgtype.Float4OID {
			bits = 32
		}
		return strconv.FormatFloat(v, 'g', -1, bits), true
	case bool:
		return strconv.FormatBool(v), true
	case time.Time:
		return timeText(oid, v), true
	case []byte:
		if oid == pgtype.JSONOID || oid == pgtype.JSONBOID {
			return string(v), true
		}
		return `\x` + hex.EncodeToString(v), true
	case nil:
		return "", false
	}
	return fmt.Sprint(v), true
}

func timeText(oid uint32, t time.Time) string {
	switch oid {
	case pgtype.DateOID:
		return t.Format(time.DateOnly)
	case pgtype.TimestampOID:
		return t.Format("2006-01-02 15:04:05.999999")
	}
	return t.UTC().Format("2006-01-02 15:04:05.999999Z07:00")
}

func printable(b []byte) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n <= 1 || unicode.IsControl(r) && r != '\n' && r != '\t' {
			return false
		}
		b = b[n:]
	}
	return true
}

// shorten returns text as a string of at most limit bytes, with an ellipsis
// where something is missing; size is the length of the whole.
func shorten(text []byte, size, limit int) string {
	if size <= limit && len(text) == size {
		return string(text)
	}
	text = text[:min(len(text), limit)]
	for i := 0; i < utf8.UTFMax && len(text) > 0; i++ {
		if r, n := utf8.DecodeLastRune(text); r != utf8.RuneError || n > 1 {
			break
		}
		text = text[:len(text)-1]
	}
	return string(text) + "…"
}
