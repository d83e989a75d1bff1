//go:build race

package yaegi

// cgo reports whether this binary has cgo in it, as the race detector needs it. The
// runtime then does not notice that all goroutines are asleep.
const cgo = true
