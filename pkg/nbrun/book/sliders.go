package book

import (
	"regexp"
	"slices"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/ipynb"
)

// slider is a control in the page for a flag of a cell: a range of numbers, or a choice.
type slider struct {
	Name    string   `json:"name"`
	Label   string   `json:"label"`
	Value   string   `json:"value"` // the flag's default
	Min     string   `json:"min,omitempty"`
	Max     string   `json:"max,omitempty"`
	Step    string   `json:"step,omitempty"`
	Choices []string `json:"choices,omitempty"`
}

// whatIf is the tag of a cell whose flags get sliders, if their usage ends with what
// they may be: "producers: 1 to 6", "policy: wait, drop-newest or drop-oldest". The
// cell's first line is that of %args.
const whatIf = "what-if"

var (
	flagOf = regexp.MustCompile(`flag\.(Int|Float64|String)\("([\w-]+)", "?([\w.-]+)"?, "([^":]*): ([^"]+)"\)`)
	span   = regexp.MustCompile(`^([\d.]+) to ([\d.]+)$`)
	comma  = regexp.MustCompile(`, | or `)
)

// sliders are those of a cell.
func sliders(c *ipynb.Cell) (list []slider) {
	if !slices.Contains(c.Tags, whatIf) || !strings.HasPrefix(c.Source, "%args") {
		return nil
	}
	for _, m := range flagOf.FindAllStringSubmatch(c.Source, -1) {
		s := slider{Name: m[2], Value: m[3], Label: m[4]}
		ends := span.FindStringSubmatch(m[5])
		switch {
		case m[1] == "String":
			s.Choices = comma.Split(m[5], -1)
		case ends == nil:
			continue
		default:
			s.Min, s.Max, s.Step = ends[1], ends[2], map[string]string{"Int": "1", "Float64": "0.1"}[m[1]]
		}
		list = append(list, s)
	}
	return list
}
