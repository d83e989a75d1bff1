package jetstream

import (
	"context"
	"errors"
	"time"

	js "github.com/nats-io/nats.go/jetstream"
)

// Stats are about the whole queue, whoever uses it. As the server counts one number
// after the other while others go on, they need not add up.
type Stats struct {
	Queued      int `json:"queued"`      // have not been lent yet
	Lent        int `json:"lent"`        // are in work, or wait for their next try
	Redelivered int `json:"redelivered"` // of Lent: for the second time at least
	Parked      int `json:"parked"`

	// Oldest is how long the oldest value has been in the queue, 0 if there is none: by
	// the server's clock then and this machine's now, so it is off by the difference
	// of the two clocks.
	Oldest time.Duration `json:"oldest"`
}

// Stats asks the server about the queue.
func (q *Queue[T]) Stats(ctx context.Context) (Stats, error) {
	var s Stats
	for _, l := range q.desk.lanes {
		c, err := q.jobs.Consumer(ctx, l.consumer)
		if err != nil {
			return Stats{}, err
		}
		info := c.CachedInfo()
		s.Queued += int(info.NumPending)
		s.Lent += info.NumAckPending
		s.Redelivered += info.NumRedelivered
	}
	parked, err := q.parked.Info(ctx)
	if err != nil {
		return Stats{}, err
	}
	s.Parked = int(parked.State.Msgs)
	jobs, err := q.jobs.Info(ctx)
	if err != nil {
		return Stats{}, err
	}
	if jobs.State.Msgs == 0 {
		return s, nil
	}
	m, err := q.jobs.GetMsg(ctx, jobs.State.FirstSeq)
	if errors.Is(err, js.ErrMsgNotFound) { // it has just been used
		return s, nil
	} else if err != nil {
		return Stats{}, err
	}
	s.Oldest = max(time.Since(m.Time), 0)
	return s, nil
}
