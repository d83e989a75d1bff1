//go:build unix

package jetstream_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/prodcons"
	"github.com/b3771e63/prodcons/pkg/prodcons/jetstream"
)

// site is where faults happen: a folder of ledgers, and a queue that somebody serves.
type site struct {
	dir     string
	address string
	store   *jetstream.Store
	queue   *jetstream.Queue[job]
	ledger  *ledger
}

func newSite(t *testing.T, dir, address string, replicas int) *site {
	t.Helper()
	s := &site{dir: dir, address: address}
	var err error
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if s.store, err = jetstream.Open(ctx, jetstream.Config{Address: address}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.store.Close() })
	if s.queue, err = jetstream.NewQueue(ctx, s.store, "jobs", jobOptions(replicas)); err != nil {
		t.Fatal(err)
	}
	if s.ledger, err = openLedger(dir); err != nil {
		t.Fatal(err)
	}
	return s
}

// serverSite is one with a server in a process of its own, in the folder dir/store.
func serverSite(t *testing.T) (*site, *process) {
	t.Helper()
	dir := t.TempDir()
	p := begin(t, "server", filepath.Join(dir, "store"), "127.0.0.1:"+freePorts(t, 1)[0])
	return newSite(t, dir, p.said, 0), p
}

// drain uses what is left in the queue.
func (s *site) drain(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	s.queue.Close()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := work(ctx, s.queue, s.ledger); !errors.Is(err, prodcons.ErrClosed) {
				t.Error("drain: ", err)
			}
		})
	}
	wg.Wait()
}

// verdict checks the ledgers: what was confirmed was used and settled, and what was
// settled was not used again, unless the server has lost up to lost of these.
func (s *site) verdict(t *testing.T, faults int, of string, lost int) {
	t.Helper()
	h := readLedgers(t, s.dir)
	missing, twice, unconfirmed, unsettled, settledTwice := 0, 0, 0, 0, 0
	for number := range h["confirmed"] {
		if h["begun"][number] == 0 {
			missing++
		}
	}
	for number, n := range h["begun"] {
		if n > 1 {
			twice++
		}
		if h["confirmed"][number] == 0 {
			unconfirmed++
		}
		if h["settled"][number] == 0 {
			unsettled++
		}
		if h["settled"][number] > 1 {
			settledTwice++
		}
	}
	t.Logf("%d × %s: %d confirmed, %d lost; %d stored unconfirmed; %d used twice, %d of them after they were settled; %d used and never settled",
		faults, of, len(h["confirmed"]), missing, unconfirmed, twice, settledTwice, unsettled)
	if len(h["confirmed"]) == 0 {
		t.Error("nothing was confirmed: the test has tested nothing")
	}
	if missing > 0 {
		t.Errorf("%d confirmed items are lost", missing)
	}
	if settledTwice > lost {
		t.Errorf("%d items were settled twice", settledTwice)
	}
	if unsettled > lost { // its settling was known to the server, but its answer lost
		t.Errorf("%d items were used and never settled", unsettled)
	}
}

// load puts jobs and uses them, in this process, until the function that it returns is
// called.
func (s *site) load(t *testing.T, producers, workers int) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for i := range producers {
		wg.Go(func() {
			err := produce(ctx, s.queue, s.ledger, 1_000_000*(i+1), 1<<20, func() { time.Sleep(500 * time.Microsecond) })
			if err != nil && ctx.Err() == nil {
				t.Error("producer: ", err)
			}
		})
	}
	for range workers {
		wg.Go(func() {
			if err := work(ctx, s.queue, s.ledger); err != nil && ctx.Err() == nil {
				t.Error("worker: ", err)
			}
		})
	}
	return func() { cancel(); wg.Wait() }
}

func TestWorkersAreKilled(t *testing.T) {
	s, _ := serverSite(t)
	stop := s.load(t, 2, 0)
	n := times(200)
	for range n {
		p := begin(t, "worker", s.address, s.dir)
		chance(80 * time.Millisecond)
		p.kill()
	}
	stop()
	s.drain(t)
	s.verdict(t, n, "kill -9 of a worker", 0+n) // one that is killed between settling and noting it
}

func TestProducersAreKilled(t *testing.T) {
	s, _ := serverSite(t)
	stop := s.load(t, 0, 2)
	n := times(200)
	for range n {
		first := 0
		for number := range readLedgers(t, s.dir)["confirmed"] {
			first = max(first, number+1)
		}
		p := begin(t, "producer", s.address, s.dir, strconv.Itoa(first))
		chance(50 * time.Millisecond)
		p.kill()
	}
	stop()
	s.drain(t)
	s.verdict(t, n, "kill -9 of a producer", 0)
}

