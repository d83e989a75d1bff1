package jetstream

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// desk is where a queue's values arrive: it asks the server for as many as there are
// waiting consumers, hands them out, and keeps the leases of lent values alive.
type desk struct {
	store    *Store
	returned string        // the subject that tells of what was given back unused
	lease    time.Duration // without a sign of life
	maxWork  time.Duration // 0: no limit
	ahead    int           // how many values to have before a consumer waits for them
	lanes    []lane        // one, if the queue has no keys

	mu      sync.Mutex
	sub     *nats.Subscription // nil while nobody waits
	inbox   string             // of sub
	waiters []*waiter          // the first is served first
	held    []*loan            // what has arrived and nobody waited for
	lent    map[*loan]struct{} // with what is held
	closed  bool
}

// lane is a consumer on the server.
type lane struct {
	consumer string    // its name
	next     string    // the subject on which it is asked for its next values
	asked    int       // how many it was asked for that it has not answered
	since    time.Time // when it was last asked
	held     int       // how many of those held are from it
}

// waiter is a consumer waiting for a value.
type waiter struct{ ready chan *loan }

// loan is a message that was lent to this process.
type loan struct {
	message  *nats.Msg
	lane     int
	seq      uint64 // of the value in its stream
	delivery int    // how often it has been delivered, this time included
	stored   time.Time
	began    time.Time
	beaten   time.Time // when the server was last told that we live
}

// expiry is how long the server keeps a question that it can't answer.
const expiry = 5 * time.Second

func (d *desk) open(s *Store, returned string, maxWork time.Duration, ahead int) error {
	d.store, d.returned, d.maxWork, d.ahead, d.lent = s, returned, maxWork, ahead, map[*loan]struct{}{}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errStoreClosed
	}
	s.reconnects = append(s.reconnects, d.askAnew)
	s.closers = append(s.closers, d.close)
	s.working.Go(func() {
		ticker := time.NewTicker(max(min(d.lease/3, time.Second)/2, time.Millisecond))
		defer ticker.Stop()
		for {
			select {
			case now := <-ticker.C:
				d.beat(now)
			case <-s.ctx.Done():
				return
			}
		}
	})
	return nil
}

// waiting is the number of waiting consumers.
func (d *desk) waiting() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.waiters)
}

// enter gives a consumer a place to wait; there may be something for it already.
func (d *desk) enter() (*waiter, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, errStoreClosed
	}
	w := &waiter{ready: make(chan *loan, 1)}
	if len(d.held) > 0 {
		l := d.held[0]
		d.held = slices.Delete(d.held, 0, 1)
		d.lanes[l.lane].held--
		w.ready <- l
		return w, d.ask()
	}
	d.waiters = append(d.waiters, w)
	return w, d.ask()
}

// leave ends the wait of a consumer, and returns what it was given at the last moment,
// or nil.
func (d *desk) leave(w *waiter) *loan {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := slices.Index(d.waiters, w); i >= 0 {
		d.waiters = slices.Delete(d.waiters, i, i+1)
		if len(d.waiters) == 0 {
			d.unask()
		}
	}
	select {
	case l := <-w.ready:
		return l
	default:
		return nil
	}
}

// ask asks the server for as many values as consumers wait for, and those wanted ahead;
// with keys, for one of each lane. It is called with d.mu locked.
func (d *desk) ask() error {
	if d.sub == nil && len(d.waiters) == 0 {
		return nil
	}
	if d.sub == nil {
		inbox := d.store.conn.NewInbox()
		sub, err := d.store.conn.Subscribe(inbox+".*", d.arrived)
		if err != nil {
			return err
		}
		if err := sub.SetPendingLimits(-1, -1); err != nil {
			return err
		}
		d.sub, d.inbox = sub, inbox
	}
	for i := range d.lanes {
		l := &d.lanes[i]
		want := len(d.waiters) + d.ahead
		if len(d.lanes) > 1 {
			want = min(len(d.waiters), 1)
		}
		n := want - l.held - l.asked
		if n <= 0 || n <= d.ahead/2 && l.asked >= len(d.waiters) { // many at a time
			continue
		}
		l.asked += n
		l.since = time.Now()
		question := fmt.Appendf(nil, `{"batch":%d,"expires":%d}`, n, expiry)
		if err := d.store.conn.PublishRequest(l.next, d.inbox+"."+strconv.Itoa(i), question); err != nil {
			return err
		}
	}
	return nil
}

