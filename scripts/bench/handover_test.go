package bench

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/puzpuzpuz/xsync/v4"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

// shapes are the numbers of producers and consumers.
var shapes = []struct{ producers, consumers int }{{1, 1}, {4, 4}, {16, 16}, {8, 1}, {1, 8}}

// share is the part of n that falls to worker i of many.
func share(n, i, many int) int {
	if i < n%many {
		return n/many + 1
	}
	return n / many
}

// handover runs producers and consumers, each a goroutine that is given how many
// values are its share, and ends the queue when all have been put.
func handover(b *testing.B, producers, consumers int, produce, consume func(share int), end func()) {
	var making, using sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for i := range producers {
		making.Go(func() { produce(share(b.N, i, producers)) })
	}
	for i := range consumers {
		using.Go(func() { consume(share(b.N, i, consumers)) })
	}
	making.Wait()
	end()
	using.Wait()
}

// BenchmarkHandover hands ints from P producers to C consumers.
//
//	chan       a Go channel: ch <- v, and range
//	xsync      puzpuzpuz/xsync's MPMCQueue: spins with Gosched, burns a core while idle
//	fast       our Buffer: one Put and one Get for each value
//	fastbatch  our Buffer, 32 values in a call
func BenchmarkHandover(b *testing.B) {
	ctx := context.Background()
	for _, s := range shapes {
		for _, capacity := range []int{64, 1024} {
			row := fmt.Sprintf("%dto%d/cap%d", s.producers, s.consumers, capacity)
			b.Run("chan/"+row, func(b *testing.B) {
				ch := make(chan int, capacity)
				handover(b, s.producers, s.consumers, func(n int) {
					for i := range n {
						ch <- i
					}
				}, func(int) {
					for range ch {
					}
				}, func() { close(ch) })
			})
			b.Run("xsync/"+row, func(b *testing.B) {
				q := xsync.NewMPMCQueue[int](capacity)
				handover(b, s.producers, s.consumers, func(n int) {
					for i := range n {
						for !q.TryEnqueue(i) {
							runtime.Gosched()
						}
					}
				}, func(n int) {
					for range n {
						for {
							if _, ok := q.TryDequeue(); ok {
								break
							}
							runtime.Gosched()
						}
					}
				}, func() {})
			})
			b.Run("fast/"+row, func(b *testing.B) {
				q := prodcons.NewBuffer[int](capacity, prodcons.Wait)
				handover(b, s.producers, s.consumers, func(n int) {
					for i := range n {
						_ = q.Put(ctx, i)
					}
				}, func(int) {
					for {
						if _, err := q.Get(ctx); err != nil {
							return
						}
					}
				}, q.Close)
			})
			b.Run("fastbatch/"+row, func(b *testing.B) {
				q := prodcons.NewBuffer[int](capacity, prodcons.Wait)
				handover(b, s.producers, s.consumers, func(n int) {
					var batch [32]int
					for n > 0 {
						k := min(n, len(batch))
						_, _ = q.PutBatch(ctx, batch[:k])
						n -= k
					}
				}, func(int) {
					var batch [32]int
					for {
						if _, err := q.GetBatch(ctx, batch[:]); err != nil {
							return
						}
					}
				}, q.Close)
			})
		}
	}
}
