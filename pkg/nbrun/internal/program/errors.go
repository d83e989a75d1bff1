package program

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

// generated is a place in a line that is in no cell.
var generated = regexp.MustCompile(`^(?:\./)?p/p[0-9a-f]+/main(?:_test)?\.go:\d+(?::\d+)?: `)

// What the go command says about a chain of imports that begins with a program: its
// package, which nobody knows, and then what a cell of it imports.
var (
	ofProgram  = regexp.MustCompile(`^package \S+/p/p[0-9a-f]{20}(?:\.test)?$`)
	importedBy = regexp.MustCompile(`^\timports (\S+) from cell(\d+)\.go$`)
)

// Limits of what is kept of a compiler's messages. Real ones are shorter.
const (
	mostFaults = 1000
	longFault  = 16 << 10 // bytes
)

// IsNoise reports whether a line of the go command gives no reason for its failure: it
// says what the command is about to do, is a heading, or is one of the packages through
// which another is reached.
func IsNoise(line string) bool {
	switch {
	case strings.TrimSpace(line) == "", ofProgram.MatchString(line):
		return true
	case strings.HasPrefix(line, "\t"):
		return strings.HasSuffix(line, " imports")
	}
	return strings.IndexByte("#gf", line[0]) >= 0 && noise.MatchString(line)
}

var noise = regexp.MustCompile(`^#|^go: (finding|downloading|found|added|upgraded|downgraded|extracting) |^go: errors parsing |^go: \S+ imports$|^failed to run "`)

// homeless is what the go command says about a package when it may fetch no module.
var homeless = regexp.MustCompile(`^(?:cannot find module providing|no required module provides) package (\S+?)(?:: import lookup disabled by -mod=readonly|; to add it:.*)$`)

// Advised adds to what a parser or the go command has said what to do about it.
func Advised(text string) string {
	if m := homeless.FindStringSubmatch(text); m != nil {
		text = fmt.Sprintf("no module here provides package %s: run go get %[1]s in the notebook's folder, after go mod init NAME if there is no go.mod", m[1])
	}
	found, ok := strings.CutPrefix(text, "expected declaration, found ")
	if ok && !strings.HasPrefix(found, "'") || found == "'{'" { // not what is one too many, as '}'
		text += "; statements belong in a function, or below a line %%, where func main begins"
	}
	return text
}

// CompilerFaults makes faults of what the go command said. Lines that belong to no cell
// are kept as they are, except those that give no reason.
func CompilerFaults(output string) event.Faults {
	var faults, other event.Faults
	last := &faults // the list that the last fault is in
	for line := range strings.Lines(output) {
		if len(faults)+len(other) == mostFaults {
			break
		}
		line = strings.TrimRight(line, "\r\n")
		if f := compilerFault(line); f != nil {
			faults = append(faults, f)
			last = &faults
			continue
		}
		line = generated.ReplaceAllString(line, "")
		if m := importedBy.FindStringSubmatch(line); m != nil { // what follows says why it can't be
			faults = append(faults, &event.Fault{Cell: number(m[2]), Text: "imports " + m[1]})
			last = &faults
			continue
		}
		switch {
		case IsNoise(line):
			continue
		case strings.HasPrefix(line, "\t") && len(*last) > 0:
			more := strings.TrimSpace(line)
			if f := compilerFault(more); f != nil {
				more = f.Error()
			}
			if f := (*last)[len(*last)-1]; len(f.Text) < longFault {
				f.Text = Joined(f.Text, more)
			}
		default:
			other = append(other, &event.Fault{Text: strings.TrimSpace(line)})
			last = &other
		}
	}
	faults = append(faults, other...)
	for _, f := range faults {
		f.Text = Advised(f.Text)
	}
	return faults
}

// Joined adds a line that belongs to a fault to its text.
func Joined(text, more string) string {
	if !strings.HasSuffix(text, ":") {
		text += ";"
	}
	return text + " " + more
}

// compilerFault makes a fault of a line that begins with a place in a cell, and
// otherwise returns nil.
func compilerFault(line string) *event.Fault {
	m := compilerLine.FindStringSubmatch(line)
	if m == nil {
		return nil
	}
	return &event.Fault{Cell: number(m[1]), Line: number(m[2]), Column: number(m[3]), Text: m[4]}
}