func TestServersAreKilled(t *testing.T) {
	s, p := serverSite(t)
	listen := strings.TrimPrefix(s.address, "nats://")
	stop := s.load(t, 2, 2)
	n := times(100)
	var slowest time.Duration
	for range n {
		chance(200 * time.Millisecond)
		p.kill()
		start := time.Now()
		p = begin(t, "server", filepath.Join(s.dir, "store"), listen)
		slowest = max(slowest, time.Since(start))
	}
	stop()
	s.drain(t)
	t.Logf("a server was back after %v at most", slowest)
	// With a server, its last settlings may go that it has not written yet.
	s.verdict(t, n, "kill -9 of the server", 10*n)
}

// nodes are the three servers of a cluster.
type nodes struct {
	processes [3]*process
	dir       string
	places    [9]string   // host, port, and port for the others, of each
	by        [3][]string // commands that start them, if any
}

// cluster starts three nodes on the loopback.
func cluster(t *testing.T) *nodes {
	t.Helper()
	c := &nodes{dir: t.TempDir()}
	for i, port := range freePorts(t, 6) {
		c.places[i/2*3] = "127.0.0.1"
		c.places[i/2*3+1+i%2] = port
	}
	c.startAll(t)
	return c
}

func (c *nodes) startAll(t *testing.T) {
	t.Helper()
	for i := range c.processes {
		c.start(t, i)
	}
}

func (c *nodes) start(t *testing.T, i int) {
	t.Helper()
	c.processes[i] = beginBy(t, c.by[i], "node", strconv.Itoa(i), filepath.Join(c.dir, strconv.Itoa(i)), strings.Join(c.places[:], ","))
}

func (c *nodes) addresses() string {
	var urls []string
	for i := 0; i < len(c.places); i += 3 {
		urls = append(urls, "nats://"+c.places[i]+":"+c.places[i+1])
	}
	return strings.Join(urls, ",")
}

// progress waits until that many more jobs are confirmed.
func (s *site) progress(t *testing.T, more int64, confirmed *atomic.Int64) {
	t.Helper()
	want := confirmed.Load() + more
	eventually(t, "progress", func() bool { return confirmed.Load() >= want })
}

// underLoad puts and uses jobs in a cluster while fault is called so often with one of
// its nodes after the other; between two faults, jobs are confirmed.
func (c *nodes) underLoad(t *testing.T, n int, of string, fault func(i int)) {
	t.Helper()
	s := newSite(t, t.TempDir(), c.addresses(), 3)
	var confirmed atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		err := produce(ctx, s.queue, s.ledger, 0, 1<<20, func() { confirmed.Add(1); time.Sleep(time.Millisecond) })
		if err != nil && ctx.Err() == nil {
			t.Error("producer: ", err)
		}
	})
	stop := s.load(t, 0, 2)
	for i := range n {
		s.progress(t, 100, &confirmed)
		fault(i % 3)
	}
	s.progress(t, 100, &confirmed)
	cancel()
	wg.Wait()
	stop()
	s.drain(t)
	s.verdict(t, n, of, 100*n)
}

func TestNodesAreKilled(t *testing.T) {
	c := cluster(t)
	c.underLoad(t, times(30), "kill -9 of one of three nodes", func(i int) {
		c.processes[i].kill()
		chance(500 * time.Millisecond)
		c.start(t, i)
	})
}

// longerThanAnElection is how long a node is away, so that another takes its place.
const longerThanAnElection = 6 * time.Second

// A node that is stopped for a while may still think that it is the leader.
func TestNodesAreFrozen(t *testing.T) {
	c := cluster(t)
	c.underLoad(t, times(20), "one of three nodes frozen", func(i int) {
		p := c.processes[i].command.Process
		_ = p.Signal(syscall.SIGSTOP)
		time.Sleep(longerThanAnElection)
		_ = p.Signal(syscall.SIGCONT)
	})
}

// missing is for what a test needs and this machine doesn't have: in CI that is a
// failure.
func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf("NOT TESTED: "+format, args...)
}

