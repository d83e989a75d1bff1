package program

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Error is something wrong at a place of a notebook.
type Error struct {
	Place
	Text string
}

func (e Error) Error() string {
	if e.Cell == 0 {
		return e.Text
	}
	return fmt.Sprintf("cell %d, line %d: %s", e.Cell, e.Line, e.Text)
}

// Errors are the errors of a cell, in the order of the source. The error text is
// that of the first.
type Errors []Error

func (e Errors) Error() string {
	if len(e) == 0 {
		return "does not compile"
	}
	return e[0].Error()
}

// compilerLine is an error with its place, behind which may stand, in brackets,
// that in the generated file.
var compilerLine = regexp.MustCompile(`^/nbrun/cell(\d+)\.go:(\d+)(?::(\d+))?(?:\[[^]]*\])?: (.*)$`)

// generated is a place in a line that no cell has written.
var generated = regexp.MustCompile(`^(?:\./)?p/p[0-9a-f]+/main(?:_test)?\.go:\d+(?::\d+)?: `)

// CompilerErrors makes errors of what the go command said. Lines that belong to
// no cell are kept as they are, without the go command's headings.
func CompilerErrors(output string) Errors {
	var errs, other Errors
	last := &errs // the list that the last error is in
	for line := range strings.Lines(output) {
		line = strings.TrimRight(line, "\r\n")
		if m := compilerLine.FindStringSubmatch(line); m != nil {
			cell, _ := strconv.Atoi(m[1])
			at, _ := strconv.Atoi(m[2])
			col, _ := strconv.Atoi(m[3])
			errs = append(errs, Error{Place{cell, at, col}, m[4]})
			last = &errs
			continue
		}
		line = generated.ReplaceAllString(line, "")
		switch {
		case strings.HasPrefix(line, "\t") && len(*last) > 0:
			more := strings.TrimSpace(line)
			if m := compilerLine.FindStringSubmatch(more); m != nil {
				more = fmt.Sprintf("cell %s, line %s: %s", m[1], m[2], m[4])
			}
			(*last)[len(*last)-1].Text += "; " + more
		case strings.HasPrefix(line, "#"), strings.TrimSpace(line) == "", strings.HasPrefix(line, "go: finding "), strings.HasPrefix(line, "go: downloading "):
		default:
			other = append(other, Error{Text: strings.TrimSpace(line)})
			last = &other
		}
	}
	return append(errs, other...)
}
