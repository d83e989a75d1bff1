// Package iter is the standard library's, for the interpreter.
package iter

// Seq is an iterator over values.
type Seq[V any] func(yield func(V) bool)

// Seq2 is an iterator over pairs.
type Seq2[K, V any] func(yield func(K, V) bool)

// Pull turns an iterator around: next returns the next value.
func Pull[V any](seq Seq[V]) (next func() (V, bool), stop func()) {
	pull, stop := Pull2(func(yield func(V, bool) bool) {
		seq(func(v V) bool { return yield(v, true) })
	})
	next = func() (V, bool) {
		v, _, ok := pull()
		return v, ok
	}
	return next, stop
}

// Pull2 turns an iterator around: next returns the next pair.
func Pull2[K, V any](seq Seq2[K, V]) (next func() (K, V, bool), stop func()) {
	var (
		k        K
		v        V
		ok       bool
		begun    bool
		done     bool
		failed   bool
		panicked any
		more     = make(chan bool)
		there    = make(chan bool)
	)
	run := func() {
		defer func() {
			if failed {
				panicked = recover()
			}
			ok, done = false, true
			close(there)
		}()
		if <-more {
			failed = true
			seq(func(k1 K, v1 V) bool {
				k, v, ok = k1, v1, true
				there <- true
				return <-more
			})
			failed = false
		}
	}
	resume := func(on bool) {
		if !begun {
			begun = true
			go run()
		}
		more <- on
		<-there
		if failed && done {
			failed = false
			panic(panicked)
		}
	}
	next = func() (k1 K, v1 V, ok1 bool) {
		if done {
			return k1, v1, false
		}
		ok = false
		resume(true)
		if !ok {
			return k1, v1, false
		}
		return k, v, true
	}
	stop = func() {
		if done {
			return
		}
		if !begun {
			done = true
			return
		}
		resume(false)
	}
	return next, stop
}
