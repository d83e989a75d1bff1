//go:build unix

package process

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/janpfeifer/gonb/gonbui/protocol"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

// displaysSent is what gonbui sends for some displays: pictures, text, JSON, and a
// value in two messages.
func displaysSent(t testing.TB) []byte {
	t.Helper()
	var sent bytes.Buffer
	enc := gob.NewEncoder(&sent)
	for i, data := range []map[protocol.MIMEType]any{
		{protocol.MIMETextPlain: "a", protocol.MIMEImagePNG: bytes.Repeat([]byte{1, 2}, 300)},
		{"application/json": map[string]any{"list": []any{1, "b", nil, map[string]any{}}, "x": 1.5}},
		{protocol.MIMECommValue: &protocol.CommValue{Address: protocol.GonbuiSyncAddress, Value: 7}},
		{protocol.MIMETextHTML: "<b>c</b>"},
	} {
		if err := enc.Encode(&protocol.DisplayData{Data: data, DisplayID: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	return sent.Bytes()
}

// damaged is a copy in which bytes were changed, left out, added or cut off.
func damaged(p []byte, r *rand.Rand) []byte {
	p = bytes.Clone(p)
	for range 1 + r.IntN(3) {
		at, n := r.IntN(len(p)), 1+r.IntN(8)
		switch r.IntN(5) {
		case 0:
			p[at] = byte(r.Uint32())
		case 1:
			p[at] ^= 1 << r.IntN(8)
		case 2:
			p = append(p[:at:at], p[min(at+n, len(p)):]...)
		case 3:
			p = append(p[:at:at], append(make([]byte, n), p[at:]...)...)
		case 4:
			p = p[:max(at, 1)]
		}
		if len(p) == 0 {
			return []byte{0}
		}
	}
	return p
}

// The text of a stream of displays, and the error, if there is one.
func decoded(t testing.TB, sent []byte, size int) (string, error) {
	t.Helper()
	var got strings.Builder
	var back bytes.Buffer
	d := newDisplays(func(o event.Output) error { fmt.Fprintln(&got, o); return nil }, &back)
	defer d.close()
	for p := sent; len(p) > 0; p = p[min(size, len(p)):] {
		if err := d.add(p[:min(size, len(p))]); err != nil {
			return got.String(), err
		}
	}
	return got.String(), nil
}

func TestADamagedStreamOfDisplaysHoldsNobodyUp(t *testing.T) {
	sent := displaysSent(t)
	whole, err := decoded(t, sent, len(sent))
	if err != nil || strings.Count(whole, "\n") != 3 {
		t.Fatalf("undamaged: %q, %v", whole, err)
	}
	done := make(chan int)
	go func() {
		unread := 0
		for seed := range uint64(12_000) {
			r := rand.New(rand.NewPCG(seed, 0))
			if _, err := decoded(t, damaged(sent, r), 1+r.IntN(len(sent))); err != nil {
				unread++
				if !errors.Is(err, ErrDisplay) && !errors.Is(err, ErrNeedsBrowser) && !errors.Is(err, ErrNeedsInput) {
					t.Errorf("seed %d: %v", seed, err)
				}
			}
		}
		done <- unread
	}()
	select {
	case n := <-done:
		if n < 6_000 {
			t.Errorf("only %d of 12000 were found unreadable", n)
		}
	case <-time.After(5 * time.Minute):
		t.Fatal("it hangs")
	}
}

const damageEnv = "PROCESS_TEST_DAMAGE"

// Started with the variable, the test is a program that writes the displays it was
// given to the pipe.
func init() {
	file := os.Getenv(damageEnv)
	if file == "" {
		return
	}
	sent, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(os.Getenv(protocol.GONB_PIPE_ENV), sent, 0)
	}
	if err != nil {
		panic(err)
	}
	fmt.Println("sent")
	os.Exit(0)
}

func TestProgramsWithADamagedStreamEnd(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	sent := displaysSent(t)
	file := t.TempDir() + "/sent"
	run := func(name string, sent []byte) error {
		t.Helper()
		if err := os.WriteFile(file, sent, 0o600); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		p := &Process{Path: self, Env: append(os.Environ(), damageEnv+"="+file), Displays: true}
		_, err := p.Run(ctx, &sink{})
		if ctx.Err() != nil {
			t.Fatalf("%s: it hangs", name)
		}
		return err
	}
	for name, sent := range map[string]string{
		"one zero byte": "\x00", "a length without end": "\xf8\xff\xff\xff\xff\xff\xff\xff\xff\x02",
		"a type of 4 GB": "\xfc\xff\xff\xff\xff\x03", "text": "\thello, world\n",
	} {
		if err := run(name, []byte(sent)); !errors.Is(err, ErrDisplay) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for seed := range uint64(50) {
		_ = run(fmt.Sprint("seed ", seed), damaged(sent, rand.New(rand.NewPCG(seed, 1))))
	}
}

func TestADisplayThatIsTooLargeIsLeftOut(t *testing.T) {
	var sent bytes.Buffer
	enc := gob.NewEncoder(&sent)
	for _, content := range []any{"small", []int{1}, strings.Repeat("x", MaxDisplay), make([]int, maxValues), bytes.Repeat([]byte("large"), maxValues), strings.Repeat("larger", maxValues), "last"} {
		if err := enc.Encode(&protocol.DisplayData{Data: map[protocol.MIMEType]any{protocol.MIMETextPlain: content, protocol.MIMETextHTML: "y"}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, size := range []int{1000, sent.Len()} {
		got, err := decoded(t, sent.Bytes(), size)
		if err != nil || strings.Count(got, "text/html:y") != 5 || strings.Count(got, "is not shown") != 2 || !strings.Contains(got, "[nbrun: a display of 8 MiB is not shown; the most is 8 MiB, and 1 MiB of lists and numbers]") {
			t.Errorf("pieces of %d: %v, %.300q", size, err, got)
		}
	}
}

// gob would make room for all entries that a map says it has.
func TestAMapThatSaysItIsLargeGetsNoRoom(t *testing.T) {
	const entry = "\x00\x01\x01k" // what stands before the only entry of a map, and its key
	said := map[string]string{
		"the one": "\x01", "more than there are": "\x7f", "a million": "\xfd\x10\x00\x00", "300 million": "\xfc\x12\x00\x00\x00",
		"a trillion": "\xfb\x01\x00\x00\x00\x00", "no length": "\x80", "no end": "\xf8",
	}
	for _, content := range []any{
		map[string]any{"k": 1},
		map[string]int{"k": 1},
		map[string]float64{"k": 1},
		map[string]string{"k": "v"},
		[]any{map[string]any{"x": map[string]string{"k": "v"}}},
	} {
		var sent bytes.Buffer
		data := map[protocol.MIMEType]any{"application/json": content}
		if err := gob.NewEncoder(&sent).Encode(&protocol.DisplayData{Data: data}); err != nil {
			t.Fatal(err)
		}
		for name, count := range said {
			forged := againInMessages(sent.Bytes(), func(p []byte) []byte {
				return bytes.Replace(p, []byte(entry), []byte("\x00"+count+entry[2:]), 1)
			})
			if same := bytes.Equal(forged, sent.Bytes()); same != (name == "the one") {
				t.Fatalf("%#v: %s: nothing was changed", content, name)
			}
			_, held, err := measured(t, forged, len(forged))
			if want := name != "the one"; errors.Is(err, ErrDisplay) != want || err != nil && !want {
				t.Errorf("%#v: %s: %v", content, name, err)
			}
			if held > 2<<20 {
				t.Errorf("%#v: %s: made room for %d bytes", content, name, held)
			}
		}
	}
}

// What gonbui can send is shown, whatever was sent before it.
func TestWhatCanBeSentIsShown(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 2))
		var sent bytes.Buffer
		var want strings.Builder
		enc := gob.NewEncoder(&sent)
		for range 1 + r.IntN(4) {
			data := map[protocol.MIMEType]any{}
			bundle := map[string]any{}
			for i := range 1 + r.IntN(4) {
				mime := fmt.Sprint("x/", i)
				content := sendable(r, 0)
				data[protocol.MIMEType(mime)] = content
				var err error
				if bundle[mime], err = plain(content); err != nil {
					t.Fatal(err)
				}
			}
			if err := enc.Encode(&protocol.DisplayData{Data: data}); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(&want, event.Output{Kind: event.Display, Data: bundle, Metadata: map[string]any{}})
		}
		got, err := decoded(t, sent.Bytes(), 1+r.IntN(sent.Len()))
		if err != nil || got != want.String() {
			t.Fatalf("seed %d: %v\n%s\nsent %s\n%q", seed, err, got, want.String(), sent.Bytes())
		}
	}
}

// sendable is a value of a type that gonbui registers.
func sendable(r *rand.Rand, depth int) any {
	n := r.IntN(3)
	switch k := r.IntN(11); {
	case k == 0 && depth < 3:
		m := map[string]any{}
		for i := range n {
			m[fmt.Sprint("k", i)] = sendable(r, depth+1)
		}
		return m
	case k == 1 && depth < 3:
		var l []any
		for range n {
			l = append(l, sendable(r, depth+1))
		}
		return append(l, "end")
	case k == 2:
		return map[string]int{"a": n}
	case k == 3:
		return map[string]float64{"a": float64(n), "b": 0.5}
	case k == 4:
		return map[string]string{}
	case k == 5:
		return map[string]string{"map[string]int": "map[string]string"}
	case k == 6:
		return slices.Repeat([]int{n}, 1+r.IntN(200)) // gob sends an empty one as nil
	case k == 7:
		return []float64{1, 2.5}
	case k == 8:
		return []string{"map[string]interface {}", protocol.GonbuiSyncAddress}
	case k == 9:
		return bytes.Repeat([]byte{byte(n)}, 1+r.IntN(300))
	}
	return strings.Repeat("map[string]int ", n)
}

// againInMessages changes what is in a stream's messages, and gives them their lengths.
func againInMessages(sent []byte, change func([]byte) []byte) []byte {
	var changed []byte
	for len(sent) > 0 {
		m, _ := messageOf(sent)
		p := change(sent[m.head:m.size()])
		if len(p) < 0x80 {
			changed = append(changed, byte(len(p)))
		} else {
			changed = append(changed, 0xfe, byte(len(p)>>8), byte(len(p)))
		}
		changed = append(changed, p...)
		sent = sent[m.size():]
	}
	return changed
}

// measured is decoded, and returns how many bytes that allocated, too.
func measured(t testing.TB, sent []byte, size int) (got string, room uint64, err error) {
	t.Helper()
	allocs := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(allocs)
	before := allocs[0].Value.Uint64()
	got, err = decoded(t, sent, size)
	metrics.Read(allocs)
	return got, allocs[0].Value.Uint64() - before, err
}

// What is looked at before gob sees it may be anything, too.
func TestALargeDisplayMayHaveAnyBytes(t *testing.T) {
	var sent bytes.Buffer
	data := map[protocol.MIMEType]any{protocol.MIMETextPlain: strings.Repeat("x", maxValues)}
	if err := gob.NewEncoder(&sent).Encode(&protocol.DisplayData{Data: data}); err != nil {
		t.Fatal(err)
	}
	p := sent.Bytes()[bytes.Index(sent.Bytes(), []byte("text/plain"))-4:]
	for i := range 34 {
		was := p[i]
		for b := range 256 {
			p[i] = byte(b)
			_, _, _ = mostlyText(p), mostlyText(p[:34]), mostlyText(p[:i+1])
		}
		p[i] = was
	}
}

func TestWhatIsNoJSONIsNoDisplay(t *testing.T) {
	for name, content := range map[string]any{"a number that JSON has not": map[string]any{"x": complex(1, 2)}, "not a number": []any{inf()}} {
		var sent bytes.Buffer
		if err := gob.NewEncoder(&sent).Encode(&protocol.DisplayData{Data: map[protocol.MIMEType]any{"application/json": content}}); err != nil {
			t.Fatal(err)
		}
		if _, err := decoded(t, sent.Bytes(), 100); !errors.Is(err, ErrDisplay) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func inf() float64 { zero := 0.0; return 1 / zero }

// A process may move to the group that it has made for its child.
func TestAProcessThatLeavesItsGroupIsKilled(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	start := time.Now()
	mark := fmt.Sprintf("CAPTURE_TEST=%d", start.UnixNano())
	t.Cleanup(func() { killLeft(mark, false) }) // the child, which holds the streams
	p := &Process{Path: "python3", Env: append(os.Environ(), mark), Args: []string{"-c", `
import os, time
child = os.fork()
if child == 0:
    os.setpgid(0, 0)
    time.sleep(3)
    os._exit(0)
time.sleep(0.1)
os.setpgid(0, child)
time.sleep(1000)`}}
	if _, err := p.Run(ctx, &sink{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestAForgedLengthOfAFrameHoldsNothing(t *testing.T) {
	s := &sink{}
	m := &merger{sink: s, framed: true}
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64([]byte(frameMark), 1), 1<<32-1)
	if err := m.add(0, head); err != nil {
		t.Fatal(err)
	}
	piece := make([]byte, 60_000)
	for range 10_000 { // 600 MB
		if err := m.add(0, piece); err != nil {
			t.Fatal(err)
		}
		if held := m.held + cap(m.streams[0].raw); held > holdAtMost+4*frameAtOnce {
			t.Fatalf("%d bytes held", held)
		}
	}
	if err := m.flush(); err != nil || s.bytes != 600_000_000 {
		t.Errorf("%d bytes, %v", s.bytes, err)
	}
	m = &merger{sink: s, framed: true}
	for range 200_000 {
		if err := errors.Join(m.add(0, framed(1, "")), m.add(0, framed(1, "x"))); err != nil {
			t.Fatal(err)
		}
		if n := len(m.streams[0].frames); n > holdAtMost/frameCost {
			t.Fatalf("%d frames held", n)
		}
	}
}

// FuzzFrames feeds two streams, in pieces of any size, to the code that orders them:
// the result does not depend on the size, and nothing but frames is lost.
func FuzzFrames(f *testing.F) {
	f.Add(framed(1, "a\n"), framed(2, "b\n"), uint8(3))
	f.Add(append(framed(1, "a"), "child"...), []byte("\x00\x00PB"), uint8(1))
	f.Add([]byte("\x00\x00PB\x00\x00\x00\x00\x00\x00\x00\x05\xff\xff\xff\xffx"), []byte("\x00\x00"), uint8(7))
	f.Fuzz(func(t *testing.T, out, errs []byte, size uint8) {
		var texts [2][2]string
		for i, n := range []int{1 + int(size), max(len(out), len(errs), 1)} {
			m := &merger{framed: true, sink: event.SinkFunc(func(_ time.Time, o event.Output) error {
				texts[i][slices.Index(names[:], o.Name)] += o.Text
				return nil
			})}
			for o, e := out, errs; len(o) > 0 || len(e) > 0; o, e = o[min(n, len(o)):], e[min(n, len(e)):] {
				if err := errors.Join(m.add(0, o[:min(n, len(o))]), m.add(1, e[:min(n, len(e))])); err != nil {
					t.Fatal(err)
				}
			}
			if err := m.flush(); err != nil {
				t.Fatal(err)
			}
			if m.held != 0 {
				t.Errorf("%d bytes are held still", m.held)
			}
		}
		if texts[0] != texts[1] {
			t.Errorf("in pieces of %d: %q\nas a whole: %q", 1+int(size), texts[0], texts[1])
		}
	})
}

// FuzzDisplays feeds a stream of displays, in pieces of any size, to the code that
// decodes it: the result does not depend on the size, nor does it take much more memory
// than was sent.
func FuzzDisplays(f *testing.F) {
	sent := displaysSent(f)
	f.Add(sent, uint8(0))
	f.Add(sent[:len(sent)/2], uint8(10))
	f.Add([]byte("\x00"), uint8(0))
	f.Add([]byte("\xfc\xff\xff\xff\xff\x02"), uint8(3))
	f.Fuzz(func(t *testing.T, sent []byte, size uint8) {
		one, err := decoded(t, sent, 1+int(size))
		all, room, err2 := measured(t, sent, max(len(sent), 1))
		if room > 32<<20+200*uint64(len(sent)) {
			t.Errorf("%d bytes take %d bytes of memory", len(sent), room)
		}
		if one != all || fmt.Sprint(err) != fmt.Sprint(err2) {
			t.Errorf("in pieces of %d: %q, %v\nas a whole: %q, %v", 1+int(size), one, err, all, err2)
		}
	})
}
