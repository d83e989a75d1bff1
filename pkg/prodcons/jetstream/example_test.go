package jetstream_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/b3771e63/prodcons/pkg/prodcons"
	"github.com/b3771e63/prodcons/pkg/prodcons/jetstream"
)

// scratch is a store in a folder that goes with the example.
func scratch() (store *jetstream.Store, end func()) {
	dir, err := os.MkdirTemp("", "example-*")
	if err != nil {
		panic(err)
	}
	if store, err = jetstream.Open(context.Background(), jetstream.Config{Dir: dir}); err != nil {
		panic(err)
	}
	return store, func() {
		_ = store.Close()
		_ = os.RemoveAll(dir)
	}
}

// A Group does not see what kind of queue it has.
func ExampleQueue() {
	ctx := context.Background()
	store, end := scratch()
	defer end()
	queue, err := jetstream.NewQueue(ctx, store, "squares", jetstream.Options[int]{})
	if err != nil {
		fmt.Println(err)
		return
	}
	sum := 0
	group := prodcons.Group[int]{
		Queue: queue,
		Produce: func(_ context.Context, _ int, put func(int) error) error {
			for i := 1; i <= 20; i++ {
				if err := put(i * i); err != nil {
					return err
				}
			}
			return nil
		},
		Consume: func(_ context.Context, _, v int) error {
			sum += v
			return nil
		},
	}
	fmt.Println(group.Run(ctx), sum)
	// Output: <nil> 2870
}

// As delivery is at least once, a consumer must be safe to repeat: it notes what it has
// done under the value's own name, in the same step as doing it. With a database that
// is one transaction; with a payment service, its idempotency key.
func ExampleServe_idempotent() {
	type charge struct {
		ID    string
		Cents int
	}
	ctx := context.Background()
	store, end := scratch()
	defer end()
	queue, err := jetstream.NewQueue(ctx, store, "charges", jetstream.Options[charge]{
		ID:    func(c charge) string { return c.ID },
		Retry: prodcons.Retry{Wait: time.Millisecond},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 { // stored once
		if err := queue.Put(ctx, charge{"invoice 7", 995}); err != nil {
			fmt.Println(err)
		}
	}
	queue.Close() // so that Serve ends when it is drained

	var mu sync.Mutex
	done, total := map[string]bool{}, 0
	lucky := false
	err = jetstream.Serve(ctx, queue, 2, func(_ context.Context, c charge) error {
		mu.Lock()
		defer mu.Unlock()
		if !done[c.ID] {
			done[c.ID] = true
			total += c.Cents
		}
		if !lucky { // after the work, and before it is settled
			lucky = true
			return errors.New("the connection is lost")
		}
		return nil
	})
	fmt.Println(err, total)
	// Output: <nil> 995
}

// What fails too often is parked, with its errors, and can be put back.
func ExampleQueue_Parked() {
	ctx := context.Background()
	store, end := scratch()
	defer end()
	queue, err := jetstream.NewQueue(ctx, store, "mails", jetstream.Options[string]{
		Retry: prodcons.Retry{Attempts: 2, Wait: time.Millisecond},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = queue.Put(ctx, "hello")
	for range 2 {
		delivery, err := queue.Receive(ctx)
		if err != nil {
			fmt.Println(err)
			return
		}
		_ = delivery.Settle(errors.New("no such address"))
	}
	parked, err := queue.Parked(ctx)
	fmt.Println(err, parked[0].Value, len(parked[0].Errors), parked[0].Errors[1].Err)
	fmt.Println(queue.Len(), queue.PutBack(ctx, parked[0].ID), queue.Len())
	// Output:
	// <nil> hello 2 no such address
	// 0 <nil> 1
}

// Each process reports to the trace what happens there, and one makes a record of it.
func ExampleNewTrace() {
	ctx := context.Background()
	store, end := scratch()
	defer end()
	trace, err := jetstream.NewTrace(ctx, store, "tuesday")
	if err != nil {
		fmt.Println(err)
		return
	}
	group := prodcons.Group[int]{
		Produce: func(_ context.Context, _ int, put func(int) error) error {
			return errors.Join(put(1), put(2))
		},
		Consume: func(context.Context, int, int) error { return nil },
		Observe: trace.Observer(0, 0), // in the next process: (1, 1)
	}
	if err := group.Run(ctx); err != nil {
		fmt.Println(err)
	}
	record, err := trace.Record(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(record.Name(), record.Stats().Made, record.Stats().Count)
	// Output: tuesday 2 2
}
