//go:build unix

package jetstream_test

import (
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/prodcons/jetstream"
)

// The cost of a put that survives a power failure, and not only the death of its
// process.
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

// BenchmarkDeep queues jobs of 1 kB that nobody uses, kills their server, and starts it
// again: what memory and disk a long queue takes, and how soon the first comes back.
//
//	go test -run '^$' -bench Deep -benchtime 1000000x
func BenchmarkDeep(b *testing.B) {
	dir, listen := b.TempDir(), "127.0.0.1:"+freePorts(b, 1)[0]
	server := begin(b, "server", dir, listen)
	store, err := jetstream.Open(b.Context(), jetstream.Config{Address: server.said})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	queue, err := jetstream.NewQueue(b.Context(), store, "jobs", jetstream.Options[job]{})
	if err != nil {
		b.Fatal(err)
	}
	ballast := strings.Repeat("x", 970)
	b.ResetTimer()
	for n := 0; n < b.N; {
		batch := make([]job, min(1000, b.N-n))
		for i := range batch {
			batch[i] = job{n + i, ballast}
		}
		if _, err := queue.PutBatch(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		n += len(batch)
	}
	b.StopTimer()
	b.ReportMetric(resident(b, server), "server-MiB")
	server.kill()
	start := time.Now()
	server = begin(b, "server", dir, listen)
	b.ReportMetric(time.Since(start).Seconds(), "start-s")
	d, err := queue.Receive(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(time.Since(start).Seconds(), "first-s")
	b.ReportMetric(resident(b, server), "started-MiB")
	if err := d.Settle(nil); err != nil || d.Value.Number != 0 {
		b.Fatal(d.Value.Number, err)
	}
	if got := queue.Len(); got != b.N-1 {
		b.Fatalf("%d are left of %d", got, b.N)
	}
}

// resident is the memory of a process, in MiB.
func resident(b *testing.B, p *process) float64 {
	out, err := exec.Command("ps", "-o", "rss=", "-p", strconv.Itoa(p.command.Process.Pid)).Output()
	kib, err2 := strconv.Atoi(strings.TrimSpace(string(out)))
	if err := errors.Join(err, err2); err != nil {
		b.Fatal(err)
	}
	return float64(kib) / 1024
}
