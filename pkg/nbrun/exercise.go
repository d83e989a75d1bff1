package nbrun

import (
	"slices"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/tidy"
)

// findsOpen reports whether the cell is tagged check and has found that the exercise it
// is about is not solved yet: it has failed, as it may, or a line of its output begins
// with ✘ or ○.
func (c *Cell) findsOpen() (bool, error) {
	switch {
	case !slices.Contains(c.Tags, "check"):
		return false, nil
	case c.Fault != nil:
		return c.Fault.Expected, nil
	}
	outputs, err := c.Outputs()
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(outputs, func(o event.Output) bool { return tidy.IsOpen(o.Text) }), nil
}
