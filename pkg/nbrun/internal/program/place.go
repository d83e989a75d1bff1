package program

import (
	"fmt"
	"go/token"
	"regexp"
	"strconv"
)

// Place is a place in a notebook. Lines and columns count from 1.
type Place struct {
	Cell, Line, Col int
}

// FileName is the name of a cell in compiler messages and stack traces. It is absolute
// so that no tool puts a folder before it.
func FileName(cell int) string { return fmt.Sprintf("/nbrun/cell%d.go", cell) }

// A place with that name, and one at the beginning of a compiler's line, which may be
// followed, in brackets, by the place in the generated file.
var (
	placeInText  = regexp.MustCompile(`/nbrun/cell(\d+)\.go:(\d+)`)
	compilerLine = regexp.MustCompile(`^/nbrun/cell(\d+)\.go:(\d+)(?::(\d+))?(?:\[[^]]*\])?: (.*)$`)
)

// placeOf returns the place in a cell of a position in a program; what no cell has
// written is in cell 0.
func placeOf(at token.Position) Place {
	if m := placeInText.FindStringSubmatch(fmt.Sprintf("%s:%d", at.Filename, at.Line)); m != nil {
		return Place{Cell: number(m[1]), Line: number(m[2]), Col: at.Column}
	}
	return Place{}
}

// ReplacePlaces replaces the places in cells that a text mentions.
func ReplacePlaces(text []byte, with func(Place) []byte) []byte {
	return placeInText.ReplaceAllFunc(text, func(m []byte) []byte {
		at := placeInText.FindSubmatch(m)
		return with(Place{Cell: number(at[1]), Line: number(at[2])})
	})
}

// number reads digits that a pattern has found.
func number[T string | []byte](digits T) int {
	n, _ := strconv.Atoi(string(digits))
	return n
}
