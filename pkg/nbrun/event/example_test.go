package event_test

import (
	"fmt"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

// An observer that counts the cells that pass, beside one that shows the faults.
func ExampleAll() {
	passed := 0
	counter := event.ObserverFunc(func(e event.Event) error {
		if e.Action == event.Pass {
			passed++
		}
		return nil
	})
	screen := event.ObserverFunc(func(e event.Event) error {
		if e.Fault != nil {
			fmt.Println(e.Notebook+":", e.Fault)
		}
		return nil
	})
	both := event.All(counter, screen)
	for _, e := range []event.Event{
		{Action: event.Pass, Notebook: "a.ipynb", Cell: &event.Cell{Number: 1}, Elapsed: time.Second},
		{Action: event.Fail, Notebook: "a.ipynb", Cell: &event.Cell{Number: 2}, Fault: event.Faultf(2, 3, "undefined: %s", "pase")},
	} {
		if err := both.Observe(e); err != nil {
			panic(err)
		}
	}
	fmt.Println("passed:", passed)
	// Output:
	// a.ipynb: cell 2, line 3: undefined: pase
	// passed: 1
}
