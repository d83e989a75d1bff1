package event

import (
	"fmt"
	"strings"
)

// Reason is a kind of fault, for those who know what to do about it.
type Reason string

// The reasons that are told apart.
const (
	Timeout     Reason = "timeout"     // the cell took longer than allowed
	Memory      Reason = "memory"      // the cell used more memory than allowed
	Unsupported Reason = "unsupported" // the engine can't do this; another one may
	Differs     Reason = "differs"     // the outputs differ from the stored ones: Traceback says how
)

// Fault is something wrong with a cell, or that went wrong in it. It is the only error
// with a place.
type Fault struct {
	Cell   int    `json:"cell,omitempty"`   // the cell's number; 0 when that is not known
	Line   int    `json:"line,omitempty"`   // of the cell, from 1; 0 when the fault has no line
	Column int    `json:"column,omitempty"` // in bytes, from 1; 0 when it has none
	Text   string `json:"text"`
	Reason Reason `json:"reason,omitempty"`
	// Traceback has the lines that a notebook shows below the fault.
	Traceback []string `json:"traceback,omitempty"`
	// Expected means that the cell was allowed to fail.
	Expected bool `json:"expected,omitempty"`
}

// Faultf makes a fault.
func Faultf(cell, line int, format string, args ...any) *Fault {
	return &Fault{Cell: cell, Line: line, Text: fmt.Sprintf(format, args...)}
}

// Error returns cell, line and fault, where they are known: "cell 3, line 2: undefined:
// x".
func (f *Fault) Error() string {
	var place []string
	if f.Cell > 0 {
		place = append(place, fmt.Sprintf("cell %d", f.Cell))
	}
	if f.Line > 0 {
		place = append(place, fmt.Sprintf("line %d", f.Line))
	}
	if len(place) == 0 {
		return f.Text
	}
	return strings.Join(place, ", ") + ": " + f.Text
}

// Faults are those of one cell, in the order of the source.
type Faults []*Fault

// Error returns the first fault's text.
func (f Faults) Error() string {
	if len(f) == 0 {
		return "does not compile"
	}
	return f[0].Error()
}
