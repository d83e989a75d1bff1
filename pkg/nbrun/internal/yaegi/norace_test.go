//go:build !race

package yaegi

const cgo = false
