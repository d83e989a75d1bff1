package bench

import (
	"flag"
	"os"
	"slices"
	"testing"
)

var reverse = flag.Bool("reverse", false, "run the sides of each row in reverse order")

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(m.Run())
}

// side is one of those that are compared: a benchmark with a name.
type side struct {
	name string
	run  func(b *testing.B)
}

// beside runs the sides of a row, one right after the other.
func beside(b *testing.B, row string, sides ...side) {
	if *reverse {
		slices.Reverse(sides)
	}
	for _, s := range sides {
		b.Run(s.name+"/"+row, s.run)
	}
}
