// Charges is a producer and a worker in two terminals. Kill either in the middle, with
// kill -9 too, and start it again: every charge is made, however long it takes.
//
//	go run ./testdata/charges produce
//	go run ./testdata/charges work
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/b3771e63/prodcons/pkg/prodcons/jetstream"
)

const address = "127.0.0.1:4333"

type charge struct{ ID string }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) != 2 || os.Args[1] != "produce" && os.Args[1] != "work" {
		log.Fatal("usage: charges produce|work")
	}
	config := jetstream.Config{Address: "nats://" + address}
	if os.Args[1] == "produce" { // it keeps the queue, too
		config = jetstream.Config{Dir: filepath.Join(os.TempDir(), "charges"), Listen: address}
	}
	store, err := jetstream.Open(ctx, config)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	options := jetstream.Options[charge]{ID: func(c charge) string { return c.ID }, Lease: 3 * time.Second}
	queue, err := jetstream.NewQueue(ctx, store, "charges", options)
	if err != nil {
		log.Fatal(err)
	}
	if os.Args[1] == "work" {
		err = jetstream.Serve(ctx, queue, 1, func(_ context.Context, c charge) error {
			fmt.Println("charge", c.ID)
			time.Sleep(time.Second)
			fmt.Println("charged", c.ID)
			return nil
		})
	} else {
		for err == nil {
			c := charge{ID: time.Now().Format("15:04:05.000")}
			if err = queue.Put(ctx, c); err == nil {
				fmt.Println("confirmed", c.ID, "- in the queue:", queue.Len())
			}
			time.Sleep(500 * time.Millisecond)
		}
	}
	fmt.Println(err)
}
