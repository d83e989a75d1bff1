// Package jetstream is a queue that outlives its programs, on NATS JetStream: the
// same [prodcons.Group], with another Queue, survives a crash and may outgrow one
// machine.
//
//	store, err := jetstream.Open(ctx, jetstream.Config{Dir: "jobs"})
//	queue, err := jetstream.NewQueue(ctx, store, "charges", jetstream.Options[Charge]{})
//	group := prodcons.Group[Charge]{Queue: queue, Consumers: 4, Consume: charge}
//	err = group.Run(ctx)
//
// There is no server to install: it runs inside the process, in a folder, and listens
// nowhere unless told to. For other processes and machines, Config has the address of
// that server or of a cluster instead, and nothing else changes.
//
// # What is promised
//
//   - Put returns nil when the server has stored the value. By default it then survives
//     the death of every process; with Sync, or with three Replicas in a cluster, that
//     of a machine. Sync costs: here a put took 35 µs without it, and 0.6 ms with it
//     (go test -bench Put).
//   - Delivery is at least once. A value is lent, and gone when it was settled; if
//     its process dies before that, or is stopped for longer than the lease, somebody
//     else gets it. So a consumer must be safe to repeat: see the example of [Serve].
//   - A put with an ID is stored once, however often it is repeated within Window.
//   - A value that fails is lent again after a while, and parked after some tries:
//     [Queue.Parked] lists it with its errors, [Queue.PutBack] gives it new tries.
//   - With Key, the values of one key are used one after the other, in their order.
//   - With Bound, a full queue makes producers wait, or fails.
//
// # Clocks
//
// Leases, waits between tries and Window are counted by the wall clock of the server's
// machine; those of other machines may be wrong. If it is set forward, what is being
// worked on is lent again before its lease is over, and an ID may be forgotten; if it
// is set back, what a dead process held is lent again that much later. Nothing is lost
// in either case.
//
// # Size
//
// Values are on the server's disk. With a million jobs of 1 kB in a queue, the server
// took 230 MB of memory here, and was back 5 s after it was killed; with 20,000, 37 MB
// and 0.1 s (go test -run '^$' -bench Deep -benchtime 1000000x, or 20000x).
//
// # How it ends
//
// Closing a queue means nothing to other processes. There are three ways to end:
//
//   - Run for ever: a Group without Produce, or [Serve], over a queue that is not
//     closed.
//   - Stop at the end of a context: what is not used stays, for whoever comes next.
//   - Drain: after [Queue.Close], receiving ends when the queue has been seen empty,
//     nothing lent. A Group with Produce does so, as it closes its Queue.
//
// A Group is stopped by the first error of its Consume; [Serve] goes on.
//
// # When to use it, and when not
//
// Use it for work that somebody would miss: charges, mails, imports. Don't use it to
// hand values from one goroutine to the next: a [prodcons.Buffer] takes 30 ns for what
// takes 50 µs here (the benchmarks in scripts/bench and scripts/bench/durable). And if
// your work changes rows of a database that you have anyway, a queue in that database
// can take the job and change the rows in one transaction, which no other queue can.
//
// How others compare:
//
//   - river keeps jobs in PostgreSQL: a job is put in the transaction that makes it
//     necessary, and has schedules and a web page. It needs PostgreSQL.
//   - asynq keeps them in Redis, and has priorities, schedules and a web page. What is
//     confirmed is as safe as Redis' appendfsync says, which by default may lose the
//     last second. It needs Redis.
//   - watermill is one interface for the brokers that you have (Kafka, NATS, SQL …),
//     for messages more than for jobs; what is failed, parked or repeated is up to
//     its middleware and the broker.
//   - nats.go itself has all that this package has underneath, and no opinion: leases
//     that are kept alive, tries, parking, ends of runs and their errors are yours.
package jetstream
