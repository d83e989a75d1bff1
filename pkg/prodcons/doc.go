// Package prodcons has the parts of the producer–consumer pattern: items that
// know when they were made, queues between those who make and those who use,
// a pace at which both go, and a record of the run from which statistics and
// pictures are drawn.
//
// An [Item] is a value with its origin: who made it, as which, and when. A
// producer puts items into a [Queue], a consumer gets them out. The time from
// creation to pick-up is the item's latency. Three queues show three ways of
// meeting:
//
//   - [Slice] never waits: it has an item or it hasn't.
//   - [Polling] looks, sleeps, and looks again.
//   - [Channel] waits, and is woken at once.
//
// All are safe for many producers and many consumers, hand items over in the
// order in which they came (FIFO), and lose none: what was put before Close
// can still be got after it.
//
// A [Record] notes what happens, [Record.Stats] tells what it came to:
//
//	run := prodcons.NewRecord("channel", 1)
//	queue := prodcons.NewChannel[int](0)
//	go func() {
//		for i := range 20 {
//			queue.Put(ctx, prodcons.Item[int]{Origin: run.Made(1), Value: i * i})
//		}
//		queue.Close()
//	}()
//	for {
//		item, err := queue.Get(ctx)
//		if err != nil {
//			break
//		}
//		run.PickedUp(1, item.Origin)
//	}
//	fmt.Println(run.Stats().Latency.Mean)
//
// The package imports the standard library only. Coloured lines are in the
// sub-package show, pictures in the sub-package picture.
package prodcons
