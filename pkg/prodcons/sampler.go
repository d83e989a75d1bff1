package prodcons

import (
	"math/bits"
	"math/rand/v2"
	"time"
)

// sampler draws which of a producer's values are measured: looking at the clock costs
// as much as handing a value over, so not every value of a fast producer is.
//
// The values are cut into blocks of 1, 2, 4 … 128. One value of each block is drawn,
// each with the same chance, and stands for the whole block. The size of the next block
// depends only on what came before it, so mean and quantiles are not biased. It is 1
// for the first 2047 values, and whenever the producer is slow; it doubles from one
// block to the next, and stays below a 1024th of all values put.
type sampler struct {
	skip  int // values until the next that is measured
	shift int // the block that it is of has 1<<shift values
	rest  int // the number of them that come after it
	since int // how many had been put when the last one was measured
	last  time.Duration
	rand  *rand.Rand // what draws; nil, but in tests, is the runtime's own
}

const (
	fast     = 5 * time.Microsecond // a producer that takes less for a value
	maxShift = 7
	whole    = 10 // a block has as many values as were put >> whole, at most
)

// stamp is that of a value that is made now and measured, after that many others.
// It draws the next.
func (s *sampler) stamp(now time.Duration, put int) int64 {
	made := stamp(now, s.shift)
	shift := 0
	if n := put - s.since; n > 0 && (now-s.last)/time.Duration(n) < fast {
		shift = min(s.shift+1, maxShift, max(bits.Len(uint(put>>whole))-1, 0))
	}
	draw := 0
	switch {
	case shift == 0:
	case s.rand != nil:
		draw = s.rand.IntN(1 << shift)
	default:
		draw = rand.IntN(1 << shift)
	}
	s.skip = s.rest + draw
	s.rest = 1<<shift - 1 - draw
	s.shift, s.since, s.last = shift, put, now
	return made
}
