// Package sync has what is generic in the standard library's, for the interpreter.
package sync

import "sync"

// OnceValue returns a function that calls f the first time, and returns what that has
// returned, or panics as it has.
func OnceValue[T any](f func() T) func() T {
	both := OnceValues(func() (T, bool) { return f(), true })
	return func() T {
		v, _ := both()
		return v
	}
}

// OnceValues returns a function that calls f the first time, and returns what that has
// returned, or panics as it has.
func OnceValues[T1, T2 any](f func() (T1, T2)) func() (T1, T2) {
	var (
		once     sync.Once
		returned bool
		panicked any
		v1       T1
		v2       T2
	)
	return func() (T1, T2) {
		once.Do(func() {
			defer func() {
				f = nil
				if !returned {
					panicked = recover()
				}
			}()
			v1, v2 = f()
			returned = true
		})
		if !returned {
			panic(panicked)
		}
		return v1, v2
	}
}
