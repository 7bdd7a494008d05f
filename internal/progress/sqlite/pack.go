package sqlite

import (
	"sync"

	"github.com/klauspost/compress/zstd"
)

// No file or report is larger than this.
const maxUnpacked = 64 << 20

// Both are safe for concurrent use and made when first needed.
var (
	encoder = sync.OnceValue(func() *zstd.Encoder {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
		if err != nil {
			panic(err) // the options above are wrong
		}
		return e
	})
	decoder = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxUnpacked))
		if err != nil {
			panic(err) // the options above are wrong
		}
		return d
	})
)

func pack(data []byte) []byte { return encoder().EncodeAll(data, nil) }

func unpack(packed []byte) ([]byte, error) { return decoder().DecodeAll(packed, []byte{}) }
