package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

// minutes are the numbers that the README writes as words.
var minutes = []string{"", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"}

var lasts = regexp.MustCompile(`the story lasts (\w+) minutes`)

// longer is how far the time of the story may be from what is written down, as a factor.
const longer = 1.5

// events checks a file of lines of events, of several notebooks that all ended: that each
// cell has a verdict, and that on their own clock cells take as long as the README says.
func events(out io.Writer, paths []string) error {
	f, err := os.Open(paths[0])
	if err != nil {
		return err
	}
	defer f.Close()
	readme, err := os.ReadFile(paths[1])
	if err != nil {
		return err
	}
	count := map[event.Action]int{}
	begun := map[string]time.Time{} // by notebook
	var story time.Duration
	lines := json.NewDecoder(f)
	lines.DisallowUnknownFields()
	for {
		var e event.Event
		if err := lines.Decode(&e); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("%s: %w", paths[0], err)
		}
		count[e.Action]++
		switch e.Action {
		case event.Begin:
			begun[e.Notebook] = e.Time
		case event.Pass, event.Fail:
			story += e.Time.Sub(begun[e.Notebook])
		}
	}
	fmt.Fprintln(out, "events:", count)
	if starts, ends := count[event.Start], count[event.End]; starts != ends || starts < 2 {
		return fmt.Errorf("%s: %d notebooks have started and %d ended; want as many, and several", paths[0], starts, ends)
	}
	if cells, verdicts := count[event.Begin], count[event.Pass]+count[event.Fail]; cells != verdicts || cells == 0 {
		return fmt.Errorf("%s: %d cells have begun, and %d have a verdict", paths[0], cells, verdicts)
	}
	says := 0
	if m := lasts.FindSubmatch(readme); m != nil {
		says = slices.Index(minutes, string(m[1]))
	}
	fmt.Fprintf(out, "the story lasts %.1f minutes, in the README %d\n", story.Minutes(), says)
	return asWritten("the story", " minutes", story.Minutes(), float64(says), longer, paths[1])
}
