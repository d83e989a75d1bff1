package golang

import (
	"context"
	"sync"
)

// firsts are the first builds of each kind in this process. Others wait for them: two
// at once would each compile the standard library, and everything else they share, if
// Go's cache does not have it yet.
var firsts first

// first lets one go first, by kind. The zero value is ready.
type first struct {
	mu   sync.Mutex
	over map[string]chan struct{} // closed when the first of the kind is over
}

// wait returns at once if nobody was there before, and otherwise when the first is
// over. It fails with ctx's error when ctx ends first. Call done when the work is over.
func (f *first) wait(ctx context.Context, kind string) (done func(), err error) {
	f.mu.Lock()
	over, known := f.over[kind]
	if !known {
		if f.over == nil {
			f.over = map[string]chan struct{}{}
		}
		over = make(chan struct{})
		f.over[kind] = over
	}
	f.mu.Unlock()
	if !known {
		return func() { close(over) }, nil
	}
	select {
	case <-over:
		return func() {}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
