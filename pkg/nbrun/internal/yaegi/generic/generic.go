// Package generic has the source of what is generic in the standard library, for
// interpreted programs: a compiled function has no instances that the interpreter could
// call. So these are written anew, and instantiated with the program. They do what
// those of the standard library do, down to the order in which sorting leaves equal
// elements; a test compares them.
package generic

import "embed"

// Files has a folder for each package, with one file.
//
//go:embed cmp/cmp.go errors/errors.go iter/iter.go maps/maps.go math/rand/v2/v2.go slices/slices.go sync/sync.go sync/atomic/atomic.go
var Files embed.FS
