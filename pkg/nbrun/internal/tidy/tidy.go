// Package tidy makes one pass over the output of cells: places in generated files
// become places in cells, the machine's paths are removed, and the last words of a
// program are kept, as they say more about its end than its exit status.
package tidy

import (
	"bytes"
	"fmt"
	"go/build"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/program"
)

var (
	// A place in a generated file, with what GoNB writes before it.
	gonbPlace = regexp.MustCompile(`(\[\[ Cell (?:\[\d+\] )?Line \d+ \]\]\x1b\[0m )/\S*?/gonb_[0-9a-f]+/main(?:_test)?\.go:\d+`)
	// The kernel's temporary folder, wherever it is named.
	gonbFolder = regexp.MustCompile(`/[^\s"':]*?/gonb_[0-9a-f]+/`)
	modCache   = regexp.MustCompile(`/[^\s"':]*?/pkg/mod/`)
	// The package of a cell's program, in the name of a function.
	programPackage = regexp.MustCompile(`(?:[^\s"':(]*/)?gonb_[0-9a-f]+/p/p[0-9a-f]{20}\.`)
)

// line removes the machine from a line of a stack trace or race report: places in cells
// are written as GoNB writes them, and paths begin where the module, the module cache
// or the standard library begins. Dir is the kernel's temporary folder, if that is
// known.
func line(p []byte, dir string) []byte {
	if bytes.IndexByte(p, '/') < 0 {
		return p
	}
	p = program.ReplacePlaces(p, func(at program.Place) []byte {
		return fmt.Appendf(nil, " \x1b[7m[[ Cell [%d] Line %d ]]\x1b[0m ", at.Cell, at.Line)
	})
	p = gonbPlace.ReplaceAll(p, []byte("$1"))
	if dir != "" {
		p = bytes.ReplaceAll(p, []byte(dir+string(filepath.Separator)), nil)
	}
	p = programPackage.ReplaceAll(p, []byte("main."))
	p = gonbFolder.ReplaceAll(p, nil)
	return withoutRoots(p)
}

// withoutRoots removes the folders of the standard library and of the module cache from
// paths.
func withoutRoots(p []byte) []byte {
	p = bytes.ReplaceAll(p, []byte(goroot+"/src/"), nil)
	return modCache.ReplaceAll(p, nil)
}

// Paths removes the folders of the standard library and of the module cache from the
// paths in a text of any number of lines.
func Paths(text string) string { return string(withoutRoots([]byte(text))) }

var goroot = func() string {
	if root := build.Default.GOROOT; root != "" {
		return filepath.ToSlash(root)
	}
	if root := os.Getenv("GOROOT"); root != "" {
		return filepath.ToSlash(root)
	}
	return "/usr/local/go"
}()

// Text removes the machine from a text of any number of lines.
func Text(text string) string {
	var b strings.Builder
	for l := range strings.Lines(text) {
		b.Write(line([]byte(l), ""))
	}
	return b.String()
}
