package inpage

import (
	"context"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cells"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/engine"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/gonb"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/program"
)

// Refuse says what a page can't do in a cell, as far as the cell alone shows it. It
// returns nil if there is nothing.
func Refuse(source string) *event.Fault {
	c, err := cells.Parse(source)
	if err != nil {
		return nil // running the cell reports it
	}
	if c.Script != nil {
		return unsupported(1, "a page has no %s", c.Script.Command[0])
	}
	for _, step := range c.Steps {
		if step.Shell != "" && !gonb.ChangesModule(step) {
			return unsupported(step.Line, "a page has no shell for ! lines")
		}
	}
	return nil
}

// Check says, for each cell, what a page can't do in it if the cells are run in order; nil
// for those that it can run or that fail by themselves. It also returns the cells'
// programs. Dir is the notebook's folder; has reports whether a page has a package.
func Check(dir string, list []engine.Cell, has func(path string) bool) (faults []*event.Fault, programs []*program.Program) {
	faults = make([]*event.Fault, len(list))
	memory, flags := new(program.Memory), []string(nil)
	for i, source := range list {
		if faults[i] = Refuse(source.Source); faults[i] != nil {
			faults[i].Cell = i + 1
			continue
		}
		c, err := cells.Parse(source.Source)
		if err != nil {
			continue
		}
		for _, step := range c.Steps {
			if step.Name == "goflags" && len(step.Args) > 0 {
				flags = step.Args
			}
		}
		if !c.HasGo {
			continue
		}
		p, err := program.New(i+1, c, memory, dir)
		if err != nil {
			continue
		}
		memory = p.After
		programs = append(programs, p)
		faults[i] = Unsupported(engine.Job{Program: p, Flags: flags}, has)
		if faults[i] != nil {
			faults[i].Cell = i + 1
		}
	}
	return faults, programs
}

// Session is a notebook in a page.
type Session struct {
	engine.Session
	list []engine.Cell
}

// New opens a session for cells.
func New(ctx context.Context, host Host, nb engine.Notebook) (*Session, error) {
	s, err := gonb.Over(Open(host), gonb.Options{}).Open(ctx, nb)
	if err != nil {
		return nil, err
	}
	return &Session{Session: s, list: nb.Cells}, nil
}

// Replace replaces the source of a cell, given by its number.
func (s *Session) Replace(number int, source string) {
	s.list[number-1].Source = source
	s.Session.(interface{ Replace(int, engine.Cell) }).Replace(number, s.list[number-1])
}

// Run runs a cell, or returns a fault if a page can't.
func (s *Session) Run(ctx context.Context, number int, out event.Sink) (event.Clock, error) {
	if fault := s.refuse(number); fault != nil {
		return "", fault
	}
	return s.Session.Run(ctx, number, out)
}

// Declare remembers what a cell declares without building or running it, for when only
// the program of another cell is to be run.
func (s *Session) Declare(ctx context.Context, number int, out event.Sink) error {
	if fault := s.refuse(number); fault != nil {
		return fault
	}
	return s.Session.(interface {
		Declare(context.Context, int, event.Sink) error
	}).Declare(ctx, number, out)
}

func (s *Session) refuse(number int) error {
	fault := Refuse(s.list[number-1].Source)
	if fault == nil {
		return nil
	}
	fault.Cell = number
	return fault
}
