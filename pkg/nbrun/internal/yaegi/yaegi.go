// Package yaegi interprets the programs of a notebook, each in a child process
// that is this same binary started again. No Go toolchain is needed, and nothing
// is compiled.
//
// The interpreter (github.com/traefik/yaegi) knows an older Go, and the packages
// of its symbol tables only. So a program is first type-checked against those
// tables; what the interpreter lacks and can be said in other words is rewritten,
// and what remains is told by cell, line and construct before anything runs.
package yaegi

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/process"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/program"
)

// Advice is what an error of this engine ends with.
const Advice = "run it with -engine go"

// idle are the build flags that change nothing of what a program does.
var idle = map[string]bool{
	"a": true, "buildvcs": true, "cover": true, "covermode": true, "coverpkg": true, "gcflags": true,
	"mod": true, "p": true, "trimpath": true, "v": true, "work": true, "x": true,
}

// Refused returns the first of the build flags that the interpreter can't pass
// over, "" if there is none.
func Refused(flags []string) string {
	for i, flag := range flags {
		name, _, _ := strings.Cut(strings.TrimLeft(flag, "-"), "=")
		if value := i > 0 && !strings.HasPrefix(flag, "-"); !value && !idle[name] {
			return flag
		}
	}
	return ""
}

// Process returns the process that runs the program, which is first rewritten
// and written to dir, and the filter for its stderr. Errors are of type
// program.Errors where the program is at fault, or the interpreter.
func Process(p *program.Program, dir string) (*process.Process, *Stderr, error) {
	if p.Test {
		return nil, nil, program.Errors{{Place: program.Place{Cell: p.Cell, Line: 1}, Text: "%test needs the Go compiler; " + Advice}}
	}
	src, err := Rewrite(p.Source)
	if err != nil {
		return nil, nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	src, places := withoutPlaces(src)
	path := filepath.Join(dir, p.Name()+".go")
	if err := os.WriteFile(path, []byte(src), 0o600); err != nil {
		return nil, nil, err
	}
	return &process.Process{Path: self, Args: p.Args, Env: []string{childEnv + "=" + path, quiet}}, &Stderr{places: places}, nil
}

// quiet is for binaries built with -race, as tests are: the detector would look at
// the interpreter and not at the program, and the interpreter's goroutines race to
// fill in one cache of types with the same value (itype.refType, v0.16.1).
const quiet = "GORACE=report_bugs=0 exitcode=0 atexit_sleep_ms=0"

// withoutPlaces blanks the line directives, and returns for each line where it
// came from. The interpreter looks imports up by the name of the file that they
// are used in, so to it the program has to be one file.
func withoutPlaces(src string) (string, []string) {
	lines := strings.Split(src, "\n")
	places := make([]string, len(lines)+1)
	file, at := "", 0
	for i, line := range lines {
		if place, ok := strings.CutPrefix(line, "//line "); ok {
			parts := strings.Split(place, ":")
			file = parts[0]
			at, _ = strconv.Atoi(parts[1])
			lines[i] = ""
			continue
		}
		if file != "" {
			places[i+1] = fmt.Sprintf("%s:%d", file, at)
			at++
		}
	}
	return strings.Join(lines, "\n"), places
}

// Stderr makes of what a child says on stderr what the program would have said.
// It is to be used for one child, line by line.
type Stderr struct {
	places []string // by line of the program
	cannot string
	frames []byte // of the program, written before the panic that they belong to
	inside bool   // a stack trace of the interpreter itself
}

// place is a position as the interpreter writes it, at the beginning of a message
// or, written by the child, in a frame.
var place = regexp.MustCompile(`^(?:(\d+):(\d+): |\t` + frameFile + `:(\d+)$)`)

// mapped puts the places of cells in the place of the program's lines.
func (s *Stderr) mapped(line string) string {
	m := place.FindStringSubmatch(line)
	if m == nil {
		return line
	}
	n, _ := strconv.Atoi(m[1] + m[3])
	if n >= len(s.places) || s.places[n] == "" {
		return line[len(m[0]):]
	}
	if m[3] != "" {
		return "\t" + s.places[n]
	}
	return s.places[n] + ":" + m[2] + ": " + line[len(m[0]):]
}

var (
	repanicked = regexp.MustCompile(` \[recovered(, repanicked)?\]`)
	frameLine  = regexp.MustCompile(`^(\S+\(\.\.\.\)|\t` + frameFile + `:\d+)$`)
	position   = regexp.MustCompile(`^\d+:\d+: `) // of the interpreter, in its own messages
)

// Line filters a line.
func (s *Stderr) Line(line []byte) []byte {
	if text, ok := bytes.CutPrefix(line, []byte(cannotMark)); ok {
		s.cannot = s.mapped(string(bytes.TrimSpace(text)))
		return nil
	}
	text, end := strings.TrimSuffix(string(line), "\n"), ""
	if len(text) < len(line) {
		end = "\n"
	}
	switch {
	case s.cannot != "", s.inside:
		return nil
	case strings.HasPrefix(text, "goroutine ") && strings.HasSuffix(text, "]:"):
		s.inside = true
		return append(line, s.frames...)
	case frameLine.MatchString(text):
		s.frames = append(s.frames, s.mapped(text)+end...)
		return nil
	case strings.HasPrefix(text, "panic: "):
		text = "panic: " + position.ReplaceAllString(strings.TrimPrefix(text, "panic: "), "")
		return append(repanicked.ReplaceAll([]byte(text), nil), end...)
	case text != "":
		s.frames = nil // of a panic that was recovered
	}
	return []byte(s.mapped(text) + end)
}

// Failure says what a child's exit means: errors of type program.Errors when
// the interpreter could not do what the program wants, else nil.
func (s *Stderr) Failure(exit error) error {
	var ee *exec.ExitError
	if !errors.As(exit, &ee) || ee.ExitCode() != cannot || s.cannot == "" {
		return nil
	}
	errs := program.CompilerErrors(s.cannot)
	for i := range errs {
		errs[i].Text = "the interpreter can't do this (" + errs[i].Text + "); " + Advice
	}
	return errs
}
