package nbrun

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/ipynb"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/jupyter"
)

// The tags by which nbval (https://nbval.readthedocs.io) says what is compared. They
// count only when outputs are compared.
const (
	nbvalIgnore = "nbval-ignore-output"
	nbvalSkip   = "nbval-skip"
	nbvalRaises = "nbval-raises-exception"
)

// anyOrder is the tag of a cell whose lines may come in any order, because its
// goroutines write them.
const anyOrder = "any-order"

// varies is what differs from run to run on the real clock, and what replaces it.
var varies = []struct {
	pattern *regexp.Regexp
	mask    string
}{
	{regexp.MustCompile(`\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| ?[+-]\d\d:?\d\d( [A-Z]{3,4})?)?( m=[+-][\d.]+)?`), "<time>"},
	{regexp.MustCompile(`\b\d\d:\d\d:\d\d(\.\d+)?\b`), "<time>"},
	{regexp.MustCompile(`\b(\d+(\.\d+)? ?(h|min|ms|m|s|µs|us|ns))+\b`), "<duration>"},
	{regexp.MustCompile(`\b0x[0-9a-f]+\b`), "<address>"},
	{regexp.MustCompile(`\bgoroutine \d+\b`), "goroutine <number>"},
}

// differs compares the output of a cell with what is stored in the notebook, and
// returns the lines that differ, as diff writes them.
func (s *Session) differs(c *Cell) (string, error) {
	if slices.Contains(c.Tags, nbvalIgnore) {
		return "", nil
	}
	now, err := c.Outputs()
	if err != nil {
		return "", err
	}
	mask := func(text string) string {
		for _, re := range s.notebook.masks {
			text = re.ReplaceAllString(text, "<masked>")
		}
		if c.Clock != Virtual {
			for _, v := range varies {
				text = v.pattern.ReplaceAllString(text, v.mask)
			}
		}
		return text
	}
	before, err := c.outputs.Stored()
	if err != nil {
		return "", err
	}
	was, is := mask(written(before)), mask(written(now))
	if slices.Contains(c.Tags, anyOrder) {
		was, is = sorted(was), sorted(is)
	}
	return string(diff.Diff("stored", []byte(was), "now", []byte(is))), nil
}

// sorted returns a text with its lines sorted.
func sorted(text string) string { return strings.Join(slices.Sorted(strings.Lines(text)), "") }

// written writes outputs as lines. Each stream is one text, as it varies which of two
// was written to first. The page on which the kernel shows an error is left out: other
// engines have none, and it says nothing new.
func written(outputs []event.Output) string {
	streams := map[string]string{}
	var rest strings.Builder
	for _, o := range outputs {
		switch o.Kind {
		case event.Stream:
			streams[o.Name] += o.Text
		case event.Error:
			fmt.Fprintf(&rest, "%s: %s\n", o.Name, o.Value)
		default:
			for _, mime := range slices.Sorted(maps.Keys(o.Data)) {
				text, ok := o.Data[mime].(string)
				switch {
				case jupyter.IsErrorPage(text):
					continue
				case !ok:
					text = fmt.Sprint(o.Data[mime])
				case !strings.HasPrefix(mime, "text/") && mime != "image/svg+xml":
					text = fmt.Sprintf("%d characters, %x", len(text), sha256.Sum256([]byte(text)))
				}
				rest.WriteString(mime + ": " + whole(text))
			}
		}
	}
	text := ""
	for _, name := range slices.Sorted(maps.Keys(streams)) {
		text += name + ":\n" + whole(ipynb.Fold(streams[name]))
	}
	return text + rest.String()
}

// whole returns a text that ends with a newline.
func whole(text string) string { return strings.TrimSuffix(text, "\n") + "\n" }

// masksOf returns the regular expressions of the options and of a notebook.
func masksOf(options, notebook []string) ([]*regexp.Regexp, error) {
	var masks []*regexp.Regexp
	for _, text := range slices.Concat(options, notebook) {
		re, err := regexp.Compile(text)
		if err != nil {
			return nil, fmt.Errorf("mask: %w", err)
		}
		masks = append(masks, re)
	}
	return masks, nil
}

// compare makes a fault of outputs that differ from the stored ones.
func (s *Session) compare(c *Cell) (*event.Fault, error) {
	lines, err := s.differs(c)
	if lines == "" || err != nil {
		return nil, err
	}
	f := event.Faultf(c.Number, 0, "its output differs from what is stored")
	f.Reason = event.Differs
	f.Traceback = strings.Split(strings.TrimRight(lines, "\n"), "\n")[1:] // without the heading of diff
	return f, nil
}