// unask withdraws what the server was asked for: the server notices that nobody
// listens. What it has already sent arrives all the same. It is called with d.mu
// locked.
func (d *desk) unask() {
	if d.sub != nil {
		_ = d.sub.Drain()
	}
	d.sub, d.inbox = nil, ""
	for i := range d.lanes {
		d.lanes[i].asked = 0
	}
}

// askAnew asks once more, as the server has forgotten it.
func (d *desk) askAnew() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || d.sub == nil {
		return
	}
	d.unask()
	_ = d.ask()
}

// arrived is called with each message of the server.
func (d *desk) arrived(m *nats.Msg) {
	d.mu.Lock()
	defer d.mu.Unlock()
	ours := m.Sub == d.sub
	if m.Reply == "" { // not a value: the server has nothing, or can't say
		if i, err := strconv.Atoi(m.Subject[strings.LastIndexByte(m.Subject, '.')+1:]); err == nil && ours && i < len(d.lanes) {
			rest, err := strconv.Atoi(m.Header.Get("Nats-Pending-Messages")) // of a question
			if err != nil {
				rest = 1
			}
			d.lanes[i].asked = max(d.lanes[i].asked-rest, 0)
			if status := m.Header.Get("Status"); len(d.waiters) > 0 && (status == "408" || status == "404") {
				_ = d.ask()
			} // else the next beat asks: not again and again, if the server is about to go
		}
		return
	}
	l, err := newLoan(m)
	if err != nil {
		return
	}
	if len(d.lanes) > 1 {
		l.lane, _ = strconv.Atoi(m.Subject[strings.LastIndexByte(m.Subject, '.')+1:])
	}
	if l.lane < 0 || l.lane >= len(d.lanes) {
		return
	}
	if ours {
		d.lanes[l.lane].asked = max(d.lanes[l.lane].asked-1, 0)
	}
	switch {
	case len(d.waiters) > 0:
		d.lent[l] = struct{}{}
		d.waiters[0].ready <- l
		d.waiters = slices.Delete(d.waiters, 0, 1)
		if len(d.waiters) > 0 && len(d.lanes) > 1 {
			_ = d.ask()
		}
	case ours && !d.closed:
		d.lent[l] = struct{}{}
		d.held = append(d.held, l)
		d.lanes[l.lane].held++
	default:
		d.giveBack(l)
	}
}

// newLoan reads what the server says of a message.
func newLoan(m *nats.Msg) (*loan, error) {
	about, err := m.Metadata()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return &loan{
		message: m, seq: about.Sequence.Stream, delivery: int(about.NumDelivered),
		stored: about.Timestamp, began: now, beaten: now,
	}, nil
}

// giveBack tells the server that a value was not used, through no fault of its own. It
// does not wait, as it is called with d.mu locked.
func (d *desk) giveBack(l *loan) {
	d.store.returning.Go(func() {
		// Noted first, as it would count as a try.
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_, _ = d.store.js.Publish(ctx, l.notice(d.returned), nil)
		_ = d.store.conn.Publish(l.message.Reply, []byte("-NAK"))
	})
}

// notice is the subject of what is told of this delivery.
func (l *loan) notice(kind string) string {
	return kind + "." + strconv.FormatUint(l.seq, 10) + "." + strconv.Itoa(l.delivery)
}

// end forgets a loan that is settled.
func (d *desk) end(l *loan) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.lent, l)
}

// beat keeps the leases of lent values alive, gives back what is held for nobody, and
// asks the server again for what it has not answered.
func (d *desk) beat(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held = slices.DeleteFunc(d.held, func(l *loan) bool {
		if now.Sub(l.began) < d.lease/3 {
			return false
		}
		delete(d.lent, l)
		d.lanes[l.lane].held--
		d.giveBack(l)
		return true
	})
	for l := range d.lent {
		switch {
		case d.maxWork > 0 && now.Sub(l.began) > d.maxWork:
			delete(d.lent, l) // its lease ends by itself
		case now.Sub(l.beaten) >= d.lease/3:
			l.beaten = now
			_ = d.store.conn.Publish(l.message.Reply, []byte("+WPI"))
		}
	}
	if len(d.waiters) == 0 {
		return
	}
	for i := range d.lanes {
		if l := &d.lanes[i]; now.Sub(l.since) > expiry+time.Second {
			l.asked = 0
		}
	}
	_ = d.ask()
}

// close gives back what is held.
func (d *desk) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	for _, l := range d.held {
		delete(d.lent, l)
		d.giveBack(l)
	}
	d.held = nil
	d.unask()
}
