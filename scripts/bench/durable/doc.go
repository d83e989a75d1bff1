// Package durable measures pkg/prodcons/jetstream beside its peers: raw nats.go,
// watermill on JetStream, asynq on Redis and river on PostgreSQL. It is a module of
// its own, so that nobody who imports the library gets them. Peers whose server is not
// on this machine are skipped.
//
//	cd scripts/bench/durable
//	go test -run '^$' -bench . -benchtime 2000x -count 5
//
// Jobs of 1 kB, put and used, µs a job, medians of 5 (2 cores, AMD EPYC):
//
//	               prodcons   raw nats.go   watermill   asynq   river
//	1 worker          179         162          127        388    2148
//	  batched          79          95          118        331    1572
//	4 workers         118         101          113        279     976
//	  batched          55          47          105        220     464
//	picked up, p50    219         204          202       1283    1663
//
// Between one such run and the next a row differs by a fifth. So the library is held to
// nats.go in rounds, each peer right after the other; the medians of nine rounds'
// ratios are 1.07, 1.02, 0.85 and 1.10, in the order above:
//
//	for i in $(seq 9); do go test -run '^$' -bench 'Jobs/(prodcons|nats)/' -benchtime 5000x; done
//
// CI runs three rounds of 2000, and fails if a ratio has drifted by more than a factor of 2.
//
// Watermill is ahead where jobs are not batched, in their use alone (63 µs a job
// instead of 112 with one worker), as it always fetches 500 ahead: should its process
// hang, nobody else gets these before their lease ends. We and raw nats.go fetch one a
// worker unless asked for more: in the rows that are batched 100 are fetched ahead, and
// a use takes us 63 µs, too. All three wait until the server has confirmed that a job is
// settled.
//
// None of the servers writes through to the disk before it confirms: JetStream with
// its default, Redis with appendfsync everysec, PostgreSQL with synchronous_commit
// off.
package durable
