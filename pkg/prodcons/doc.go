// Package prodcons is the producer–consumer pattern: queues between producers and
// consumers, one call that runs them all, and a record of a run from which
// statistics and pictures are made.
//
// # One call
//
// A [Group] runs producers and consumers over a queue and returns when all have
// ended:
//
//	group := prodcons.Group[string]{
//		Consumers: 4,
//		Produce: func(ctx context.Context, _ int, put func(string) error) error {
//			for lines.Scan() {
//				if err := put(lines.Text()); err != nil {
//					return err
//				}
//			}
//			return lines.Err()
//		},
//		Consume: func(ctx context.Context, _ int, line string) error {
//			return work(ctx, line)
//		},
//	}
//	err := group.Run(ctx)
//
// The first error stops the rest and comes back with the name of the producer or
// consumer that failed; a panic reaches the caller with its stack. When ctx ends, the
// group is stopped, what was queued is drained for as long as you say, and the rest is
// returned. No goroutine is left, and no value is lost: each is used, dropped by a full
// queue (OnDrop), left ([Group.Left]) or failed ([Group.Failed]). [Group.Stats] says,
// at any time, how many values there were and how fast they went through, how long they
// waited, and how busy each consumer is; [Group.SetConsumers] changes the number of
// consumers.
//
// # Shapes that recur
//
//   - [Each] and [EachAll] call a function for each value of an iterator, n
//     at a time; [EachKeyed] keeps the order of the values of each key.
//   - [Map] and [MapUnordered] yield the results, too.
//   - [Then] and [ThenBatches] put stages behind one another: errors come out at the
//     end, and leaving the loop there cancels all. [Batches] gathers what comes from
//     a queue, by number or time.
//   - [Walk] is for work that makes work, and ends when there is none left.
//   - [Retry] and [Limiter] are for calls that fail, or must not come too often.
//   - A [Lender] is a queue that outlives the process: what was not used stays there.
//     [Lending] is one in memory.
//
// # Queues
//
// A [Queue] carries values from producers to consumers, first in, first out:
//
//   - [Slice] never waits: it has a value or it hasn't.
//   - [Polling] looks, sleeps, and looks again.
//   - [Channel] waits, and is woken at once: a Go channel.
//   - [Buffer] does so too, in a fraction of the time, with a bound or without,
//     and can drop or fail instead of waiting when it is full.
//
// Use a Buffer; the others are there for comparison. All are safe for many producers
// and many consumers, and lose nothing: what was put before Close can still be got
// after it. None keeps a value from a waiting consumer: whoever is free gets the next
// one, however slow the others are. [Buffer.Ready] is for a select. Anything with the
// four methods of a Queue can be a Group's queue: one that is already filled, or one
// with an order of its own.
//
// # The record of a run
//
// A [Record] notes what happens to each [Item], which is a value with its [Origin]: the
// producer that made it, its number, and when it was made. The time from creation to
// pick-up is the item's latency. [Record.Stats] sums up a run in numbers. A program
// with its own goroutines calls Made, PickedUp and Done; a Group calls [Record.Observe]
// if its field Observe is set to it.
//
// # What it imports
//
// The package imports the standard library and its own sub-package histogram only.
// Sub-package picture, which draws a record, imports golang.org/x/image.
package prodcons
