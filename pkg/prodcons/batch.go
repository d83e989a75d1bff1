package prodcons

import "context"

// PutBatch puts the values in their order and returns how many it has put; dropped
// values count as put. It puts as many as there is room for at once, with none of
// another goroutine's between them. When the buffer is full it does what Put does, and
// it fails as Put does: then the first n values are in the buffer.
func (q *Buffer[T]) PutBatch(ctx context.Context, values []T) (n int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	for len(values) > n {
		k, err := q.tryPutBatch(values[n:])
		if err == ErrFull {
			switch {
			case q.full == WaitWhenFull && q.tight != nil:
				k, err = 1, q.tight.put(ctx, &values[n])
			case q.full == WaitWhenFull:
				err = q.wait(ctx, &q.putters, ErrFull, nil, func() (err error) {
					k, err = q.tryPutBatch(values[n:])
					return err
				})
			case q.full != FailWhenFull:
				k, err = 1, q.TryPut(values[n])
			}
		}
		if err != nil {
			return n, err
		}
		n += k
	}
	return n, nil
}

// tryPutBatch puts as many values as there is room for, at least one.
func (q *Buffer[T]) tryPutBatch(values []T) (n int, err error) {
	if q.tight != nil {
		return q.tight.tryPutBatch(values)
	}
	w := lock(&q.tail)
	t := w / one
	if w&closed != 0 {
		q.tail.Store(w)
		return 0, ErrClosed
	}
	room := q.limit - (t - q.put.other)
	if room < uint64(len(values)) || q.limit == 0 {
		if room = q.room(t); room == 0 {
			q.tail.Store(w)
			return 0, ErrFull
		}
	}
	values = values[:min(uint64(len(values)), room)]
	for n < len(values) {
		i := t + uint64(n) - q.put.base
		if i == uint64(len(q.put.slots)) {
			q.grow(t + uint64(n))
			i = 0
		}
		n += copy(q.put.slots[i:], values[n:])
	}
	q.tail.Store(w + uint64(n)*one)
	if q.getters.wanted.Load() {
		q.wake()
	}
	return n, nil
}

// GetBatch removes the oldest values, up to len(buffer) of them, waiting until there is
// at least one, and copies them to buffer in their order. No other Get comes between
// them. It fails as Get does when there is nothing to copy. With an empty buffer it
// does nothing.
//
// What one consumer has got in a batch, no other can take, however long the first one
// needs. Where that matters, get values one by one.
func (q *Buffer[T]) GetBatch(ctx context.Context, buffer []T) (n int, err error) {
	if err := ctx.Err(); err != nil || len(buffer) == 0 {
		return 0, err
	}
	if n, err = q.tryGetBatch(buffer); err != ErrEmpty {
		return n, err
	}
	if q.tight != nil {
		if err := q.tight.get(ctx, &buffer[0]); err != nil {
			return 0, err
		}
		return 1, nil
	}
	err = q.wait(ctx, &q.getters, ErrEmpty, nil, func() (err error) {
		n, err = q.tryGetBatch(buffer)
		return err
	})
	return n, err
}

func (q *Buffer[T]) tryGetBatch(buffer []T) (n int, err error) {
	if q.tight != nil {
		return q.tight.tryGetBatch(buffer)
	}
	w := lock(&q.head)
	h := w / one
	if q.get.other-h < uint64(len(buffer)) {
		t := q.tail.Load()
		q.get.other = t / one
		if h == q.get.other {
			q.head.Store(w)
			if t&closed != 0 {
				return 0, ErrClosed
			}
			return 0, ErrEmpty
		}
	}
	buffer = buffer[:min(uint64(len(buffer)), q.get.other-h)]
	for n < len(buffer) {
		i := h + uint64(n) - q.get.base
		if i == uint64(len(q.get.slots)) {
			q.shrink(h + uint64(n))
			i = 0
		}
		slots := q.get.slots[i:]
		k := copy(buffer[n:], slots)
		if q.shared {
			clear(slots[:k])
		}
		n += k
	}
	q.head.Store(w + uint64(n)*one)
	if q.putters.wanted.Load() {
		q.wake()
	}
	return n, nil
}
