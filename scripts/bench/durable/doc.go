// Package durable measures pkg/prodcons/jetstream beside its peers: raw nats.go,
// watermill on JetStream, asynq on Redis and river on PostgreSQL. It is a module of
// its own, so that nobody who imports the library gets them. Peers whose server is not
// on this machine are skipped.
//
//	cd scripts/bench/durable
//	go test -run '^$' -bench . -benchtime 3000x -count 5
//
// None of the servers writes through to the disk before it confirms: JetStream with
// its default, Redis with appendfsync everysec, PostgreSQL with synchronous_commit
// off.
package durable
