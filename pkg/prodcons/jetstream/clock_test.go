//go:build unix

package jetstream_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A machine's clock is stepped for a process by a package time of its own, whose Now
// adds what a file says; the file is mapped into the process's memory, too.
const (
	clockKey = "PRODCONS_TEST_CLOCK"
	nowBegin = "\tsec, nsec, mono := runtimeNow()\n\tif mono == 0 {"
	nowSteps = "\tsec, nsec, mono := runtimeNow()\n\tsec += *step\n\tif mono == 0 {"
	stepFile = `package time

import (
	"syscall"
	"unsafe"
)

var step = func() *int64 {
	if name, ok := syscall.Getenv("` + clockKey + `"); ok {
		fd, err := syscall.Open(name, syscall.O_RDONLY, 0)
		if err != nil {
			panic("open the clock: " + err.Error())
		}
		page, err := syscall.Mmap(fd, 0, 8, syscall.PROT_READ, syscall.MAP_SHARED)
		if err != nil {
			panic("map the clock: " + err.Error())
		}
		return (*int64)(unsafe.Pointer(&page[0]))
	}
	return new(int64)
}()
`
)

// clock is the clock of a machine that processes run on.
type clock struct {
	by   []string // starts processes there
	file *os.File
	step time.Duration // so much is it ahead
}

// newClock builds this test once more, for a machine whose clock can be stepped.
func newClock(t *testing.T) *clock {
	t.Helper()
	dir := t.TempDir()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	from := filepath.Join(strings.TrimSpace(string(root)), "src", "time")
	source, err := os.ReadFile(filepath.Join(from, "time.go"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Count(source, []byte(nowBegin)) != 1 {
		t.Fatalf("time.Now in %s is not as this test knows it", from)
	}
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {
		filepath.Join(from, "time.go"): write("time.go", bytes.Replace(source, []byte(nowBegin), []byte(nowSteps), 1)),
		filepath.Join(from, "step.go"): write("step.go", []byte(stepFile)),
	}})
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "stepped")
	build := exec.Command("go", "test", "-c", "-o", program, "-overlay", write("overlay.json", overlay), ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, out)
	}
	file, err := os.OpenFile(write("clock", make([]byte, 8)), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return &clock{by: []string{"env", clockKey + "=" + file.Name(), "sh", "-c", "exec " + program}, file: file}
}

// set sets the clock that far ahead of the true time.
func (c *clock) set(t *testing.T, ahead time.Duration) {
	t.Helper()
	var data [8]byte
	binary.NativeEndian.PutUint64(data[:], uint64(ahead/time.Second))
	if _, err := c.file.WriteAt(data[:], 0); err != nil {
		t.Fatal(err)
	}
	c.step = ahead
}

// The clock of the server's machine, and of a worker beside it, is set forwards and
// back, by a second to more than a year; that of producers is right.
func TestClocksAreStepped(t *testing.T) {
	c := newClock(t)
	dir := t.TempDir()
	server := beginBy(t, c.by, "server", filepath.Join(dir, "store"), "127.0.0.1:"+freePorts(t, 1)[0])
	s := newSite(t, dir, server.said, 0)

	c.set(t, -24*time.Hour)
	if err := s.queue.Put(t.Context(), job{Number: -1}); err != nil {
		t.Fatal(err)
	}
	if stats, err := s.queue.Stats(t.Context()); err != nil || stats.Oldest < 23*time.Hour {
		t.Fatalf("the server's clock was not stepped: %+v, %v", stats, err)
	}
	c.set(t, 0)

	stop := s.load(t, 2, 1)
	worker := beginBy(t, c.by, "worker", s.address, s.dir)
	steps := []time.Duration{time.Second, time.Minute, time.Hour, 24 * time.Hour, 500 * 24 * time.Hour}
	n := times(200)
	for i := range n {
		ahead := steps[rand.IntN(len(steps))]
		if i%2 == 1 {
			ahead = -ahead
		}
		c.set(t, ahead)
		chance(200 * time.Millisecond)
		if i%4 == 3 { // its loans are given to others by the server's clock
			worker.kill()
			worker = beginBy(t, c.by, "worker", s.address, s.dir)
		}
	}
	stop()
	worker.kill()
	c.set(t, 0)
	s.drain(t)
	s.verdict(t, n, "a step of the server's clock by up to "+strings.TrimSuffix(steps[len(steps)-1].String(), "0m0s"), 4*n)
}
