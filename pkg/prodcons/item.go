package prodcons

import "time"

// Origin tells where an item comes from. The pair of Producer and Number is
// unique within a run.
type Origin struct {
	Producer int       // who made it, counted from 1
	Number   int       // which of that producer's items it is, counted from 1
	Created  time.Time // when it was made
}

func (o Origin) origin() Origin { return o }

// Item is a value on its way from a producer to a consumer.
type Item[T any] struct {
	Origin
	Value T
}
