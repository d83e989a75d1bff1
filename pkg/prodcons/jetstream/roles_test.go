//go:build unix

package jetstream_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/b3771e63/prodcons/pkg/prodcons"
	"github.com/b3771e63/prodcons/pkg/prodcons/jetstream"
)

// job is what the processes hand over: a number, and a ballast of some size.
type job struct {
	Number  int
	Ballast string
}

// faultLease is short, so that tests need not wait for it.
const faultLease = 500 * time.Millisecond

func jobOptions(replicas int) jetstream.Options[job] {
	return jetstream.Options[job]{
		ID:       func(j job) string { return strconv.Itoa(j.Number) },
		Lease:    faultLease,
		Retry:    prodcons.Retry{Attempts: -1, Wait: time.Millisecond},
		Replicas: replicas,
	}
}

// ledger is where each process writes what it does, a line at a time, which survives
// its death.
type ledger struct {
	mu   sync.Mutex
	file *os.File
}

func openLedger(dir string) (*ledger, error) {
	file, err := os.CreateTemp(dir, "ledger-*")
	return &ledger{file: file}, err
}

func (l *ledger) note(what string, number int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = fmt.Fprintf(l.file, "%s %d\n", what, number)
}

// history is what all ledgers of a folder say: how often what was noted of whom.
type history map[string]map[int]int

func readLedgers(t *testing.T, dir string) history {
	t.Helper()
	h := history{"confirmed": {}, "begun": {}, "settled": {}}
	files, err := filepath.Glob(filepath.Join(dir, "ledger-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(file); lines.Scan(); {
			what, number, _ := strings.Cut(lines.Text(), " ")
			n, err := strconv.Atoi(number)
			if err != nil {
				t.Fatalf("%s: %q", name, lines.Text())
			}
			h[what][n]++
		}
		_ = file.Close()
	}
	return h
}

// play is what a process does that the tests start.
func play(role string) error {
	args := strings.Fields(os.Getenv(roleKey + "_ARGS"))
	ctx := context.Background()
	switch role {
	case "server":
		if len(args) > 2 {
			limit, err := strconv.ParseUint(args[2], 10, 64)
			if err != nil {
				return err
			}
			if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
				return err
			}
		}
		store, err := jetstream.Open(ctx, jetstream.Config{Dir: args[0], Listen: args[1]})
		if err != nil {
			return err
		}
		fmt.Println("ready", store.Address())
	case "node":
		if err := node(args); err != nil {
			return err
		}
		fmt.Println("ready")
	case "worker", "producer":
		store, err := jetstream.Open(ctx, jetstream.Config{Address: args[0]})
		if err != nil {
			return err
		}
		l, err := openLedger(args[1])
		if err != nil {
			return err
		}
		q, err := jetstream.NewQueue(ctx, store, "jobs", jobOptions(0))
		if err != nil {
			return err
		}
		fmt.Println("ready")
		if role == "worker" {
			return work(ctx, q, l)
		}
		first, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		return produce(ctx, q, l, first, 1<<30, nil)
	}
	_, err := io.Copy(io.Discard, os.Stdin) // until the test ends, if it does not kill
	return err
}

// node is one server of a cluster: its number, its folder, and host, port and port for
// the others of each.
func node(args []string) error {
	number, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	places := strings.Split(args[2], ",")
	var routes []string
	for i := 0; i < len(places); i += 3 {
		routes = append(routes, "nats://"+places[i]+":"+places[i+2])
	}
	host := places[3*number]
	options := &server.Options{
		ServerName: "node-" + args[0], JetStream: true, StoreDir: args[1], NoSigs: true, NoLog: true,
		Host: host, Routes: server.RoutesFromStr(strings.Join(routes, ",")),
		Cluster: server.ClusterOpts{Name: "test", Host: host},
	}
	if options.Port, err = strconv.Atoi(places[3*number+1]); err != nil {
		return err
	}
	if options.Cluster.Port, err = strconv.Atoi(places[3*number+2]); err != nil {
		return err
	}
	s, err := server.NewServer(options)
	if err != nil {
		return err
	}
	s.Start()
	for !s.ReadyForConnections(time.Second) {
	}
	return nil
}

// work uses jobs, some milliseconds each, and notes it, until ctx ends, or the queue is
// closed and empty.
func work(ctx context.Context, q *jetstream.Queue[job], l *ledger) error {
	for {
		d, err := q.Receive(ctx)
		if err != nil {
			return err
		}
		l.note("begun", d.Value.Number)
		chance(2 * time.Millisecond)
		if err := d.Settle(nil); err != nil {
			continue // it may come again
		}
		l.note("settled", d.Value.Number)
	}
}

// produce puts jobs, and notes which are confirmed, until more ends or ctx does.
func produce(ctx context.Context, q *jetstream.Queue[job], l *ledger, first, more int, each func()) error {
	ballast := strings.Repeat("x", 900)
	for number := first; number < first+more; number++ {
		if err := q.Put(ctx, job{number, ballast}); err != nil {
			return err
		}
		l.note("confirmed", number)
		if each != nil {
			each()
		}
	}
	return nil
}

// process is one of the test's own.
type process struct {
	command *exec.Cmd
	said    string // after "ready"
}

// begin starts this program in a role, and returns when it is ready.
func begin(t testing.TB, role string, args ...string) *process {
	t.Helper()
	return beginBy(t, nil, role, args...)
}

// beginBy lets another command start it.
func beginBy(t testing.TB, by []string, role string, args ...string) *process {
	t.Helper()
	p, err := tryBegin(by, role, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

func tryBegin(by []string, role string, args ...string) (*process, error) {
	line := append(by, os.Args[0])
	command := exec.Command(line[0], line[1:]...)
	command.Env = append(os.Environ(), roleKey+"="+role, roleKey+"_ARGS="+strings.Join(args, " "))
	command.Stderr = os.Stderr
	if _, err := command.StdinPipe(); err != nil { // closed when this test's process dies
		return nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	said, err := bufio.NewReader(out).ReadString('\n')
	p := &process{command: command, said: strings.TrimSpace(strings.TrimPrefix(said, "ready"))}
	if err != nil || !strings.HasPrefix(said, "ready") {
		p.kill()
		return nil, fmt.Errorf("%s is not ready: %q, %v", role, said, err)
	}
	return p, nil
}

// kill ends the process as kill -9 does.
func (p *process) kill() {
	_ = p.command.Process.Kill()
	_ = p.command.Wait()
}

// freePorts are ports of the loopback that nobody listens on.
func freePorts(t testing.TB, n int) (ports []string) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		ports = append(ports, port)
	}
	return ports
}

// chance waits for some time up to d.
func chance(d time.Duration) { time.Sleep(rand.N(d)) }
