package prodcons_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

// FuzzBuffer does what its bytes say with a buffer and with the simplest possible
// queue, and expects the same from both.
func FuzzBuffer(f *testing.F) {
	f.Add([]byte{3, 0, 0, 0, 0, 0, 1, 1, 1})
	f.Add([]byte{0, 0, 0, 1, 2, 40, 3, 255, 4, 0, 1})
	f.Add([]byte{22, 2, 9, 2, 9, 3, 4, 2, 9, 4, 0, 1, 3, 90})
	f.Add([]byte{43, 2, 200, 2, 200, 3, 100, 1, 1, 1, 2, 250, 3, 250})
	f.Fuzz(func(t *testing.T, ops []byte) {
		if len(ops) == 0 {
			return
		}
		bound, policy := int(ops[0]%20), prodcons.WhenFull(ops[0]/20%4)
		q := prodcons.NewBuffer[*int](bound, policy) // pointers, so that slots are cleared
		var model []*int
		closed, next, dropped := false, 0, 0
		value := func() *int { next++; n := next; return &n }
		put := func(v *int) error { // what a put does that does not wait
			switch {
			case closed:
				return prodcons.ErrClosed
			case bound == 0 || len(model) < bound:
				model = append(model, v)
			case policy == prodcons.DropNewest:
				dropped++
			case policy == prodcons.DropOldest:
				model = append(model[1:], v)
				dropped++
			default:
				return prodcons.ErrFull
			}
			return nil
		}
		empty := func() error {
			if closed {
				return prodcons.ErrClosed
			}
			return prodcons.ErrEmpty
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		for i := 1; i < len(ops); i++ {
			switch ops[i] % 6 {
			case 0:
				v := value()
				if want, got := put(v), q.TryPut(v); got != want {
					t.Fatalf("operation %d: TryPut: %v, want %v", i, got, want)
				}
			case 1:
				got, err := q.TryGet()
				if len(model) == 0 {
					if err != empty() {
						t.Fatalf("operation %d: TryGet: %v, want %v", i, err, empty())
					}
				} else if err != nil || got != model[0] {
					t.Fatalf("operation %d: TryGet: %v, %v, want %v", i, got, err, model[0])
				} else {
					model = model[1:]
				}
			case 2: // a batch of as many as the next byte says
				i++
				if i == len(ops) {
					return
				}
				var batch []*int
				wantN, wantErr := 0, error(nil)
				for range ops[i] {
					batch = append(batch, value())
				}
				if policy == prodcons.WaitWhenFull && bound > 0 && !closed { // must not wait here
					batch = batch[:min(len(batch), bound-len(model))]
				}
				for _, v := range batch {
					if wantErr = put(v); wantErr != nil {
						break
					}
					wantN++
				}
				if n, err := q.PutBatch(t.Context(), batch); n != wantN || err != wantErr {
					t.Fatalf("operation %d: PutBatch of %d: %d, %v, want %d, %v", i, len(batch), n, err, wantN, wantErr)
				}
			case 3:
				i++
				if i == len(ops) || len(model) == 0 && !closed { // would wait
					continue
				}
				buffer := make([]*int, ops[i])
				n, err := q.GetBatch(t.Context(), buffer)
				want := min(len(buffer), len(model))
				if n != want || (err != nil) != (want == 0 && len(buffer) > 0) {
					t.Fatalf("operation %d: GetBatch: %d, %v, want %d", i, n, err, want)
				}
				for j := range n {
					if buffer[j] != model[j] {
						t.Fatalf("operation %d: GetBatch: value %d is %v, want %v", i, j, buffer[j], model[j])
					}
				}
				model = model[n:]
			case 4:
				if ops[i] > 200 { // seldom
					q.Close()
					closed = true
				}
			case 5:
				_, err := q.Get(ended)
				if err != context.Canceled || q.Put(ended, nil) != context.Canceled {
					t.Fatalf("operation %d: a context that has ended: %v", i, err)
				}
			}
			if q.Len() != len(model) || q.Dropped() != dropped {
				t.Fatalf("operation %d: length %d, dropped %d, want %d, %d", i, q.Len(), q.Dropped(), len(model), dropped)
			}
		}
	})
}

// The model of a queue for the history checker.
type (
	call struct {
		put   bool
		value int
	}
	answer struct {
		value int
		err   error
	}
	state string // the values in the queue, each a rune, and ! when closed
)

func model(bound int) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return state("") },
		Step: func(s, in, out any) (bool, any) {
			values, c, a := []rune(string(s.(state))), in.(call), out.(answer)
			if c.put {
				switch {
				case a.err == prodcons.ErrFull:
					return len(values) == bound, s
				case len(values) == bound:
					return false, s
				}
				return true, state(append(values, rune(c.value)))
			}
			switch {
			case a.err == prodcons.ErrEmpty:
				return len(values) == 0, s
			case len(values) == 0 || values[0] != rune(a.value):
				return false, s
			}
			return true, state(values[1:])
		},
		Equal: func(a, b any) bool { return a == b },
		DescribeOperation: func(in, out any) string {
			return fmt.Sprintf("%+v: %+v", in, out)
		},
	}
}

// Whatever many goroutines put and got at once, there is an order in which they could
// have done it one after the other, with the same answers. A history that the checker
// must refuse shows that it would notice.
func TestHistoriesOfABufferAreLinearizable(t *testing.T) {
	for round := range 300 {
		bound := []int{1, 2, 3, 5}[round%4]
		q := prodcons.NewBuffer[int](bound, prodcons.WaitWhenFull)
		var mu sync.Mutex
		var history []porcupine.Operation
		var names atomic.Int64
		start := time.Now()
		var wg sync.WaitGroup
		for client := range 4 {
			draw := rand.New(rand.NewPCG(uint64(round), uint64(client)))
			wg.Go(func() {
				for range 12 {
					in, out := call{put: draw.IntN(2) == 0}, answer{}
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(draw.IntN(200))*time.Microsecond)
					from := time.Since(start)
					wait := draw.IntN(2) == 0
					switch {
					case in.put:
						in.value = int(names.Add(1))
						if wait {
							out.err = q.Put(ctx, in.value)
						} else {
							out.err = q.TryPut(in.value)
						}
					case wait:
						out.value, out.err = q.Get(ctx)
					default:
						out.value, out.err = q.TryGet()
					}
					to := time.Since(start)
					cancel()
					if out.err != nil && out.err != prodcons.ErrEmpty && out.err != prodcons.ErrFull {
						continue // its wait ended with nothing done
					}
					mu.Lock()
					history = append(history, porcupine.Operation{ClientId: client, Input: in, Call: int64(from), Output: out, Return: int64(to)})
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if !porcupine.CheckOperations(model(bound), history) {
			t.Fatalf("round %d: no order explains this history: %+v", round, history)
		}
		// The same history, but two of its values have changed places.
		var gets []int
		for i, op := range history {
			if !op.Input.(call).put && op.Output.(answer).err == nil {
				gets = append(gets, i)
			}
		}
		if len(gets) >= 2 {
			a, b := &history[gets[0]], &history[gets[len(gets)-1]]
			if a.Return < b.Call { // they don't overlap
				a.Output, b.Output = b.Output, a.Output
				if porcupine.CheckOperations(model(bound), history) {
					t.Fatalf("round %d: the checker takes a history that can't be", round)
				}
			}
		}
	}
}
