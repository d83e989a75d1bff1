package bench

import (
	"context"
	"fmt"
	"iter"
	"testing"

	"github.com/destel/rill"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

// BenchmarkMap maps b.N ints with a number of workers, and reads the results in
// order or as they come.
func BenchmarkMap(b *testing.B) {
	numbers := func(n int) iter.Seq[int] {
		return func(yield func(int) bool) {
			for i := 0; i < n && yield(i); i++ {
			}
		}
	}
	for name, peers := range map[string]struct {
		ours   func(context.Context, iter.Seq[int], int, func(context.Context, int) (int, error)) iter.Seq2[int, error]
		theirs func(<-chan rill.Try[int], int, func(int) (int, error)) <-chan rill.Try[int]
	}{
		"ordered":   {prodcons.Map[int, int], rill.OrderedMap[int, int]},
		"unordered": {prodcons.MapUnordered[int, int], rill.Map[int, int]},
	} {
		for _, workers := range []int{1, 4, 16} {
			beside(b, fmt.Sprint(name, "/", workers), side{"prodcons", func(b *testing.B) {
				n := 0
				for _, err := range peers.ours(b.Context(), numbers(b.N), workers, func(_ context.Context, v int) (int, error) { return v * v, nil }) {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
				if n != b.N {
					b.Fatalf("%d of %d", n, b.N)
				}
			}}, side{"rill", func(b *testing.B) {
				n := 0
				squares := peers.theirs(rill.FromSeq(numbers(b.N), nil), workers, func(v int) (int, error) { return v * v, nil })
				for _, err := range rill.ToSeq2(squares) {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
				if n != b.N {
					b.Fatalf("%d of %d", n, b.N)
				}
			}})
		}
	}
}
