package bench

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

// BenchmarkPickUp measures how long a value waits for a consumer that sleeps: the
// time from just before the put to just after the get, of a channel and of our
// Buffer in turn, each first in every other round, so that both see the same machine. The ratios are fast ÷ chan;
// ns/op is mostly the rest between two values.
func BenchmarkPickUp(b *testing.B) {
	ctx := context.Background()
	ch := make(chan time.Time, 64)
	q := prodcons.NewBuffer[time.Time](64, prodcons.WaitWhenFull)
	var chanWaits, fastWaits []time.Duration
	var consumers sync.WaitGroup
	consumers.Go(func() {
		for t := range ch {
			chanWaits = append(chanWaits, time.Since(t))
		}
	})
	consumers.Go(func() {
		for t := range q.All(ctx) {
			fastWaits = append(fastWaits, time.Since(t))
		}
	})
	put := []func(){func() { ch <- time.Now() }, func() { _ = q.Put(ctx, time.Now()) }}
	for i := range b.N {
		for j := range put { // each comes first as often as second
			time.Sleep(500 * time.Microsecond)
			put[(i+j)%2]()
		}
	}
	close(ch)
	q.Close()
	consumers.Wait()
	part := func(waits []time.Duration, part float64) float64 {
		slices.Sort(waits)
		return float64(waits[int(part*float64(len(waits)-1))].Nanoseconds()) / 1000
	}
	b.ReportMetric(part(chanWaits, 0.5), "chan-p50-µs")
	b.ReportMetric(part(chanWaits, 0.99), "chan-p99-µs")
	b.ReportMetric(part(fastWaits, 0.5)/part(chanWaits, 0.5), "p50-ratio")
	b.ReportMetric(part(fastWaits, 0.99)/part(chanWaits, 0.99), "p99-ratio")
}
