package durable

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/b3771e63/prodcons/pkg/prodcons/jetstream"
)

// queue is what is measured.
type queue interface {
	// put stores n jobs of 1 kB, one after the other, or many at once if it can.
	put(ctx context.Context, n int, batched bool) error
	// serve calls used after each job that a number of workers use, until ctx ends.
	serve(ctx context.Context, workers int, used func()) error
}

// payload is a job of 1 kB.
var payload = make([]byte, 1000)

func init() {
	for i := range payload {
		payload[i] = 'a' + byte(i%26)
	}
}

// peers open a queue of their own for a benchmark.
var peers = []struct {
	name string
	open func(b *testing.B, batched bool) queue
}{
	{"prodcons", openOurs},
	{"nats", openRaw},
	{"watermill", openWatermill},
	{"asynq", openAsynq},
	{"river", openRiver},
}

// serving starts a server of JetStream on the loopback, the same for all of its users.
func serving(b *testing.B) string {
	b.Helper()
	s, err := server.NewServer(&server.Options{
		JetStream: true, StoreDir: b.TempDir(), Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true,
	})
	if err != nil {
		b.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		b.Fatal("the server does not start")
	}
	b.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return "nats://" + s.Addr().String()
}

// text is the payload, as writing bytes as JSON is not what is measured.
type text struct{}

func (text) Encode(v []byte) ([]byte, error) { return v, nil }
func (text) Decode(v []byte) ([]byte, error) { return v, nil }

type ours struct{ queue *jetstream.Queue[[]byte] }

// ahead is how many jobs are fetched at once where that can be set; watermill always
// has 500, river and asynq as many as there are waiting workers.
func ahead(batched bool) int {
	if batched {
		return 100
	}
	return 0
}

func openOurs(b *testing.B, batched bool) queue {
	store, err := jetstream.Open(b.Context(), jetstream.Config{Address: serving(b)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	q, err := jetstream.NewQueue(b.Context(), store, "jobs", jetstream.Options[[]byte]{Codec: text{}, Ahead: ahead(batched)})
	if err != nil {
		b.Fatal(err)
	}
	return ours{q}
}

func (q ours) put(ctx context.Context, n int, batched bool) error {
	if batched {
		_, err := q.queue.PutBatch(ctx, slices.Repeat([][]byte{payload}, n))
		return err
	}
	for range n {
		if err := q.queue.Put(ctx, payload); err != nil {
			return err
		}
	}
	return nil
}

func (q ours) serve(ctx context.Context, workers int, used func()) error {
	return jetstream.Serve(ctx, q.queue, workers, func(context.Context, []byte) error {
		used()
		return nil
	})
}

// BenchmarkJobs puts jobs and uses them: first all are put, and then all are used.
func BenchmarkJobs(b *testing.B) {
	for _, workers := range []int{1, 4} {
		for _, batched := range []bool{false, true} {
			for _, peer := range peers {
				b.Run(fmt.Sprintf("%s/workers=%d/batched=%v", peer.name, workers, batched), func(b *testing.B) {
					q := peer.open(b, batched)
					ctx, stop := context.WithCancel(b.Context())
					defer stop()
					var left sync.WaitGroup
					left.Add(b.N)
					b.ResetTimer()
					if err := q.put(ctx, b.N, batched); err != nil {
						b.Fatal(err)
					}
					put := b.Elapsed()
					ended := make(chan error, 1)
					go func() { ended <- q.serve(ctx, workers, left.Done) }()
					left.Wait()
					b.StopTimer()
					b.ReportMetric(float64(put.Nanoseconds())/float64(b.N), "put-ns/op")
					b.ReportMetric(float64((b.Elapsed()-put).Nanoseconds())/float64(b.N), "use-ns/op")
					stop()
					<-ended
				})
			}
		}
	}
}

// BenchmarkPickUp is the time from before a put to the pick-up by a worker that waits.
func BenchmarkPickUp(b *testing.B) {
	for _, peer := range peers {
		b.Run(peer.name, func(b *testing.B) {
			q := peer.open(b, false)
			ctx, stop := context.WithCancel(b.Context())
			defer stop()
			picked, ended := make(chan time.Time, 1), make(chan error, 1)
			go func() { ended <- q.serve(ctx, 1, func() { picked <- time.Now() }) }()
			var waits []time.Duration
			for range b.N {
				time.Sleep(2 * time.Millisecond) // idle
				start := time.Now()
				if err := q.put(ctx, 1, false); err != nil {
					b.Fatal(err)
				}
				waits = append(waits, (<-picked).Sub(start))
			}
			slices.Sort(waits)
			b.ReportMetric(float64(waits[len(waits)/2].Nanoseconds()), "p50-ns")
			b.ReportMetric(0, "ns/op")
			stop()
			<-ended
		})
	}
}
