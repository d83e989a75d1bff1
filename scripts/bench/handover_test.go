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

// ofChan hands values over through a Go channel: ch <- v, and range.
func ofChan[T any](producers, consumers, capacity int) side {
	return side{"chan", func(b *testing.B) {
		ch := make(chan T, capacity)
		handover(b, producers, consumers, func(n int) {
			var v T
			for range n {
				ch <- v
			}
		}, func(int) {
			for range ch {
			}
		}, func() { close(ch) })
	}}
}

// ofBuffer hands values over through our Buffer: a Put and a Get for each.
func ofBuffer[T any](producers, consumers, capacity int) side {
	return side{"fast", func(b *testing.B) {
		ctx := context.Background()
		q := prodcons.NewBuffer[T](capacity, prodcons.WaitWhenFull)
		handover(b, producers, consumers, func(n int) {
			var v T
			for range n {
				_ = q.Put(ctx, v)
			}
		}, func(int) {
			for {
				if _, err := q.Get(ctx); err != nil {
					return
				}
			}
		}, q.Close)
	}}
}

// ofBatches hands values over through our Buffer, 32 in a call.
func ofBatches[T any](producers, consumers, capacity int) side {
	return side{"fastbatch", func(b *testing.B) {
		ctx := context.Background()
		q := prodcons.NewBuffer[T](capacity, prodcons.WaitWhenFull)
		handover(b, producers, consumers, func(n int) {
			var batch [32]T
			for n > 0 {
				k := min(n, len(batch))
				_, _ = q.PutBatch(ctx, batch[:k])
				n -= k
			}
		}, func(int) {
			var batch [32]T
			for {
				if _, err := q.GetBatch(ctx, batch[:]); err != nil {
					return
				}
			}
		}, q.Close)
	}}
}

// ofXsync hands values over through puzpuzpuz/xsync's MPMCQueue, which spins with
// Gosched and burns a core while idle.
func ofXsync[T any](producers, consumers, capacity int) side {
	return side{"xsync", func(b *testing.B) {
		q := xsync.NewMPMCQueue[T](capacity)
		handover(b, producers, consumers, func(n int) {
			var v T
			for range n {
				for !q.TryEnqueue(v) {
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
	}}
}

// BenchmarkHandover hands ints from P producers to C consumers.
func BenchmarkHandover(b *testing.B) {
	for _, s := range []struct{ p, c int }{{1, 1}, {4, 4}, {16, 16}, {8, 1}, {1, 8}} {
		for _, capacity := range []int{64, 1024} {
			beside(b, fmt.Sprintf("%dto%d/cap%d", s.p, s.c, capacity),
				ofChan[int](s.p, s.c, capacity), ofXsync[int](s.p, s.c, capacity),
				ofBuffer[int](s.p, s.c, capacity), ofBatches[int](s.p, s.c, capacity))
		}
	}
}

// BenchmarkTight hands ints over where there is hardly any room.
func BenchmarkTight(b *testing.B) {
	for _, n := range []int{1, 4} {
		for _, capacity := range []int{1, 2} {
			beside(b, fmt.Sprintf("%dto%d/cap%d", n, n, capacity), ofChan[int](n, n, capacity), ofBuffer[int](n, n, capacity))
		}
	}
}

// BenchmarkLarge hands over large values.
func BenchmarkLarge(b *testing.B) {
	beside(b, "4to4/bytes256", ofChan[[256]byte](4, 4, 64), ofBuffer[[256]byte](4, 4, 64))
	beside(b, "4to4/bytes4096", ofChan[[4096]byte](4, 4, 64), ofBuffer[[4096]byte](4, 4, 64))
}

// BenchmarkCrowd has a thousand goroutines at one end.
func BenchmarkCrowd(b *testing.B) {
	beside(b, "1000to1/cap64", ofChan[int](1000, 1, 64), ofBuffer[int](1000, 1, 64))
	beside(b, "1to1000/cap64", ofChan[int](1, 1000, 64), ofBuffer[int](1, 1000, 64))
}

// BenchmarkPingPong sends a value to and back, over two queues.
func BenchmarkPingPong(b *testing.B) {
	ctx := context.Background()
	beside(b, "1to1/cap1", side{"chan", func(b *testing.B) {
		to, back := make(chan int, 1), make(chan int, 1)
		go func() {
			for v := range to {
				back <- v
			}
		}()
		for i := range b.N {
			to <- i
			<-back
		}
		close(to)
	}}, side{"fast", func(b *testing.B) {
		to, back := prodcons.NewBuffer[int](1, prodcons.WaitWhenFull), prodcons.NewBuffer[int](1, prodcons.WaitWhenFull)
		go func() {
			for v := range to.All(ctx) {
				_ = back.Put(ctx, v)
			}
		}()
		for i := range b.N {
			_ = to.Put(ctx, i)
			_, _ = back.Get(ctx)
		}
		to.Close()
	}})
}

// spin works for some two microseconds.
func spin() {
	for i := 0; i < 4000; i++ {
	}
}

// BenchmarkWork has consumers that work for 2 µs on each value.
func BenchmarkWork(b *testing.B) {
	ctx := context.Background()
	beside(b, "1to4/cap64", side{"chan", func(b *testing.B) {
		ch := make(chan int, 64)
		handover(b, 1, 4, func(n int) {
			for i := range n {
				ch <- i
			}
		}, func(int) {
			for range ch {
				spin()
			}
		}, func() { close(ch) })
	}}, side{"fast", func(b *testing.B) {
		q := prodcons.NewBuffer[int](64, prodcons.WaitWhenFull)
		handover(b, 1, 4, func(n int) {
			for i := range n {
				_ = q.Put(ctx, i)
			}
		}, func(int) {
			for {
				if _, err := q.Get(ctx); err != nil {
					return
				}
				spin()
			}
		}, q.Close)
	}})
}

// BenchmarkAlone puts and gets in one goroutine: nobody waits, and nobody disturbs it.
func BenchmarkAlone(b *testing.B) {
	ctx := context.Background()
	beside(b, "cap64", side{"chan", func(b *testing.B) {
		ch := make(chan int, 64)
		for i := range b.N {
			ch <- i
			<-ch
		}
	}}, side{"fast", func(b *testing.B) {
		q := prodcons.NewBuffer[int](64, prodcons.WaitWhenFull)
		for i := range b.N {
			_ = q.Put(ctx, i)
			_, _ = q.Get(ctx)
		}
	}})
}