// Each node has a network namespace of its own, with a cable that can be cut.
func TestNodesAreCutOff(t *testing.T) {
	name := "prodcons" + strconv.Itoa(os.Getpid()%1000)
	net := fmt.Sprintf("198.18.%d.", os.Getpid()%250) // for measuring, so that nobody has it
	run := func(line string) error {
		words := strings.Fields(strings.ReplaceAll(line, "NAME", name))
		out, err := exec.Command(words[0], words[1:]...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w: %s", strings.Join(words, " "), err, out)
		}
		return nil
	}
	if err := run("ip link add NAME type bridge"); err != nil {
		missing(t, "a partition needs root and ip: %v", err)
	}
	c := &nodes{dir: t.TempDir()}
	t.Cleanup(func() { _ = run("ip link del NAME") })
	steps := []string{"ip addr add " + net + "1/24 dev NAME", "ip link set NAME up"}
	for i := range c.processes {
		netns, host := name+"-"+strconv.Itoa(i), net+strconv.Itoa(10+i)
		t.Cleanup(func() { _ = run("ip netns del " + netns) })
		steps = append(steps, "ip netns add "+netns,
			"ip link add "+netns+" type veth peer name eth0 netns "+netns,
			"ip link set "+netns+" master NAME up",
			"ip -n "+netns+" addr add "+host+"/24 dev eth0",
			"ip -n "+netns+" link set eth0 up", "ip -n "+netns+" link set lo up")
		copy(c.places[3*i:], []string{host, "4222", "6222"})
		c.by[i] = []string{"ip", "netns", "exec", netns}
	}
	for _, step := range steps {
		if err := run(step); err != nil {
			t.Fatal(err)
		}
	}
	c.startAll(t)
	c.underLoad(t, times(20), "one of three nodes cut off from all", func(i int) {
		cable := name + "-" + strconv.Itoa(i)
		if err := run("ip link set " + cable + " down"); err != nil {
			t.Error(err)
		}
		time.Sleep(longerThanAnElection)
		if err := run("ip link set " + cable + " up"); err != nil {
			t.Error(err)
		}
	})
}

func TestAWorkerHangsPastItsLease(t *testing.T) {
	s, _ := serverSite(t)
	n := times(20)
	stop := s.load(t, 1, 0)
	p := begin(t, "worker", s.address, s.dir)
	other := begin(t, "worker", s.address, s.dir)
	for range n {
		chance(50 * time.Millisecond)
		_ = p.command.Process.Signal(syscall.SIGSTOP)
		time.Sleep(2 * faultLease)
		_ = p.command.Process.Signal(syscall.SIGCONT)
	}
	stop()
	s.drain(t)
	p.kill()
	other.kill()
	s.verdict(t, n, "a worker stopped for twice its lease", 2*n)
}

func TestASlowConsumer(t *testing.T) {
	s, _ := serverSite(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error)
	go func() { done <- work(ctx, s.queue, s.ledger) }() // 1 ms a job, with 900 bytes
	if err := produce(t.Context(), s.queue, s.ledger, 0, 3000, nil); err != nil {
		t.Fatal(err)
	}
	cancel()
	<-done
	s.drain(t)
	s.verdict(t, 1, "a producer much faster than its consumer", 0)
}

func TestTheDiskIsFull(t *testing.T) {
	dir := t.TempDir()
	store, listen := filepath.Join(dir, "store"), "127.0.0.1:"+freePorts(t, 1)[0]
	t.Run("a file may not grow", func(t *testing.T) {
		fillUp(t, dir, store, func() *process { return begin(t, "server", store, listen, "300000") }, listen)
	})
	t.Run("a small disk", func(t *testing.T) {
		small := t.TempDir()
		if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", small).CombinedOutput(); err != nil {
			missing(t, "a small disk needs root: %v: %s", err, out)
		}
		t.Cleanup(func() { _ = exec.Command("umount", small).Run() })
		ballast := filepath.Join(small, "ballast") // of what is free again later
		if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); err != nil {
			t.Fatal(err)
		}
		at := filepath.Join(small, "store")
		fillUp(t, t.TempDir(), at, func() *process { return begin(t, "server", at, listen) }, listen, ballast)
	})
}

// fillUp puts jobs until the server can't take any more, and looks whether all that it
// had taken are there when it has room again.
func fillUp(t *testing.T, dir, store string, start func() *process, listen string, ballast ...string) {
	p := start()
	s := newSite(t, dir, p.said, 0)
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
	defer cancel()
	err := produce(ctx, s.queue, s.ledger, 0, 100_000, nil)
	if err == nil {
		t.Fatal("the disk was never full")
	}
	t.Log("the producer is told: ", err)
	p.kill()
	for _, name := range ballast {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	begin(t, "server", store, listen)
	s.drain(t)
	s.verdict(t, 1, "a full disk", 0)
}
