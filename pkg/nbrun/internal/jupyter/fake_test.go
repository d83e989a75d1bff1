//go:build unix

package jupyter

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-zeromq/zmq4"
)

// fakeEnv makes the test binary a kernel that misbehaves; its value says how from the
// start, and the text of a cell how in that cell.
const fakeEnv = "NBRUN_FAKE_KERNEL"

// fake is such a kernel.
type fake struct {
	how     string
	key     []byte
	sockets map[string]zmq4.Socket
	mu      sync.Mutex
	stopped chan struct{} // closed by an interrupt
}

// request is what a client has sent.
type request struct {
	from    [][]byte
	header  json.RawMessage
	kind    string
	content struct{ Code string }
}

func runFake(how, file string) {
	fmt.Fprintln(os.Stderr, "fake kernel:", how)
	switch how {
	case "exits at once":
		fmt.Fprintln(os.Stderr, "nothing to do")
		os.Exit(3)
	case "never binds":
		select {}
	}
	var c map[string]any
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err != nil {
		panic(err)
	}
	if how == "knows no ipc" && c["transport"] != "tcp" {
		fmt.Fprintln(os.Stderr, "unknown transport")
		os.Exit(3)
	}
	ctx := context.Background()
	quiet := zmq4.WithLogger(log.New(io.Discard, "", 0))
	f := &fake{how: how, key: []byte(c["key"].(string)), sockets: map[string]zmq4.Socket{
		"shell": zmq4.NewRouter(ctx, quiet), "control": zmq4.NewRouter(ctx, quiet), "stdin": zmq4.NewRouter(ctx, quiet),
		"iopub": zmq4.NewPub(ctx, quiet), "hb": zmq4.NewRep(ctx, quiet),
	}, stopped: make(chan struct{})}
	if how == "signs wrongly" {
		f.key = []byte("another key")
	}
	for name, socket := range f.sockets {
		if err := socket.Listen(address(c["transport"].(string), c["ip"].(string), c[name+"_port"].(float64))); err != nil {
			panic(err)
		}
	}
	if how != "has no heartbeat" {
		go func() {
			for beats := 0; ; beats++ {
				m, err := f.sockets["hb"].Recv()
				if err != nil || how == "stops its heartbeat" && beats > 0 {
					return
				}
				_ = f.sockets["hb"].Send(m)
			}
		}()
	}
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	go func() {
		for range interrupts {
			f.interrupt()
		}
	}()
	go f.serve("control", f.control)
	f.serve("shell", f.shell)
	select {} // without its sockets, as far as the client is concerned
}

func address(transport, ip string, port float64) string {
	if transport == "ipc" {
		return fmt.Sprintf("ipc://%s-%.0f", ip, port)
	}
	return fmt.Sprintf("tcp://%s:%.0f", ip, port)
}

func (f *fake) interrupt() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.stopped)
	f.stopped = make(chan struct{})
}

func (f *fake) interrupted() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stopped
}

func (f *fake) serve(name string, handle func(*request)) {
	for {
		m, err := f.sockets[name].Recv()
		if err != nil {
			return
		}
		i := 0
		for string(m.Frames[i]) != "<IDS|MSG>" {
			i++
		}
		r := &request{from: m.Frames[:i], header: m.Frames[i+2]}
		var h struct {
			Type string `json:"msg_type"`
		}
		if json.Unmarshal(r.header, &h) != nil || json.Unmarshal(m.Frames[i+5], &r.content) != nil {
			panic("the client sends garbage")
		}
		r.kind = h.Type
		handle(r)
	}
}

func (f *fake) control(r *request) {
	switch r.kind {
	case "interrupt_request":
		f.interrupt()
	case "shutdown_request":
		if f.how == "ignores shutdown" {
			return
		}
		_ = f.sockets["control"].Close() // without an answer, as GoNB may
		if f.how != "closes its control socket" {
			os.Exit(0)
		}
	}
}

// send sends an answer to a request.
func (f *fake) send(channel string, r *request, kind string, content any) {
	f.sendRaw(channel, r, f.key, kind, r.header, content)
}

func (f *fake) sendRaw(channel string, r *request, key []byte, kind string, parent json.RawMessage, content any) {
	header, _ := json.Marshal(map[string]string{"msg_id": fmt.Sprint(time.Now().UnixNano()), "msg_type": kind, "version": "5.4"})
	body, err := json.Marshal(content)
	if err != nil {
		panic(err)
	}
	parts := [][]byte{header, parent, []byte("{}"), body}
	mac := hmac.New(sha256.New, key)
	for _, p := range parts {
		mac.Write(p)
	}
	frames := append([][]byte{}, r.from...)
	frames = append(frames, []byte("<IDS|MSG>"), hex.AppendEncode(nil, mac.Sum(nil)))
	f.frames(channel, append(frames, parts...)...)
}

func (f *fake) frames(channel string, frames ...[]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_ = f.sockets[channel].SendMulti(zmq4.NewMsgFrom(frames...))
}

type object = map[string]any

