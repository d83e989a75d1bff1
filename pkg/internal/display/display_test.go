//go:build unix

package display

import (
	"encoding/gob"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/janpfeifer/gonb/gonbui/protocol"
	"golang.org/x/sys/unix"
)

// pipes makes the kernel's pipes, open at the kernel's ends, and has the package
// believe that the program has just started.
func pipes(t *testing.T) (out, back *os.File) {
	t.Helper()
	dir := t.TempDir()
	var files [2]*os.File
	for i, env := range []string{protocol.GONB_PIPE_ENV, protocol.GONB_PIPE_BACK_ENV} {
		path := filepath.Join(dir, env)
		if err := unix.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		t.Setenv(env, path)
		files[i] = f
	}
	k := &kernel
	k.out, k.to, k.from, k.failed, k.syncs = nil, nil, nil, nil, 0
	k.unsent.Reset()
	first = sync.Once{}
	return files[0], files[1]
}

func html(text string) *protocol.DisplayData {
	return &protocol.DisplayData{Data: map[protocol.MIMEType]any{protocol.MIMETextHTML: text}}
}

// answer answers as a kernel does, and says what it has been sent.
func answer(t *testing.T, out, back *os.File, got chan<- string) {
	from, to := gob.NewDecoder(out), gob.NewEncoder(back)
	for {
		var data protocol.DisplayData
		if from.Decode(&data) != nil {
			return
		}
		if v, ok := data.Data[protocol.MIMECommValue].(protocol.CommValue); ok {
			time.Sleep(time.Millisecond)
			if err := to.Encode(&protocol.CommValue{Address: protocol.GonbuiSyncAckAddress, Value: v.Value}); err != nil {
				t.Error(err)
			}
			continue
		}
		got <- data.Data[protocol.MIMETextHTML].(string)
	}
}

func TestSendReturnsWhenTheKernelHasIt(t *testing.T) {
	out, back := pipes(t)
	got := make(chan string, 1) // room for one: what is sent is taken before Send returns
	go answer(t, out, back, got)
	large := strings.Repeat("x", 300_000)
	for _, text := range []string{"a", large, "b"} {
		if err := Send(html(text)); err != nil {
			t.Fatal(err)
		}
		select {
		case v := <-got:
			if v != text {
				t.Errorf("got %.10q", v)
			}
		default:
			t.Error("the kernel has nothing yet")
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	out, back := pipes(t)
	got := make(chan string, 100)
	go answer(t, out, back, got)
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if err := Send(html("x")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(got) != 100 {
		t.Errorf("%d", len(got))
	}
}

// What can't be encoded is not sent, and does no harm to what comes after it.
func TestWhatCanNotBeEncoded(t *testing.T) {
	out, back := pipes(t)
	got := make(chan string, 1)
	go answer(t, out, back, got)
	type unknown struct{ X int }
	if err := Send(&protocol.DisplayData{Data: map[protocol.MIMEType]any{"x": unknown{1}}}); err == nil {
		t.Error("no error")
	}
	if err := Send(html("a")); err != nil || <-got != "a" {
		t.Error(err)
	}
}

func TestAKernelThatDoesNotAnswer(t *testing.T) {
	defer func(d time.Duration) { patience = d }(patience)
	patience = 20 * time.Millisecond
	for name, change := range map[string]func(back *os.File){
		"no variable":      func(*os.File) { os.Unsetenv(protocol.GONB_PIPE_BACK_ENV) },
		"no pipe":          func(*os.File) { os.Remove(os.Getenv(protocol.GONB_PIPE_BACK_ENV)) },
		"nobody writes it": func(back *os.File) { back.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			out, back := pipes(t)
			change(back)
			for range 3 {
				if err := Send(html("a")); err != nil {
					t.Error(err)
				}
			}
			var data protocol.DisplayData
			if err := gob.NewDecoder(out).Decode(&data); err != nil || data.Data[protocol.MIMETextHTML] != "a" {
				t.Errorf("%v, %v", data, err)
			}
		})
	}
}

func TestAKernelThatGoes(t *testing.T) {
	_, back := pipes(t)
	time.AfterFunc(10*time.Millisecond, func() { back.Close() })
	for range 2 {
		if err := Send(html("a")); err == nil || !strings.Contains(err.Error(), "no answer from the kernel") {
			t.Error(err)
		}
	}
}

func TestOutsideANotebookNothingIsSent(t *testing.T) {
	pipes(t)
	t.Setenv(protocol.GONB_PIPE_ENV, "")
	if err := Send(html("a")); err != nil || kernel.to != nil {
		t.Error(err)
	}
}
