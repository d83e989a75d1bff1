package prodcons

import "context"

// Lender is a queue that lends its values: what was received is settled when it
// has been used, and goes to somebody else if not. So nothing is lost when a
// consumer fails, or a process dies, if the queue outlives it. Its Get receives a
// value and settles it at once.
//
// A [Group] over one settles a value after Consume has returned, with what it
// returned, and leaves there what it has not used.
type Lender[T any] interface {
	Queue[T]

	// Receive lends the oldest value that nobody has, waiting until there is one.
	// It fails as Get does.
	Receive(ctx context.Context) (Delivery[T], error)
}

// Delivery is a value that was lent.
type Delivery[T any] struct {
	Value T

	// Attempt is how often the value has been lent, this time included; 0 if that
	// is not known.
	Attempt int

	// Settle ends the loan: with nil the value was used, and is gone; with an error
	// it was not, and goes to somebody else. Each delivery is settled once. Settle
	// fails if that could not be told; then the value may be lent again.
	Settle func(err error) error
}
