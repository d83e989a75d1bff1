package story

import (
	"fmt"
	"strings"
	"time"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

// Table prints the numbers of runs, a line each: items, total time; the first, last,
// shortest, mean and longest wait, in story seconds; and how often a consumer looked
// and found nothing.
func Table(runs ...*prodcons.Record) {
	width := len("run")
	for _, r := range runs {
		width = max(width, len([]rune(r.Name())))
	}
	var b strings.Builder
	// Narrow enough for a notebook beside a file list.
	head := fmt.Sprintf("%-*s %5s %7s │ %7s %7s %7s %7s %7s │ %11s",
		width, "run", "items", "total", "first", "last", "min", "mean", "max", "empty polls")
	b.WriteString(styled(bold, head) + "\n")
	for _, r := range runs {
		s := r.Stats()
		fmt.Fprintf(&b, "%-*s %5d %7s │ %7s %7s %7s %7s %7s │ %11d\n", width, r.Name(), s.Count, seconds(s.Total),
			seconds(s.Latency.First), seconds(s.Latency.Last), seconds(s.Latency.Min),
			seconds(s.Latency.Mean), seconds(s.Latency.Max), s.EmptyPolls)
	}
	write(b.String())
}

// seconds writes a duration as the story does, and short ones so that they can still be
// told from zero.
func seconds(d time.Duration) string {
	switch {
	case d == 0:
		return "0 s"
	case d < time.Microsecond:
		return fmt.Sprintf("%d ns", d.Nanoseconds())
	case d < time.Millisecond:
		return fmt.Sprintf("%.0f µs", float64(d)/1e3)
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/1e6)
	default:
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
}

// Longest is the greatest number of a run's items that were in the queue, or held by a
// producer that waited for room, at once.
func Longest(run *prodcons.Record) (most int) {
	length := 0
	for _, e := range run.Events() {
		switch e.Kind {
		case prodcons.ItemMade:
			length++
		case prodcons.ItemPickedUp, prodcons.ItemDropped:
			length--
		}
		most = max(most, length)
	}
	return most
}

// LastMade is when the last item of a run was made, in story time.
func LastMade(run *prodcons.Record) (at time.Duration) {
	for _, e := range run.Events() {
		if e.Kind == prodcons.ItemMade {
			at = e.At
		}
	}
	return at
}

// Percent writes fractions, such as utilisations, as percentages.
func Percent(parts ...float64) string {
	var texts []string
	for _, p := range parts {
		texts = append(texts, fmt.Sprintf("%.0f %%", 100*p))
	}
	return strings.Join(texts, ", ")
}
