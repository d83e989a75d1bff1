package jetstream_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/b3771e63/prodcons/pkg/prodcons/jetstream"
)

// What it costs that a put survives a power failure, not only the death of its process.
func BenchmarkPut(b *testing.B) {
	kilobyte := strings.Repeat("x", 1000)
	for _, sync := range []bool{false, true} {
		for _, batch := range []int{1, 100} {
			b.Run(fmt.Sprintf("sync=%v/batch=%d", sync, batch), func(b *testing.B) {
				q := newQueue(b, open(b, jetstream.Config{Dir: b.TempDir(), Sync: sync}), jetstream.Options[string]{})
				values := slices.Repeat([]string{kilobyte}, batch)
				for b.Loop() {
					if n, err := q.PutBatch(b.Context(), values); n != batch || err != nil {
						b.Fatal(n, err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/value")
			})
		}
	}
}
