// Package bench measures pkg/prodcons beside its peers. It is a module of its
// own, so that nobody who imports the library gets them.
//
//	cd scripts/bench
//	go run ./compare
package bench
