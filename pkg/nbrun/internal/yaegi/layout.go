package yaegi

import (
	"fmt"
	"go/types"
	"slices"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/yaegi/rt"
)

// The interpreter makes the types of a program with package reflect, which can't make
// one that contains itself. So when, on its way through a type, it comes to one that it
// has begun and not ended, it puts a dummy of size 0 there, and later changes all
// dummies into the type that it came to last. That is right if all of these are the
// type where the way began, and none is there by value. Which type it begins with is up
// to us; the result is checked before the program runs (rt.Struct).

// edge is a struct that the field of another leads to.
type edge struct {
	to    int
	value bool // it lies within the other
}

// structEdges returns what each struct contains, in the order of its fields.
func (e *emitter) structEdges() [][]edge {
	edges := make([][]edge, len(e.structs))
	for i, s := range e.structs {
		for f := range s.Fields() {
			e.shape(f.Type(), true, func(to edge) { edges[i] = append(edges[i], to) })
		}
	}
	return edges
}

// shape writes a type with those structs by number that contain themselves; everything
// that contains no struct is written alike, as in package rt. It calls visit for each
// struct, in the order in which the interpreter comes to them.
func (e *emitter) shape(t types.Type, value bool, visit func(edge)) string {
	t = types.Unalias(t)
	if n, ok := t.(*types.Named); ok {
		if !e.own(n.Obj().Pkg()) {
			return rt.NoStruct
		}
		t = n.Underlying()
	}
	switch t := t.(type) {
	case *types.Pointer:
		return rt.Around("*", e.shape(t.Elem(), false, visit))
	case *types.Slice:
		return rt.Around("[]", e.shape(t.Elem(), false, visit))
	case *types.Array:
		return rt.Around(fmt.Sprintf("[%d]", t.Len()), e.shape(t.Elem(), value, visit))
	case *types.Chan:
		return rt.Around("chan ", e.shape(t.Elem(), false, visit))
	case *types.Map:
		key := e.shape(t.Key(), false, visit)
		return rt.OfMap(key, e.shape(t.Elem(), false, visit))
	case *types.Signature:
		in := e.shapes(t.Params(), visit)
		return rt.OfFunc(in, e.shapes(t.Results(), visit))
	case *types.Struct:
		if t.NumFields() == 0 {
			return rt.NoStruct
		}
		i := e.structIndex(t)
		visit(edge{i, value})
		if e.recursive[i] {
			return rt.StructName(i)
		}
		return rt.PlainStruct
	}
	return rt.NoStruct
}

func (e *emitter) shapes(t *types.Tuple, visit func(edge)) []string {
	var all []string
	for v := range t.Variables() {
		all = append(all, e.shape(v.Type(), false, visit))
	}
	return all
}

// beginning is a set of structs that contain each other: the one that the interpreter
// should begin with, and how well that works.
type beginning struct {
	first int
	goes  way
}

// way is what is found on the way from a struct to all that it contains.
type way int

const (
	unsized way = iota // one that has no size yet, by value
	mixed              // more than one that has not ended
	right
)

// beginnings returns where to begin, and which structs contain themselves.
func beginnings(edges [][]edge) (begin []beginning, recursive []bool) {
	reach := make([][]bool, len(edges))
	for i := range edges {
		reach[i] = make([]bool, len(edges))
		todo := []int{i}
		for len(todo) > 0 {
			last := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			for _, to := range edges[last] {
				if !reach[i][to.to] {
					reach[i][to.to] = true
					todo = append(todo, to.to)
				}
			}
		}
	}
	recursive = make([]bool, len(edges))
	for i := range edges {
		recursive[i] = reach[i][i]
		others := func(j int) bool { return reach[i][j] && reach[j][i] }
		if !recursive[i] || slices.ContainsFunc(begin, func(b beginning) bool { return others(b.first) }) {
			continue
		}
		best := beginning{i, wayFrom(edges, i)}
		for j := i + 1; j < len(edges); j++ {
			if others(j) && wayFrom(edges, j) > best.goes {
				best = beginning{j, wayFrom(edges, j)}
			}
		}
		begin = append(begin, best)
	}
	return begin, recursive
}

// wayFrom goes the interpreter's way from a struct.
func wayFrom(edges [][]edge, first int) way {
	const begun, ended = 1, 2
	state, found := make([]int, len(edges)), right
	var walk func(i int)
	walk = func(i int) {
		state[i] = begun
		for _, next := range edges[i] {
			switch {
			case state[next.to] == 0:
				walk(next.to)
			case state[next.to] == begun && next.value:
				found = unsized
			case state[next.to] == begun && next.to != first:
				found = min(found, mixed)
			}
		}
		state[i] = ended
	}
	walk(first)
	return found
}

// layouts chooses what the interpreter is to begin with, and writes the checks of all
// structs that contain themselves.
func (e *emitter) layouts() {
	e.recursive = make([]bool, len(e.structs)) // not known yet
	e.begin, e.recursive = beginnings(e.structEdges())
	for _, b := range e.begin {
		if b.goes == unsized {
			e.refuseAt(e.structs[b.first].Field(0).Pos(), rt.SeveralWays)
		}
	}
	for i, t := range e.structs {
		if !e.recursive[i] {
			continue
		}
		var fields []string
		for f := range t.Fields() {
			fields = append(fields, e.shape(f.Type(), true, func(edge) {}))
		}
		e.pos = t.Field(0).Pos()
		e.writef("rt.Struct(§, %d, %q, %s)", i, strings.Join(fields, ";"), e.zeroOf(e.structure(t)))
	}
	if len(e.begin) > 0 {
		e.writef("rt.Structs()")
	}
}
