// Package symbols has what interpreted cells can import: the packages of the
// standard library that cells use, and what other packages, such as its
// sub-package lessons, add to it. The tables are made from the packages
// themselves; generic functions and types can't be in them (see package generic).
package symbols

import (
	"io"
	"log"
	"reflect"
	"runtime"
)

//go:generate go tool yaegi extract -name symbols bufio bytes container/heap container/list container/ring context crypto/md5 crypto/rand crypto/sha1 crypto/sha256 encoding/base64 encoding/binary encoding/csv encoding/hex encoding/json errors flag fmt hash/crc32 hash/fnv html io io/fs log log/slog math math/big math/bits math/cmplx math/rand math/rand/v2 net/url os os/exec os/signal path path/filepath reflect regexp runtime runtime/debug sort strconv strings sync sync/atomic text/tabwriter text/template testing testing/synctest time unicode unicode/utf16 unicode/utf8

// Symbols has the tables by import path and package name, as yaegi wants them.
var Symbols = map[string]map[string]reflect.Value{}

// Surroundings are what a program has around it that is not as usual.
type Surroundings struct {
	Stdout, Stderr io.Writer
	Goroutines     func() int // that are not the program's
}

// Adapt are functions that have packages of the tables respect the surroundings.
var Adapt = []func(Surroundings){
	func(s Surroundings) {
		log.SetOutput(s.Stderr)
		Symbols["runtime/runtime"]["NumGoroutine"] = reflect.ValueOf(func() int { return runtime.NumGoroutine() - s.Goroutines() })
	},
}
