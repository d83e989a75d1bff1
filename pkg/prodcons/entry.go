package prodcons

import (
	"reflect"
	"time"
)

// entry is what a group's own queue holds: a value, and what the group knows of it.
type entry[T any] struct {
	value T
	stamp int64  // when it was made, and for how many it stands: see stamp
	label *label // for Observe
}

// label is where an entry comes from.
type label struct {
	producer, number int
	seen             chan struct{} // closed when Observe has been told that it was made
}

// stamp packs when an entry was made, since the group's start (18 years at most),
// and how many entries its latency stands for, 1<<shift. It is never 0, which
// stands for: not measured.
func stamp(made time.Duration, shift int) int64 { return int64(made)<<4 | int64(shift+1) }

// hand is what a consumer holds: a value from its group's own queue or another.
type hand[T any] struct {
	entry[T]
	settle  func(error) error // tells its lender; nil if it was not lent
	held    bool
	origins bool // it is from another queue, and carries its origin
}

// created returns when the value was made, since the group's start, and for how
// many it stands: 0 if that is not known.
func (h *hand[T]) created(start time.Time) (made time.Duration, weight int) {
	if h.stamp != 0 {
		return time.Duration(h.stamp >> 4), 1 << (h.stamp&15 - 1)
	}
	if o, ok := h.origin(); ok {
		return o.Created.Sub(start), 1
	}
	return 0, 0
}

// origin returns the value's origin, if it carries one.
func (h *hand[T]) origin() (Origin, bool) {
	if !h.origins {
		return Origin{}, false
	}
	return any(h.value).(interface{ origin() Origin }).origin(), true
}

// carriesOrigin reports whether values of type T have an [Origin], as items do.
func carriesOrigin[T any]() bool {
	var v T
	_, ok := any(v).(interface{ origin() Origin })
	return ok && reflect.TypeFor[T]().Kind() == reflect.Struct
}

// await waits until Observe has been told that the value was made.
func (h *hand[T]) await() {
	if h.label != nil {
		<-h.label.seen
	}
}

// event is what has happened to the value.
func (h *hand[T]) event(kind EventKind, at time.Duration, consumer int) Event {
	e := Event{Kind: kind, At: at, Consumer: consumer}
	if h.label != nil {
		e.Producer, e.Number = h.label.producer, h.label.number
	} else if o, ok := h.origin(); ok {
		e.Producer, e.Number = o.Producer, o.Number
	}
	return e
}
