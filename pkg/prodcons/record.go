package prodcons

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// EventKind says what happened in an [Event].
type EventKind string

// What can happen to an item.
const (
	Made     EventKind = "made"      // a producer made it
	PickedUp EventKind = "picked up" // a consumer took it
	Done     EventKind = "done"      // the consumer has finished with it
)

// Event is one thing that happened in a run.
type Event struct {
	Kind     EventKind     `json:"kind"`
	At       time.Duration `json:"at"` // story time since the run began
	Producer int           `json:"producer"`
	Number   int           `json:"number"`
	Consumer int           `json:"consumer,omitempty"`
}

// Record notes what happens in a run. Its methods may be called by any number of
// goroutines at once. It grows with the run: three events, about 200 bytes, per
// item.
//
// All times that a Record gives out are story times: real time × speed.
type Record struct {
	name  string
	speed float64
	start time.Time

	mu     sync.Mutex
	made   map[int]int // items made so far, by producer
	events []Event
	looks  int
	total  time.Duration // 0 until End
}

// NewRecord returns the record of a run that begins now. Where speed is no
// positive number it counts as 1.
func NewRecord(name string, speed float64) *Record {
	if CheckSpeed(speed) != nil {
		speed = 1
	}
	return &Record{name: name, speed: speed, start: time.Now(), made: map[int]int{}}
}

// Name is the name that the run was given.
func (r *Record) Name() string { return r.name }

// Since is the story time from the run's beginning to t.
func (r *Record) Since(t time.Time) time.Duration { return r.story(t.Sub(r.start)) }

func (r *Record) story(real time.Duration) time.Duration {
	return time.Duration(float64(real) * r.speed)
}

// Made notes that the producer has made its next item, and returns that item's
// origin.
func (r *Record) Made(producer int) Origin {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made[producer]++
	o := Origin{Producer: producer, Number: r.made[producer], Created: time.Now()}
	r.add(Event{Kind: Made, At: r.Since(o.Created), Producer: o.Producer, Number: o.Number})
	return o
}

// PickedUp notes that the consumer has taken an item, and returns the item's
// latency in story time.
func (r *Record) PickedUp(consumer int, o Origin) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.add(Event{Kind: PickedUp, At: r.Since(now), Producer: o.Producer, Number: o.Number, Consumer: consumer})
	return r.story(now.Sub(o.Created))
}

// Done notes that the consumer has finished with an item.
func (r *Record) Done(consumer int, o Origin) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.add(Event{Kind: Done, At: r.Since(time.Now()), Producer: o.Producer, Number: o.Number, Consumer: consumer})
}

func (r *Record) add(e Event) { r.events = append(r.events, e) }

// LookedInVain adds to the count of looks that found nothing.
func (r *Record) LookedInVain(times int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.looks += times
}

// End notes that the run is over and returns its length in story time. Later
// calls change nothing.
func (r *Record) End() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.total == 0 {
		r.total = max(r.Since(time.Now()), 1)
	}
	return r.total
}

// Events returns a copy of all events so far, in the order in which they
// happened.
func (r *Record) Events() []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Event(nil), r.events...)
}

// recordFile is a Record as it is written to a file.
type recordFile struct {
	Name   string        `json:"name"`
	Speed  float64       `json:"speed"`
	Total  time.Duration `json:"total"`
	Looks  int           `json:"looks"`
	Events []Event       `json:"events"`
}

// MarshalJSON writes the record so that another program can read it, times in
// nanoseconds.
func (r *Record) MarshalJSON() ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return json.Marshal(recordFile{r.name, r.speed, r.total, r.looks, r.events})
}

// UnmarshalJSON reads what MarshalJSON wrote. The record is one of a run in the
// past: only its events, statistics and name are of use.
func (r *Record) UnmarshalJSON(data []byte) error {
	var f recordFile
	if err := json.Unmarshal(data, &f); err != nil {
		return fmt.Errorf("read record: %w", err)
	}
	r.name, r.speed, r.total, r.looks, r.events = f.Name, f.Speed, f.Total, f.Looks, f.Events
	r.made = map[int]int{}
	for _, e := range f.Events {
		if e.Kind == Made {
			r.made[e.Producer]++
		}
	}
	return nil
}
