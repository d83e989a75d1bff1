package book

import (
	"reflect"
	"testing"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/ipynb"
)

func TestSlidersAreThoseOfFlags(t *testing.T) {
	const source = `%args -n=2
func main() {
	n := flag.Int("n", 2, "items: 1 to 6")
	work := flag.Float64("work", 0.5, "seconds: 0.1 to 2")
	full := flag.String("full", "wait", "without room: wait, drop-newest or drop-oldest")
	other := flag.Int("other", 2, "of any size")
	name := flag.String("name", "x", "a name")
}`
	want := []slider{
		{Name: "n", Label: "items", Value: "2", Min: "1", Max: "6", Step: "1"},
		{Name: "work", Label: "seconds", Value: "0.5", Min: "0.1", Max: "2", Step: "0.1"},
		{Name: "full", Label: "without room", Value: "wait", Choices: []string{"wait", "drop-newest", "drop-oldest"}},
	}
	if got := sliders(&ipynb.Cell{Source: source, Tags: []string{whatIf}}); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want\n%+v", got, want)
	}
	for _, c := range []*ipynb.Cell{{Source: source}, {Source: "\n" + source, Tags: []string{whatIf}}} {
		if got := sliders(c); got != nil {
			t.Errorf("%+v, want none", got)
		}
	}
}