func (f *fake) print(r *request, text string) {
	f.send("iopub", r, "stream", object{"name": "stdout", "text": text})
}

func (f *fake) status(r *request, state string) {
	f.send("iopub", r, "status", object{"execution_state": state})
}

func (f *fake) shell(r *request) {
	switch {
	case f.how == "is deaf":
	case r.kind == "kernel_info_request":
		f.status(r, "busy")
		f.send("shell", r, "kernel_info_reply", object{"status": "ok"})
		f.status(r, "idle")
	case r.kind == "execute_request":
		f.status(r, "busy")
		if f.cell(r) {
			f.send("shell", r, "execute_reply", object{"status": "ok"})
			f.status(r, "idle")
		}
	}
}

// cell does what a cell says, and reports whether to answer as usual.
func (f *fake) cell(r *request) bool {
	what, rest, _ := strings.Cut(r.content.Code, ": ")
	switch what {
	case "print":
		f.print(r, rest)
	case "die":
		f.print(r, "last output")
		fmt.Fprintln(os.Stderr, "panic: "+rest)
		fmt.Fprintln(os.Stderr, "\ngoroutine 1 [running]:")
		time.Sleep(100 * time.Millisecond) // the socket writes in its own time
		os.Exit(2)
	case "die after the reply":
		f.send("shell", r, "execute_reply", object{"status": "ok"})
		os.Exit(2)
	case "kill":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "hang":
		<-f.interrupted()
		f.print(r, "interrupted")
		f.send("shell", r, "execute_reply", object{"status": "error", "ename": "ERROR", "evalue": "signal: interrupt"})
		f.status(r, "idle")
		return false
	case "hang for good":
		select {}
	case "flood":
		line := strings.Repeat("x", 99) + "\n"
		for range 100_000 {
			f.print(r, line)
		}
	case "reply first":
		f.send("shell", r, "execute_reply", object{"status": "ok"})
		time.Sleep(50 * time.Millisecond)
		f.print(r, "late output")
		f.status(r, "idle")
		return false
	case "later":
		f.send("shell", r, "execute_reply", object{"status": "ok"})
		f.status(r, "idle")
		f.print(r, "after the end")
		return false
	case "idle first":
		f.print(r, "output")
		f.status(r, "idle")
		time.Sleep(50 * time.Millisecond)
		f.send("shell", r, "execute_reply", object{"status": "ok"})
		return false
	case "never idle":
		f.send("shell", r, "execute_reply", object{"status": "ok"})
		return false
	case "garbage":
		for _, channel := range []string{"iopub", "shell"} {
			to := r.from
			send := func(frames ...string) {
				all := append([][]byte{}, to...)
				for _, text := range frames {
					all = append(all, []byte(text))
				}
				f.frames(channel, all...)
			}
			send("")
			send("\x00\xff", "garbage")
			send("<IDS|MSG>")
			send("<IDS|MSG>", "", "", "", "", "")
			send("<IDS|MSG>", "not a signature", "{", "}", "[]", "?")
			send("<IDS|MSG>", "<IDS|MSG>", "<IDS|MSG>", "<IDS|MSG>", "<IDS|MSG>", "<IDS|MSG>")
		}
		f.sendRaw("iopub", r, []byte("another key"), "stream", r.header, object{"name": "stdout", "text": "forged"})
		f.sendRaw("shell", r, []byte("another key"), "execute_reply", r.header, object{"status": "error"})
		f.send("iopub", r, "stream", "not an object")
		f.send("iopub", r, "stream", object{"name": 1, "text": []int{2}})
		f.send("iopub", r, "status", []string{"idle"})
		f.send("iopub", r, "no_such_message", object{"a": 1})
		f.send("iopub", r, "comm_open", object{"comm_id": "x"})
		f.send("shell", r, "execute_reply", "not an object")
		f.print(r, "real")
	case "replies to others":
		for _, parent := range []string{`{"msg_id":"another"}`, `{}`, `null`} {
			f.sendRaw("shell", r, f.key, "execute_reply", []byte(parent), object{"status": "error"})
			f.sendRaw("iopub", r, f.key, "stream", []byte(parent), object{"name": "stdout", "text": "of another"})
			f.sendRaw("iopub", r, f.key, "status", []byte(parent), object{"execution_state": "idle"})
		}
		time.Sleep(50 * time.Millisecond)
		f.print(r, "mine")
	case "input":
		f.send("stdin", r, "input_request", object{"prompt": rest, "password": false})
		<-f.interrupted()
	case "close sockets":
		for _, name := range []string{"shell", "iopub"} {
			_ = f.sockets[name].Close()
		}
		return false
	case "leave a child":
		cmd := exec.Command("sleep", "600")
		cmd.Env = os.Environ()
		if err := cmd.Start(); err != nil {
			panic(err)
		}
		f.print(r, fmt.Sprint(cmd.Process.Pid))
	case "publish":
		var messages []Message
		if err := json.Unmarshal([]byte(rest), &messages); err != nil {
			panic(err)
		}
		for _, m := range messages {
			f.send("iopub", r, m.Type, m.Content)
		}
	}
	return true
}
