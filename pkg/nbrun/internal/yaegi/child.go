package yaegi

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime/debug"
	"strconv"

	"github.com/traefik/yaegi/interp"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/yaegi/rt"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/yaegi/symbols"
)

// childEnv names the file with the program, in the environment of a child; clockEnv is
// also set if it must run on the virtual clock.
const (
	childEnv = "NBRUN_INTERPRET"
	clockEnv = "NBRUN_INTERPRET_VIRTUAL"
)

// cannot is the exit status of a child whose program the interpreter can't run;
// what it said is on stderr, after cannotMark.
const (
	cannot     = 125
	cannotMark = "nbrun: the interpreter says: "
)

// ready means that Main was called: children of this process will be interpreters.
var ready bool

// Main makes this process the interpreter that it was started as, and then does not
// return; if it was started as anything else, Main returns at once, and from then on
// this process can start such children. The child is the same binary started again, so
// it needs no other program and is always of the same version.
func Main() {
	ready = true
	if path := os.Getenv(childEnv); path != "" {
		os.Unsetenv(childEnv)
		os.Unsetenv("GORACE")
		_, virtual := os.LookupEnv(clockEnv)
		os.Unsetenv(clockEnv)
		interpret(path, virtual)
	}
}

// interpret runs a program and ends the process as the program would.
func interpret(path string, virtual bool) {
	src, err := os.ReadFile(path)
	if err != nil {
		refuse(err.Error())
	}
	rt.Refuse = func(line int, why string) { refuse(fmt.Sprintf("%d:1: %s", line, why)) }
	if virtual {
		virtualClock()
	}
	i := interp.New(interp.Options{Stdin: os.Stdin, Stdout: rt.Stdout, Stderr: frames{rt.Stderr}, Args: os.Args, Unrestricted: true})
	program, err := compile(i, string(src))
	if err != nil {
		refuse(err.Error())
	}
	if virtual {
		bubble(func() { execute(i, program) })
	}
	execute(i, program)
}

func execute(i *interp.Interpreter, program *interp.Program) {
	_, err := i.Execute(program)
	if p, ok := err.(interp.Panic); ok {
		fmt.Fprintf(rt.Stderr, "panic: %v\n\n%s\n", p.Value, mainStack)
		os.Exit(2)
	}
	if err != nil {
		refuse(err.Error())
	}
	os.Exit(0)
}

// refuse ends the process, because the interpreter can't run the program.
func refuse(why string) {
	fmt.Fprintln(os.Stderr, cannotMark+why)
	os.Exit(cannot)
}

// compile turns a panic of the interpreter into an error.
func compile(i *interp.Interpreter, src string) (p *interp.Program, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
			if os.Getenv("NBRUN_DEBUG") != "" {
				debug.PrintStack()
			}
		}
	}()
	if err := i.Use(symbols.Symbols); err != nil {
		return nil, err
	}
	// The interpreter has replaced this log by its own, which does not end the process.
	const log = "log/log"
	if err := i.Use(interp.Exports{log: symbols.Symbols[log]}); err != nil {
		return nil, err
	}
	return i.Compile(src)
}

// mainStack is the first line of the stack trace of a panic in the program's main
// goroutine. The parent knows the frames.
const mainStack = "goroutine 1 [running]:"

// frames writes what the interpreter says about a panic's way through the program as
// the frames of a stack trace.
type frames struct{ io.Writer }

var frame = regexp.MustCompile(`^(\d+):\d+: panic: (\S+)\(\.\.\.\)\s*$`)

// frameFile stands for the program in a frame. The parent knows its cells.
const frameFile = "/nbrun/program.go"

func (w frames) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		if m := frame.FindSubmatch(line); m != nil {
			if n, err := strconv.Atoi(string(m[1])); err == nil {
				rt.Unwound(n)
			}
			line = fmt.Appendf(nil, "%s(...)\n\t%s:%s\n", m[2], frameFile, m[1])
		}
		if _, err := w.Writer.Write(line); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}
