package jetstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	js "github.com/nats-io/nats.go/jetstream"
)

// Config says where the queues are: in a folder, or at an address. One of Dir and
// Address must be set.
type Config struct {
	// Dir is a folder, made if need be, in which a server inside this process keeps the
	// queues. Only one process at a time can use it.
	Dir string

	// Listen makes the server of Dir listen, so that other processes can use its
	// queues at [Store.Address]: "127.0.0.1:4222", or port 0 for one that is free. It
	// must be a loopback address, as the server asks nobody who they are. If it is
	// empty, the server listens nowhere.
	Listen string

	// Sync makes the server of Dir write through to the disk before it confirms. What
	// is confirmed then survives a power failure. Without it, what is confirmed is with
	// the operating system: it survives the death of the process, and is on the disk
	// within two minutes.
	Sync bool

	// Address is that of a server, or the addresses of a cluster's servers with commas
	// between them: "nats://10.0.0.1:4222,nats://10.0.0.2:4222".
	Address string

	// Options are nats.go's own, for credentials and TLS: nats.UserCredentials(file),
	// nats.RootCAs(file), nats.ClientCert(certificate, key).
	Options []nats.Option
}

// Store is a connection to the server that keeps the queues, and that server itself
// if it is one in a folder. [Open] makes one.
type Store struct {
	conn   *nats.Conn
	js     js.JetStream
	server *server.Server // nil if it is somewhere else
	unlock func()

	ctx       context.Context // ends with Close
	cancel    context.CancelFunc
	working   sync.WaitGroup // goroutines that end with ctx
	returning sync.WaitGroup // those that give values back

	mu         sync.Mutex
	connected  context.Context // ends with this connection, when there is another
	disconnect context.CancelFunc
	reconnects []func() // of queues
	closers    []func()
	closed     bool
}

// Open connects to the server, or starts the one in the folder and reads what is there,
// until ctx ends; once it has returned, ctx is no longer used. If the server is lost
// later, it is looked for until it is back.
func Open(ctx context.Context, config Config) (*Store, error) {
	switch {
	case config.Dir == "" && config.Address == "":
		return nil, errors.New("open queues: Dir or Address must be set")
	case config.Dir != "" && config.Address != "":
		return nil, errors.New("open queues: Dir and Address are mutually exclusive")
	case config.Dir == "" && (config.Listen != "" || config.Sync):
		return nil, errors.New("open queues: Listen and Sync are for the server of Dir; the one at Address has its own settings")
	}
	s := &Store{unlock: func() {}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.connected, s.disconnect = context.WithCancel(context.Background())
	if err := s.open(ctx, config); err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("open queues: %w", err)
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, config Config) error {
	options := []nats.Option{
		nats.Name("prodcons"),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(50 * time.Millisecond),
		nats.ReconnectJitter(50*time.Millisecond, 50*time.Millisecond),
		nats.PingInterval(5 * time.Second), // a server that hangs is noticed in twice that
		nats.ReconnectHandler(func(*nats.Conn) { s.reconnected() }),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}), // its default prints
	}
	if deadline, ok := ctx.Deadline(); ok {
		options = append(options, nats.Timeout(max(time.Until(deadline), time.Millisecond)))
	}
	if config.Dir != "" {
		if err := s.serve(ctx, config); err != nil {
			return err
		}
		options = append(options, nats.InProcessServer(s.server))
	}
	conn, err := nats.Connect(config.Address, append(options, config.Options...)...)
	if err != nil {
		return err
	}
	s.conn = conn
	s.js, err = js.New(conn, js.WithPublishAsyncTimeout(patience), js.WithPublishAsyncMaxPending(1<<16))
	return err
}

// Address is where other processes reach the server of a folder, as in Config's
// Address; it is empty if the server does not listen, or is not in a folder.
func (s *Store) Address() string {
	if s.server == nil || s.server.Addr() == nil {
		return ""
	}
	return "nats://" + s.server.Addr().String()
}

// reconnected tells all that the server is back, and that what they had asked it for
// is forgotten.
func (s *Store) reconnected() {
	s.mu.Lock()
	reconnects, forget := s.reconnects, s.disconnect
	s.connected, s.disconnect = context.WithCancel(context.Background())
	s.mu.Unlock()
	forget()
	for _, f := range reconnects {
		f()
	}
}

// Close gives back what is lent, and ends the connection and the server of a folder.
// The queues' values stay. Close the Group first, and the Store after it.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	closers := s.closers
	s.mu.Unlock()
	for _, f := range closers {
		f()
	}
	s.returning.Wait()
	s.cancel()
	s.working.Wait()
	if s.conn != nil {
		if s.js != nil && s.js.PublishAsyncPending() > 0 {
			select {
			case <-s.js.PublishAsyncComplete():
			case <-time.After(patience):
			}
		}
		_ = s.conn.FlushTimeout(patience)
		s.conn.Close()
	}
	s.reconnected() // nobody needs to wait for an answer any more
	if s.server != nil {
		s.server.Shutdown()
		s.server.WaitForShutdown()
	}
	s.unlock()
	return nil
}

// patience is how long to wait for one answer of the server.
const patience = 2 * time.Second

// The server's codes for a queue that is at its bound, for a full disk, and for a value
// that it knows already but is not sure of.
const (
	inProcess   js.ErrorCode = 10158
	storeFailed js.ErrorCode = 10077
	noResources js.ErrorCode = 10023
)

// temporary reports whether the server, or the way to it, may be back soon.
func temporary(err error) bool {
	var api *js.APIError
	if errors.As(err, &api) {
		return api.ErrorCode == inProcess || api.Code == 503 && api.ErrorCode != storeFailed && api.ErrorCode != noResources
	}
	for _, e := range []error{
		nats.ErrTimeout, nats.ErrNoResponders, nats.ErrDisconnected, nats.ErrConnectionReconnecting,
		nats.ErrReconnectBufExceeded, nats.ErrStaleConnection, nats.ErrConnectionNotTLS,
		js.ErrNoStreamResponse, context.DeadlineExceeded,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// persist calls f until it no longer fails because the server is away, or ctx ends.
// Each call has a few seconds, and ends early when the connection was lost and is back:
// then its answer will not come.
func (s *Store) persist(ctx context.Context, f func(ctx context.Context) error) error {
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, 250*time.Millisecond) {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.mu.Lock()
		connected := s.connected
		s.mu.Unlock()
		inner, cancel := context.WithTimeout(ctx, patience)
		forget := context.AfterFunc(connected, cancel)
		err := f(inner)
		lost := !forget()
		cancel()
		if err == nil || !lost && !temporary(err) || s.ctx.Err() != nil {
			return err
		}
		if pause(ctx, wait) != nil {
			return fmt.Errorf("%w; last of the server: %w", context.Cause(ctx), err)
		}
	}
}

// pause waits; it fails with ctx's error when that ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
