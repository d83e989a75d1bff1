package prodcons

import (
	"context"
	"iter"
)

// Map calls f for each of the values, n calls at a time (at least 1), and yields
// the results in the order of the values, each with its error:
//
//	for page, err := range prodcons.Map(ctx, urls, 8, fetch) {
//		if err != nil {
//			return err // stops the rest; or note it, and go on
//		}
//		…
//	}
//
// A slow call holds up the results behind it; at most 64 calls are ahead of the loop,
// or 2n if that is more. When ctx ends, its cause is yielded last. Breaking out of the
// loop cancels the calls and waits for them. A panic in f or in values reaches the loop
// as a [*Panic].
func Map[T, U any](ctx context.Context, values iter.Seq[T], n int, f func(ctx context.Context, value T) (U, error)) iter.Seq2[U, error] {
	return Then(FromSeq(values), n, f)(ctx)
}

// MapUnordered is Map, but yields each result as soon as it is ready.
func MapUnordered[T, U any](ctx context.Context, values iter.Seq[T], n int, f func(ctx context.Context, value T) (U, error)) iter.Seq2[U, error] {
	return ThenUnordered(FromSeq(values), n, f)(ctx)
}

// Then puts a stage behind a stream: f is called for each of its values, n calls at a
// time, and the results come in the same order. Errors of earlier stages come in their
// places, as those of f do.
func Then[T, U any](s Stream[T], n int, f func(ctx context.Context, value T) (U, error)) Stream[U] {
	return func(ctx context.Context) iter.Seq2[U, error] {
		return func(yield func(U, error) bool) { inOrder(ctx, s, n, f, yield) }
	}
}

// ThenUnordered is Then, but yields each result as soon as it is there.
func ThenUnordered[T, U any](s Stream[T], n int, f func(ctx context.Context, value T) (U, error)) Stream[U] {
	return func(ctx context.Context) iter.Seq2[U, error] {
		return func(yield func(U, error) bool) { asTheyCome(ctx, s, n, f, yield) }
	}
}

// result is what has become of a value.
type result[U any] struct {
	value U
	err   error
}

// job is a value on its way through a stage that keeps the order.
type job[T, U any] struct {
	value T
	result[U]
	done chan struct{} // has room for one
}

func inOrder[T, U any](ctx context.Context, s Stream[T], n int, f func(context.Context, T) (U, error), yield func(U, error) bool) {
	order := newBuffer[*job[T, U]](ahead(n), WaitWhenFull)
	free := make(chan *job[T, U], ahead(n)+1)
	g := Group[*job[T, U]]{Consumers: max(n, 1), Bound: ahead(n)}
	g.Produce = func(ctx context.Context, _ int, put func(*job[T, U]) error) error {
		for v, err := range s(ctx) {
			var j *job[T, U]
			select {
			case j = <-free:
			default:
				j = &job[T, U]{done: make(chan struct{}, 1)}
			}
			j.value, j.result = v, result[U]{err: err}
			if err := order.Put(ctx, j); err != nil {
				return err
			}
			if err != nil {
				j.done <- struct{}{}
			} else if err := put(j); err != nil {
				return err
			}
		}
		return nil
	}
	g.Consume = func(ctx context.Context, _ int, j *job[T, U]) error {
		j.result.value, j.err = f(ctx, j.value)
		if told(j.err, ctx) {
			return j.err
		}
		j.done <- struct{}{}
		return nil
	}
	behind(ctx, g.Run, order.Close, func(ended <-chan struct{}) bool {
		for j := range order.All(context.Background()) {
			select {
			case <-j.done:
			case <-ended:
				select {
				case <-j.done:
				default:
					return true // it was stopped before its turn, as those behind it
				}
			}
			r := j.result
			var none T
			j.value, j.result = none, result[U]{}
			select {
			case free <- j:
			default:
			}
			if !yield(r.value, r.err) {
				return false
			}
		}
		return true
	}, yield)
}

func asTheyCome[T, U any](ctx context.Context, s Stream[T], n int, f func(context.Context, T) (U, error), yield func(U, error) bool) {
	out := newBuffer[result[U]](ahead(n), WaitWhenFull)
	g := Group[T]{Consumers: max(n, 1), Bound: ahead(n)}
	g.Produce = func(ctx context.Context, _ int, put func(T) error) error {
		for v, err := range s(ctx) {
			if err != nil {
				err = out.Put(ctx, result[U]{err: err})
			} else {
				err = put(v)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	g.Consume = func(ctx context.Context, _ int, v T) error {
		u, err := f(ctx, v)
		if told(err, ctx) {
			return err
		}
		return out.Put(ctx, result[U]{u, err})
	}
	behind(ctx, g.Run, out.Close, func(<-chan struct{}) bool {
		for r := range out.All(context.Background()) {
			if !yield(r.value, r.err) {
				return false
			}
		}
		return true
	}, yield)
}

// behind runs calls in a goroutine of its own, closes what it feeds when it returns,
// and meanwhile calls read, which returns false if the loop was left early. In the end
// run's goroutine has ended; its error, which is ctx's, is yielded, and its panic goes
// on.
func behind[U any](ctx context.Context, run func(context.Context) error, closeOut func(), read func(ended <-chan struct{}) bool, yield func(U, error) bool) {
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	var err error
	var panicked any
	go func() {
		defer close(ended)
		defer closeOut()
		defer func() { panicked = recover() }()
		err = run(ctx)
	}()
	looped := false
	defer func() { // also when the loop panics
		stop()
		<-ended
		if looped && panicked != nil {
			panic(panicked)
		}
	}()
	all := read(ended)
	looped = true
	if !all {
		return
	}
	<-ended
	if panicked == nil && err != nil {
		looped = false // yield is the loop again
		var none U
		yield(none, err)
	}
}
