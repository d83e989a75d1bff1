// Package lessons adds to package symbols what the project's lessons import beside
// the standard library: our own packages, colours, and GoNB's displays. A binary
// that imports it interprets the lessons; one that does not is smaller by all that
// these packages link.
package lessons

import (
	"reflect"

	"github.com/fatih/color"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/yaegi/symbols"
	"github.com/b3771e63/prodcons/pkg/prodcons/story"
)

//go:generate go tool yaegi extract -name lessons github.com/fatih/color github.com/janpfeifer/gonb/gonbui/protocol
//go:generate go tool yaegi extract -name lessons github.com/b3771e63/prodcons/pkg/prodcons github.com/b3771e63/prodcons/pkg/prodcons/picture github.com/b3771e63/prodcons/pkg/prodcons/story

// Symbols has the tables of this package and, being the same map, those of package
// symbols.
var Symbols = symbols.Symbols

func init() {
	symbols.Adapt = append(symbols.Adapt, func(s symbols.Surroundings) {
		color.Output, color.Error = s.Stdout, s.Stderr
		story.Output = s.Stdout
		Symbols["github.com/b3771e63/prodcons/pkg/prodcons/story/story"]["Goroutines"] = reflect.ValueOf(func(before int) int {
			others := s.Goroutines()
			return story.Goroutines(before+others) - others
		})
	})
}
