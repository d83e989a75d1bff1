// Package bench measures pkg/prodcons beside its peers. It is a module of its
// own, so that nobody who imports the library gets them.
//
//	cd scripts/bench
//	go run ./compare
//
// # What is not reached, and why
//
// Measured on two cores of an AMD EPYC, as parts of a plain channel's time.
//
// Beside xsync's MPMCQueue a Buffer takes between 0.7 and 1.6 of the time for a
// hand-over, from run to run on the same machine. That queue never sleeps: it spins,
// and burns a core while idle. In a profile, 95 % of a Put or Get is two locked
// instructions, which xsync has, too, and the branches around them that ask whether
// anybody sleeps. These were tried: Vyukov's ring, as in xsync, parking after two
// Gosched (0.53 on average, but 2.5 for 16 → 16); a mutex and a condition whose
// consumer swaps out the whole buffer (0.54, but items wait while other consumers
// idle); and two locks that are part of the positions, which is what Buffer has (0.37,
// the worst row 0.44).
//
// With room for one or two, most goroutines that put or get have to sleep and be woken.
// A channel does that under the runtime's own lock; a package has a sync.Mutex, which
// takes a third of the time, and a condition to sleep on, which takes a quarter. (A
// goroutine that sleeps on a channel of its own would be woken sooner, but the buffer
// could not be used in two bubbles of testing/synctest.) These were tried, 1 → 1 / 4 →
// 4 / ping-pong:
//
//   - two locks, as in large buffers, and a look before each sleep: 1.5–2.0 / 3 and more / 1.7
//   - one lock, values handed over, sleepers that need no lock when they wake: 1.1–1.4 / 1.5–2.0 / 1.4
//   - one lock, values handed over, sleepers that take it again, which stands: 1.1–1.3 / 1.4–1.8 / 1.1–1.4
//   - the same with a spinning lock instead of the mutex: 1.2–1.5 / 1.5–1.8 / 1.4
//   - a channel inside, with a second one that closing closes: 1.3–1.6 / 1.4–3.2 / 1.1
//
// A Group of ten items takes 12 allocations and 3.7 kB: the group itself with its
// buffer 1.8 kB (the buffer's ends lie in cache lines of their own, 320 B of it), four
// consumers 1 kB (each has a place to sleep in), the first piece of the buffer 0.5 kB,
// and two contexts and the workers' closures the rest.
package bench
