package exam

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
)

// newRand returns the random source of one check: the same for the same seed
// and id, whatever other checks drew before it.
func newRand(seed uint64, id string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id))
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// Rand returns the check's random source. It is not safe for use by functions
// that run in parallel; Unique, Int, Pick and Words are.
func (c *C) Rand() *rand.Rand { return c.rand }

// Unique returns prefix, a dash, and eight hex digits that no earlier call of
// this grade returned.
func (c *C) Unique(prefix string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		s := fmt.Sprintf("%s-%08x", prefix, c.rand.Uint32())
		if c.session.claim(s) {
			return s
		}
	}
}

// Int returns a number from lo to hi, both included.
func (c *C) Int(lo, hi int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return lo + c.rand.IntN(hi-lo+1)
}

// Pick returns one of the words.
func (c *C) Pick(words ...string) string { return words[c.Int(0, len(words)-1)] }

var vocabulary = strings.Fields(`amber anchor basil birch cedar cinder cobalt copper coral
	delta ember fable fern flint garnet glade granite harbor hazel indigo ivory jasper
	juniper lagoon lantern larch linen maple marble meadow moss nectar nickel oak ochre
	onyx opal orchard pebble pine quartz raven reed russet saffron sage sienna slate
	spruce summit tallow thistle timber topaz umber velvet walnut willow zephyr`)

// Words returns n common words separated by spaces.
func (c *C) Words(n int) string {
	words := make([]string, n)
	for i := range words {
		words[i] = c.Pick(vocabulary...)
	}
	return strings.Join(words, " ")
}
