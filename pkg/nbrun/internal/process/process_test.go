//go:build unix

package process

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

func TestMain(m *testing.M) {
	if script := os.Getenv(runnerEnv); script != "" {
		os.Exit(runner(script))
	}
	goleak.VerifyTestMain(m)
}

// sink keeps what it gets, with neighbours of one stream joined.
type sink struct {
	parts []string
	times []int64 // of the parts, in ns
	bytes int
	keep  bool
}

func (s *sink) Put(at time.Time, o event.Output) error {
	s.bytes += len(o.Text)
	if s.keep {
		s.times = append(s.times, at.UnixNano())
	}
	switch n := len(s.parts); {
	case o.Kind == event.Display:
		s.parts = append(s.parts, fmt.Sprintf("display %s: %v", o.ID, o.Data))
	case !s.keep:
	case n > 0 && strings.HasPrefix(s.parts[n-1], o.Name+": "):
		s.parts[n-1] += o.Text
	default:
		s.parts = append(s.parts, o.Name+": "+o.Text)
	}
	return nil
}

func shell(text string) *Process {
	return &Process{Path: "bash", Args: []string{"-c", text}, Env: os.Environ()}
}

func TestStreamsAndExit(t *testing.T) {
	s := &sink{keep: true}
	exit, err := shell("echo out; sleep 0.05; echo err >&2; sleep 0.05; echo again; exit 3").Run(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	var ee *exec.ExitError
	if !errors.As(exit.Err, &ee) || ee.ExitCode() != 3 {
		t.Errorf("exit %v", exit.Err)
	}
	if got := fmt.Sprintf("%q", s.parts); got != `["stdout: out\n" "stderr: err\n" "stdout: again\n"]` {
		t.Error(got)
	}
}

func TestStdinIsWhatWasGivenAndElseEmpty(t *testing.T) {
	s := &sink{keep: true}
	p := shell("cat; echo end")
	p.Stdin = []byte("given\n")
	if _, err := p.Run(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if _, err := shell("cat; echo end").Run(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(s.parts, ""); got != "stdout: given\nend\nend\n" {
		t.Errorf("%q", got)
	}
}

func TestAProgramThatCanNotBeStarted(t *testing.T) {
	_, err := (&Process{Path: "no-such-program"}).Run(t.Context(), &sink{})
	if err == nil || err.Error() != "no-such-program: not found on PATH" {
		t.Error(err)
	}
	_, err = (&Process{Path: t.TempDir()}).Run(t.Context(), &sink{})
	if err == nil || !strings.Contains(err.Error(), "permission denied") {
		t.Error(err)
	}
}

func TestTheEndOfTheContextKillsTheWholeGroup(t *testing.T) {
	mark := fmt.Sprintf("CAPTURE_TEST=%d", time.Now().UnixNano())
	p := shell("sleep 1000 & sleep 1000 & wait")
	p.Env = append(p.Env, mark)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := p.Run(ctx, &sink{})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
	if n := marked(mark); n != 0 {
		t.Errorf("%d processes left", n)
	}
}

// marked counts the processes with a mark that still run, giving those that were
// just killed a moment to go.
func marked(mark string) int {
	n := 0
	for range 100 {
		n = 0
		dirs, _ := filepath.Glob("/proc/[0-9]*")
		for _, dir := range dirs {
			if env, err := os.ReadFile(filepath.Join(dir, "environ")); err == nil && bytes.Contains(env, []byte(mark)) {
				n++
			}
		}
		if n == 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	return n
}

func TestWhatIsLeftInTheBackgroundIsNotWaitedForAndCanBeKilled(t *testing.T) {
	mark := fmt.Sprintf("CAPTURE_TEST=%d", time.Now().UnixNano())
	s := &sink{keep: true}
	p := shell("(sleep 1000; echo late) & setsid sleep 1000 & echo started")
	p.Env = append(p.Env, mark)
	start := time.Now()
	if _, err := p.Run(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("waited %v for the background", took)
	}
	if got := strings.Join(s.parts, ""); got != "stdout: started\n" {
		t.Errorf("%q", got)
	}
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip("no /proc: what is left can't be found")
	}
	if n := killLeft(mark, false); n < 2 {
		t.Errorf("killed %d, want the two sleeps at least", n)
	}
	if n := marked(mark); n != 0 {
		t.Errorf("%d processes left", n)
	}
	if n := killLeft(mark, false); n != 0 {
		t.Errorf("killed %d where none was left", n)
	}
}

// Most of them are still starting their program when they are looked for.
func TestNoneOfManyStartedJustNowEscapes(t *testing.T) {
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip("no /proc: what is left can't be found")
	}
	for i := range 10 {
		mark := fmt.Sprintf("CAPTURE_TEST=%d.%d", time.Now().UnixNano(), i)
		p := shell("for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do setsid sleep 1000 & done")
		p.Env = append(p.Env, mark)
		if _, err := p.Run(t.Context(), &sink{}); err != nil {
			t.Fatal(err)
		}
		if n := killLeft(mark, false); n != 20 {
			t.Errorf("killed %d of 20", n)
		}
		if n := marked(mark); n != 0 {
			t.Fatalf("%d processes left", n)
		}
	}
}

func TestAFloodIsHandedOnWhole(t *testing.T) {
	s := &sink{}
	if _, err := shell("head -c 100000000 /dev/zero; head -c 1000000 /dev/zero >&2").Run(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if s.bytes != 101_000_000 {
		t.Errorf("%d bytes", s.bytes)
	}
}

func TestLinesOfStderrAreRewritten(t *testing.T) {
	defer func(before time.Duration) { pause = before }(pause)
	pause = 500 * time.Millisecond // much more than a busy machine holds us up
	s := &sink{keep: true}
	p := shell("printf 'on' >&2; sleep 0.01; printf 'e\ntwo\n' >&2; sleep 0.05; echo out; sleep 0.05; printf 'prompt' >&2; sleep 2; echo x; printf 'end' >&2")
	p.Rewrite = func(line []byte) []byte { return fmt.Appendf(nil, "<%s>", bytes.TrimSpace(line)) }
	if _, err := p.Run(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(s.parts, "|")
	// An unfinished line is not held for long.
	if got != "stderr: <one><two>|stdout: out\n|stderr: <prompt>|stdout: x\n|stderr: <end>" {
		t.Errorf("%q", got)
	}
}

func TestASinkThatFailsEndsTheProcess(t *testing.T) {
	full := errors.New("disk full")
	start := time.Now()
	_, err := shell("while true; do echo x; done").Run(t.Context(), failing{full})
	if !errors.Is(err, full) || time.Since(start) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}

type failing struct{ error }

func (f failing) Put(time.Time, event.Output) error { return f.error }

// framed writes a frame of Go's fake clock.
func framed(at int64, text string) []byte {
	b := []byte("\x00\x00PB")
	b = binary.BigEndian.AppendUint64(b, uint64(at))
	b = binary.BigEndian.AppendUint32(b, uint32(len(text)))
	return append(b, text...)
}

func TestFramesAreOrderedByTheirTime(t *testing.T) {
	out := append(framed(1, "a\n"), framed(5, "c\n")...)
	errs := append(framed(3, "b\n"), framed(7, "d\n")...)
	for _, size := range []int{1, 5, 16, 17, 100} {
		s := &sink{keep: true}
		m := &merger{sink: s, framed: true}
		o, e := out, errs
		for len(o) > 0 || len(e) > 0 {
			n, k := min(size, len(o)), min(size, len(e))
			if err := errors.Join(m.add(0, o[:n]), m.add(1, e[:k])); err != nil {
				t.Fatal(err)
			}
			o, e = o[n:], e[k:]
		}
		if err := m.flush(); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%q", s.parts); got != `["stdout: a\n" "stderr: b\n" "stdout: c\n" "stderr: d\n"]` {
			t.Errorf("pieces of %d: %s", size, got)
		}
		if !slices.Equal(s.times, []int64{1, 3, 5, 7}) {
			t.Errorf("pieces of %d: at %v", size, s.times)
		}
	}
}

func TestFramesOfAChildWithoutAreKept(t *testing.T) {
	s := &sink{keep: true}
	m := &merger{sink: s, framed: true}
	if err := errors.Join(m.add(0, framed(1, "a")), m.add(0, []byte("from a child, without frames\n")), m.flush()); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(s.parts, ""); got != "stdout: afrom a child, without frames\n" {
		t.Errorf("%q", got)
	}
}

func TestFramesDoNotFillTheMemory(t *testing.T) {
	s := &sink{}
	m := &merger{sink: s, framed: true}
	text := strings.Repeat("x", 60_000)
	for i := range 1000 { // 60 MB on one stream, while the other is silent
		if err := m.add(0, framed(int64(i), text)); err != nil {
			t.Fatal(err)
		}
		if m.held > holdAtMost+len(text) {
			t.Fatalf("%d bytes held", m.held)
		}
	}
	if err := m.flush(); err != nil || s.bytes != 60_000_000 {
		t.Errorf("%d bytes, %v", s.bytes, err)
	}
}

// A child process writes to the same pipe without frames, and what it writes may
// come together with frames, in pieces of any size.
func TestWhatHasNoFrameIsKeptBetweenFrames(t *testing.T) {
	raw := "x" + string(framed(1, "one\n")) + "child\n" + string(framed(2, "two \x00\x00PB\n")) + string(framed(3, "")) + "\x00\x00last" + "\x00"
	const want = "xone\nchild\ntwo \x00\x00PB\n\x00\x00last\x00"
	for size := 1; size <= len(raw); size++ {
		var got written
		m := &merger{sink: &got, framed: true}
		for p := []byte(raw); len(p) > 0; p = p[min(size, len(p)):] {
			if err := m.add(0, bytes.Clone(p[:min(size, len(p))])); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.flush(); err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Fatalf("in pieces of %d: %q", size, got)
		}
	}
}

type written []byte

func (w *written) Put(_ time.Time, o event.Output) error { *w = append(*w, o.Text...); return nil }
