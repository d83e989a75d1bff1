package jupyter

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/program"
)

// reportLine is a line, with a place, of the page that GoNB displays for the errors of
// the go command and for stack traces. Nothing is escaped in its text.
var (
	reportLine = regexp.MustCompile(`(?s)<span class="gonb-err-hover-area">(?:<span class="gonb-cell-line-info">Cell\[(\d+)\]: Line (\d+)</span> )?<span class="gonb-err-location">(.*?)</span></span>(.*)`)
	moreErrors = regexp.MustCompile(` \(and \d+ more errors?\)$`)
)

// IsErrorPage reports whether an HTML display is the page by which GoNB shows an error.
func IsErrorPage(page string) bool { return strings.Contains(page, ".gonb-err-location {") }

// parsePage reads the faults from the page that GoNB displays; ok reports whether page
// is one. Faults without a known place come last. Lines that begin with a tab belong to
// the one before.
func parsePage(page string) (faults event.Faults, ok bool) {
	if !IsErrorPage(page) {
		return nil, false
	}
	var other event.Faults
	last := &faults
	for _, line := range strings.Split(page, `<div style="white-space: pre-wrap;">`)[1:] {
		line, _, _ = strings.Cut(line, `<div class="gonb-err-context">`)
		line, _, _ = strings.Cut(line, "</div>\n")
		if m := reportLine.FindStringSubmatch(line); m != nil {
			f := &event.Fault{Cell: number(m[1]), Line: number(m[2]), Text: strings.TrimSpace(moreErrors.ReplaceAllString(m[4], ""))}
			switch {
			case strings.HasPrefix(m[3], "\t") && len(faults) > 0:
				before := faults[len(faults)-1]
				before.Text = program.Joined(before.Text, f.Error())
			case f.Cell == 0:
				f.Line = 0
				other, last = append(other, f), &other
			default:
				faults, last = append(faults, f), &faults
			}
			continue
		}
		line = strings.TrimPrefix(line, " ") // of the page
		switch text := strings.TrimSpace(line); {
		case program.IsNoise(line):
		case strings.HasPrefix(line, "\t") && len(*last) > 0:
			f := (*last)[len(*last)-1]
			f.Text = program.Joined(f.Text, text)
		default:
			other = append(other, &event.Fault{Text: text})
			last = &other
		}
	}
	return append(faults, other...), true
}

// number reads digits; what is too large for an int is no number of anything.
func number(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}
