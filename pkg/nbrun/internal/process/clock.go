package process

import (
	"context"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

// FakeStart is the time at which Go's fake clock begins.
var FakeStart = time.Date(2009, 11, 10, 23, 0, 0, 0, time.UTC)

// Clock is the clock of a session, whose programs run one after the other.
type Clock struct {
	Virtual bool      // it goes by what programs on the fake clock say
	now     time.Time // if it is virtual
}

// NewClock returns a clock, which begins with Go's fake clock if it is virtual.
func NewClock(virtual bool) *Clock { return &Clock{virtual, FakeStart} }

// Now is the time.
func (c *Clock) Now() time.Time {
	if c.Virtual {
		return c.now
	}
	return time.Now()
}

// Run runs a process as [Process.Run] does. Its output has the times of this clock,
// which advances by as much as a framed process says.
func (c *Clock) Run(ctx context.Context, p *Process, out event.Sink) (Exit, error) {
	since := c.Now()
	begin := time.Now()
	if p.Framed {
		begin = FakeStart
	}
	end, err := p.Run(ctx, Shift(out, since.Sub(begin)))
	if p.Framed && end.Last.After(FakeStart) {
		c.now = since.Add(end.Last.Sub(FakeStart))
	}
	return end, err
}

// Shift is a sink whose times are those of another, later by that much.
func Shift(sink event.Sink, by time.Duration) event.Sink {
	return event.SinkFunc(func(at time.Time, o event.Output) error { return sink.Put(at.Add(by), o) })
}
