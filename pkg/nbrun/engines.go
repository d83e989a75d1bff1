package nbrun

import (
	"fmt"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/engine"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/golang"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/gonb"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/jupyter"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/yaegi"
	_ "github.com/b3771e63/prodcons/pkg/nbrun/internal/yaegi/symbols/lessons" // what the lessons import, for the interpreter
)

// Engine is what runs the cells.
type Engine string

// The engines.
const (
	Go    Engine = "go"    // compiled by the go command, which must be on PATH
	Yaegi Engine = "yaegi" // interpreted in a child process, this same binary started again (see Main)
	// GoNB is the real Jupyter kernel, built by the go command in the version of this
	// module's go.mod. It is the reference: the other engines do what it does.
	GoNB Engine = "gonb"
)

// engines are all engines; the first is used when none is named.
var engines = []struct {
	name Engine
	does string // for those who choose
	new  func(engine.Options) (engine.Engine, error)
}{
	{Go, "compiles them", overGoNB(golang.New)},
	{Yaegi, "interprets them", overGoNB(yaegi.New)},
	{GoNB, "is the real kernel", jupyter.New},
}

// Engines returns all engines. The first is used when Options name none.
func Engines() []Engine {
	var list []Engine
	for _, e := range engines {
		list = append(list, e.name)
	}
	return list
}

// Does says, in two or three words, how the engine runs cells; "" if there is no such
// engine.
func (e Engine) Does() string {
	for _, known := range engines {
		if known.name == e {
			return known.does
		}
	}
	return ""
}

// overGoNB makes an engine of a backend for programs.
func overGoNB(backend func(engine.Options) (engine.Opener, error)) func(engine.Options) (engine.Engine, error) {
	return func(o engine.Options) (engine.Engine, error) {
		open, err := backend(o)
		if err != nil {
			return nil, err
		}
		return gonb.Over(open, gonb.Options{Strict: o.Strict, BuildOnly: o.BuildOnly}), nil
	}
}

// newEngine makes the engine with that name.
func newEngine(name Engine, o engine.Options) (engine.Engine, error) {
	var names []string
	for _, e := range engines {
		if e.name == name || name == "" {
			return e.new(o)
		}
		names = append(names, string(e.name))
	}
	last := len(names) - 1
	return nil, fmt.Errorf("unknown engine %q (want %s or %s)", name, strings.Join(names[:last], ", "), names[last])
}

// Main lets a program use the engine Yaegi, whose interpreter is a child process, the
// same binary started again: in such a child Main interprets a cell's program and ends
// the process; elsewhere it returns at once. Call it first in main, and in TestMain.
func Main() { yaegi.Main() }
