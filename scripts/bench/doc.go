// Package bench measures pkg/prodcons beside its peers. It is a module of its
// own, so that nobody who imports the library gets them.
//
//	cd scripts/bench
//	go test -run '^$' -bench . -count 5
package bench
