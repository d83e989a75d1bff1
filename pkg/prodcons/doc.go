// Package prodcons is the producer–consumer pattern: queues between those who
// make and those who use, one call that runs them all, and a record of the run
// from which statistics and pictures are drawn.
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
// The first error stops the rest and comes back with the name of who failed; a
// panic reaches the caller with its stack; when ctx ends, the group is stopped,
// and what was queued is drained for as long as you say, and the rest returned.
// No goroutine is left. [Group.Stats] tells, at any time, how many and how fast,
// how long they waited and how busy each consumer is; [Group.SetConsumers]
// changes how many there are.
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
// Take a Buffer; the others are there to be compared with it. All are safe for
// many producers and many consumers, and lose nothing: what was put before Close
// can still be got after it. None keeps a value from a consumer that waits:
// whoever is free gets the next one, however slow the others are.
//
// # The record of a run
//
// A [Record] notes what happens to each [Item], a value with its [Origin]: who
// made it, as which, and when. The time from creation to pick-up is its latency.
// [Record.Stats] tells what it came to, and the sub-package picture draws it. A
// Group keeps a record through its field Observe. A [Pace] draws a producer's
// rests from a seed, so that two programs can be compared.
//
// The package imports the standard library and its own sub-package histogram
// only. Coloured lines are in the sub-package show, pictures in picture.
package prodcons
