package jetstream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// serve starts the server of a folder.
func (s *Store) serve(ctx context.Context, config Config) error {
	if err := os.MkdirAll(config.Dir, 0o700); err != nil {
		return err
	}
	unlock, err := lock(config.Dir)
	if err != nil {
		return err
	}
	s.unlock = unlock
	options := &server.Options{
		ServerName: "prodcons",
		JetStream:  true,
		StoreDir:   config.Dir,
		DontListen: true,
		NoSigs:     true,
		NoLog:      true,
		SyncAlways: config.Sync,
	}
	if config.Listen != "" {
		options.DontListen = false
		if options.Host, options.Port, err = loopback(config.Listen); err != nil {
			return err
		}
	}
	started, err := server.NewServer(options)
	if err != nil {
		return err
	}
	s.server = started
	s.server.Start() // reads what is there
	for !s.server.ReadyForConnections(100 * time.Millisecond) {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("the server in %s does not start: %w", config.Dir, err)
		}
		if !s.server.Running() {
			return fmt.Errorf("the server in %s has ended", config.Dir)
		}
	}
	if !s.server.JetStreamEnabled() {
		return fmt.Errorf("the server in %s can't use it: is the disk full?", config.Dir)
	}
	return nil
}

// loopback reads an address on which a server without passwords may listen.
func loopback(address string) (host string, port int, err error) {
	host, number, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("listen address: %w", err)
	}
	if port, err = strconv.Atoi(number); err != nil || port < 0 || port > 65535 {
		return "", 0, fmt.Errorf("listen address %q: the port must be a number from 0 to 65535", address)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", 0, fmt.Errorf("listen address %q: the server of a folder asks nobody who they are, so it must be a loopback address such as 127.0.0.1; for others run nats-server with your own settings", address)
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	return host, port, nil
}

// errLocked is how lock fails if another process has the folder.
var errLocked = errors.New("another process has it open: reach its queues by its Address, or end that process")
