package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

// events checks a file of lines of events, of several notebooks that all ended.
func events(out io.Writer, paths []string) error {
	f, err := os.Open(paths[0])
	if err != nil {
		return err
	}
	defer f.Close()
	count := map[event.Action]int{}
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
	}
	fmt.Fprintln(out, "events:", count)
	if starts, ends := count[event.Start], count[event.End]; starts != ends || starts < 2 {
		return fmt.Errorf("%s: %d notebooks have started and %d ended; want as many, and several", paths[0], starts, ends)
	}
	if begun, verdicts := count[event.Begin], count[event.Pass]+count[event.Fail]; begun != verdicts || begun == 0 {
		return fmt.Errorf("%s: %d cells have begun, and %d have a verdict", paths[0], begun, verdicts)
	}
	return nil
}
