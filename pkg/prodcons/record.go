package prodcons

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// EventKind says what happened in an [Event].
type EventKind string

// What can happen to an item. It begins with ItemMade, and ends with ItemUsed or one of
// those after it.
const (
	ItemMade     EventKind = "made"      // a producer made it, and has put it into the queue
	ItemPickedUp EventKind = "picked up" // a consumer took it
	ItemUsed     EventKind = "used"      // the consumer has used it
	ItemFailed   EventKind = "failed"    // the consumer could not use it
	ItemDropped  EventKind = "dropped"   // the queue had no room for it
	ItemLeft     EventKind = "left"      // the run was stopped: its consumer, if it has one, gave it back
)

// Event is one thing that happened in a run. A [Group] reports the events of an item in
// their order, and says that an item was made as soon as it is in the queue, with the
// time at which it was put. Only with a Queue that is not its own may it report the
// pick-up first; it then knows who made an item only if the item carries its [Origin].
type Event struct {
	Kind     EventKind     `json:"kind"`
	At       time.Duration `json:"at"` // since the run began
	Producer int           `json:"producer"`
	Number   int           `json:"number"`
	Consumer int           `json:"consumer,omitempty"`
	Latency  time.Duration `json:"latency,omitempty"` // of what was picked up
}

// keep is how many events a Record keeps unless told otherwise: about 8 MB.
const keep = 100_000

// Record notes what happens in a run. Its methods may be called by any number of
// goroutines at once. It keeps the last 100,000 events, about 8 MB (see [Record.Keep]);
// its statistics cover all events.
//
// All times that a Record gives out are those of its clock.
type Record struct {
	name  string
	clock func() time.Time
	start time.Time

	mu     sync.Mutex
	made   map[int]int // items made so far, by producer
	events []Event     // from oldest on, and then from the beginning to it
	oldest int
	keep   int
	sum    summary
	total  time.Duration // 0 until End
}

// NewRecord returns the record of a run that begins now. The clock is time.Now if it is
// nil, or another one for a run in simulated time; it must not go backwards.
func NewRecord(name string, clock func() time.Time) *Record {
	if clock == nil {
		clock = time.Now
	}
	return &Record{name: name, clock: clock, start: clock(), made: map[int]int{}, keep: keep}
}

// Name is the name that the run was given.
func (r *Record) Name() string { return r.name }

// now is the time since the run's beginning.
func (r *Record) now() time.Duration { return r.clock().Sub(r.start) }

// Made notes that the producer has made its next item, and returns that item's
// origin.
func (r *Record) Made(producer int) Origin {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made[producer]++
	o := Origin{Producer: producer, Number: r.made[producer], Created: r.clock()}
	r.add(Event{Kind: ItemMade, At: o.Created.Sub(r.start), Producer: o.Producer, Number: o.Number})
	return o
}

// PickedUp notes that the consumer has taken an item, and returns the item's
// latency.
func (r *Record) PickedUp(consumer int, o Origin) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.clock()
	latency := now.Sub(o.Created)
	r.add(Event{Kind: ItemPickedUp, At: now.Sub(r.start), Producer: o.Producer, Number: o.Number, Consumer: consumer, Latency: latency})
	return latency
}

// Done notes that the consumer has finished with an item.
func (r *Record) Done(consumer int, o Origin) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.add(Event{Kind: ItemUsed, At: r.now(), Producer: o.Producer, Number: o.Number, Consumer: consumer})
}

// Observe notes an event of a [Group]; it is a function for the group's field of that
// name. It keeps the event's own times.
func (r *Record) Observe(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.Kind == ItemMade {
		r.made[e.Producer]++
	}
	r.add(e)
}

// Keep makes the record keep that many of the last events, at least one, and forget
// older ones.
func (r *Record) Keep(events int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events, r.oldest = r.inOrder(), 0
	r.keep = max(events, 1)
	if n := len(r.events) - r.keep; n > 0 {
		r.events = r.events[n:]
	}
}

func (r *Record) add(e Event) {
	r.sum.add(e)
	if len(r.events) < r.keep {
		r.events = append(r.events, e)
		return
	}
	r.events[r.oldest] = e
	r.oldest = (r.oldest + 1) % r.keep
}

// inOrder returns a copy of the events, oldest first.
func (r *Record) inOrder() []Event {
	return append(append([]Event(nil), r.events[r.oldest:]...), r.events[:r.oldest]...)
}

// AddEmptyPolls adds to the count of polls that found nothing.
func (r *Record) AddEmptyPolls(times int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sum.emptyPolls += times
}

// End notes that the run is over and returns its length. Later calls change
// nothing.
func (r *Record) End() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.total == 0 {
		r.total = max(r.now(), 1)
	}
	return r.total
}

// Events returns a copy of the events that are kept, in the order in which they
// happened.
func (r *Record) Events() []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.inOrder()
}

// recordFile is a Record as it is written to a file.
type recordFile struct {
	Name   string        `json:"name"`
	Total  time.Duration `json:"total"`
	Polls  int           `json:"emptyPolls"`
	Events []Event       `json:"events"`
}

// MarshalJSON writes the record so that another program can read it, times in
// nanoseconds.
func (r *Record) MarshalJSON() ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return json.Marshal(recordFile{r.name, r.total, r.sum.emptyPolls, r.inOrder()})
}

// UnmarshalJSON reads what MarshalJSON wrote. The record is then that of a past run, of
// which only the name, the events and their statistics can be used.
func (r *Record) UnmarshalJSON(data []byte) error {
	var f recordFile
	if err := json.Unmarshal(data, &f); err != nil {
		return fmt.Errorf("read record: %w", err)
	}
	*r = *NewRecord(f.Name, time.Now)
	r.total, r.keep = f.Total, max(keep, len(f.Events))
	for _, e := range f.Events {
		if e.Kind == ItemMade {
			r.made[e.Producer]++
		}
		r.add(e)
	}
	r.sum.emptyPolls = f.Polls
	return nil
}
