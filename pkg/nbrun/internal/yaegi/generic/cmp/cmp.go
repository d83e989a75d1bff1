// Package cmp is the standard library's, for the interpreter.
package cmp

// Ordered are the types with the operators of order.
type Ordered interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr | ~float32 | ~float64 | ~string
}

// Less reports whether x is before y. NaN is before all others.
func Less[T Ordered](x, y T) bool { return x < y || x != x && y == y }

// Compare is negative if x is before y, positive if y is before x, and 0 otherwise.
func Compare[T Ordered](x, y T) int {
	if Less(x, y) {
		return -1
	}
	if Less(y, x) {
		return 1
	}
	return 0
}

// Or is the first of vals that is not zero.
func Or[T comparable](vals ...T) T {
	var zero T
	for _, v := range vals {
		if v != zero {
			return v
		}
	}
	return zero
}
