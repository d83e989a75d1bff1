//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/jupyter/orders"
)

// How long a kernel is given for various things.
const (
	toListen   = 5 * time.Second        // its first answer in the folder, if it may have ports
	toObey     = 2 * time.Second        // an interrupt, before it is killed
	toShutDown = 2 * time.Second        // a shutdown request, before it is killed
	toDie      = 500 * time.Millisecond // after it has closed a connection, and for its last output
)

// kernel is a running kernel.
type kernel struct {
	wire
	// transport is ipc, for sockets in dir, where nobody else can reach them, or tcp,
	// for ports that any user of the machine can connect to.
	transport string
	process   orders.Process
	publish   func(orders.Message)
	cells     map[string]int // by the id of their request, from 1
	cmd       *exec.Cmd
	dir       string // private: the connection file, the sockets, and the kernel's temporary folder
	ip        string // or for ipc, what the names of the sockets begin with
	tail      tail   // of its stderr and stdout

	ctx      context.Context // of the sockets
	cancel   context.CancelFunc
	channels []*channel
	incoming chan message
	finished chan struct{} // closed when nothing more can come on shell and iopub

	connected bool // it has answered

	dead  chan struct{} // closed when the process has ended, or can be spoken to no more
	once  sync.Once
	cause string        // why, set before dead is closed
	gone  chan struct{} // closed when the process has ended
}

// channel is a socket of a kernel.
type channel struct {
	name   string
	number int // of the port, or of the socket in the folder
	socket zmq4.Socket
}

// start starts a kernel and returns when it is ready. What it publishes about cells
// later is passed to publish. A kernel that may have ports gets them if it does not
// answer in the folder, and others if somebody has taken one before it could.
func start(ctx context.Context, p orders.Process, publish func(orders.Message)) (*kernel, error) {
	k, err := startOnce(ctx, p, publish, "ipc")
	for attempt := 1; err != nil && ctx.Err() == nil && p.Ports && attempt <= 3; attempt++ {
		if attempt > 1 && !strings.Contains(k.tail.String(), "address already in use") {
			break
		}
		k, err = startOnce(ctx, p, publish, "tcp")
	}
	return k, err
}

func startOnce(ctx context.Context, p orders.Process, publish func(orders.Message), transport string) (*kernel, error) {
	k := &kernel{
		transport: transport,
		wire:      wire{key: []byte(newID()), session: newID()},
		process:   p, publish: publish, cells: map[string]int{}, tail: tail{max: 20},
		incoming: make(chan message), finished: make(chan struct{}), dead: make(chan struct{}), gone: make(chan struct{}),
	}
	k.ctx, k.cancel = context.WithCancel(context.Background())
	err := k.launch()
	if err == nil {
		within := p.Within
		if p.Ports && k.transport == "ipc" {
			within = min(within, toListen)
		}
		ready, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		if err = k.connect(ready); err != nil && ready.Err() != nil && ctx.Err() == nil {
			err = &orders.Dead{Text: fmt.Sprintf("the kernel did not answer within %v of its start", within), Last: k.tail.lines()}
		}
	}
	if err != nil {
		k.close()
	}
	return k, err
}

// makeChannels makes the sockets, and returns what the kernel has to know about them.
func (k *kernel) makeChannels() (connection []byte, err error) {
	ports, ip := []int{1, 2, 3, 4, 5}, filepath.Join(k.dir, "s")
	if k.transport == "ipc" && len(ip) > longestSocket {
		k.transport = "tcp"
	}
	if k.transport == "tcp" {
		ip = "127.0.0.1"
		if ports, err = freePorts(5); err != nil {
			return nil, err
		}
	}
	k.ip = ip
	id := zmq4.WithID(zmq4.SocketIdentity(k.session))
	options := []zmq4.Option{
		id, zmq4.WithDialerRetry(10 * time.Millisecond), zmq4.WithDialerMaxRetries(-1),
		zmq4.WithTimeout(toObey), zmq4.WithLogger(log.New(io.Discard, "", 0)),
	}
	k.channels = []*channel{
		{"shell", ports[0], zmq4.NewDealer(k.ctx, options...)},
		{"iopub", ports[1], zmq4.NewSub(k.ctx, options...)},
		{"control", ports[2], zmq4.NewDealer(k.ctx, options...)},
		{"stdin", ports[3], zmq4.NewDealer(k.ctx, options...)},
		{"heartbeat", ports[4], zmq4.NewReq(k.ctx, options...)},
	}
	return json.Marshal(map[string]any{
		"transport": k.transport, "ip": ip, "signature_scheme": "hmac-sha256", "key": string(k.key),
		"shell_port": ports[0], "iopub_port": ports[1], "control_port": ports[2], "stdin_port": ports[3], "hb_port": ports[4],
	})
}

// launch starts the process.
func (k *kernel) launch() error {
	var err error
	if k.dir, err = os.MkdirTemp("", "nbrun-kernel-"); err != nil {
		return err
	}
	tmp := filepath.Join(k.dir, "tmp")
	if err := os.Mkdir(tmp, 0o700); err != nil {
		return err
	}
	connection, err := k.makeChannels()
	if err != nil {
		return err
	}
	file := filepath.Join(k.dir, "kernel-"+k.session+".json") // GoNB looks for its id in the name
	if err := os.WriteFile(file, connection, 0o600); err != nil {
		return err
	}
	argv := slices.Clone(k.process.Argv)
	for i := range argv {
		argv[i] = strings.ReplaceAll(argv[i], "{connection_file}", file)
	}
	k.cmd = exec.Command(argv[0], argv[1:]...)
	k.cmd.Dir = k.process.Dir
	k.cmd.Env = append(slices.Clone(k.process.Env), "TMPDIR="+tmp)
	k.cmd.SysProcAttr = attributes()
	out, in, err := os.Pipe()
	if err != nil {
		return err
	}
	k.cmd.Stdout, k.cmd.Stderr = in, in
	err = k.cmd.Start()
	in.Close()
	if err != nil {
		out.Close()
		k.cmd = nil
		return fmt.Errorf("the kernel can't be started: %w", err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		k.tail.read(out)
		out.Close()
	}()
	go func() {
		state, err := k.cmd.Process.Wait()
		select {
		case <-read:
		case <-time.After(toDie): // a child of its holds the pipe
		}
		text := "the kernel has ended"
		if err == nil {
			text = fmt.Sprintf("the kernel has died (%v)", state)
		}
		close(k.gone)
		k.die(text)
	}()
	return nil
}

func (k *kernel) die(cause string) {
	k.once.Do(func() {
		k.cause = cause
		close(k.dead)
	})
}

// death is the error for a kernel that is dead.
func (k *kernel) death() error { return &orders.Dead{Text: k.cause, Last: k.tail.lines()} }

// freePorts finds n ports of the loopback interface that nobody listens on.
func freePorts(n int) ([]int, error) {
	var ports []int
	for range n {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

// longestSocket is the longest beginning of a socket's path that every system takes.
const longestSocket = 100

// address is that of a channel, in the form that Jupyter gives it.
func (k *kernel) address(c *channel) string {
	if k.transport == "ipc" {
		return fmt.Sprintf("ipc://%s-%d", k.ip, c.number)
	}
	return fmt.Sprintf("tcp://%s:%d", k.ip, c.number)
}

// connect connects the sockets and waits for an answer on both shell and iopub.
func (k *kernel) connect(ctx context.Context) error {
	dialed := make(chan error, len(k.channels))
	for _, c := range k.channels {
		go func() { dialed <- c.socket.Dial(k.address(c)) }()
	}
	for range k.channels {
		select {
		case err := <-dialed:
			if err != nil {
				return err
			}
		case <-k.dead:
			return k.death()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := k.channel("iopub").SetOption(zmq4.OptionSubscribe, ""); err != nil {
		return err
	}
	var results sync.WaitGroup
	for _, c := range k.channels {
		switch c.name {
		case "shell", "iopub":
			results.Go(func() { k.receive(c) })
		case "control", "stdin":
			go k.receive(c)
		}
	}
	go func() { results.Wait(); close(k.finished) }()
	go k.beat()

	// A subscription takes effect some time after it was made, and what is published
	// before is lost. So the kernel is asked until both are received.
	ids := map[string]bool{}
	replied, published := false, false
	for {
		id, err := k.send("shell", "kernel_info_request", struct{}{})
		if err != nil {
			return err
		}
		ids[id] = true
		again := time.After(100 * time.Millisecond)
	listen:
		for {
			select {
			case m := <-k.incoming:
				if ids[m.parent] {
					replied = replied || m.kind == "kernel_info_reply"
					published = published || m.channel == "iopub"
				}
				if replied && published {
					k.connected = true
					return nil
				}
			case <-again:
				break listen
			case <-k.dead:
				return k.death()
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

func (k *kernel) channel(name string) zmq4.Socket {
	i := slices.IndexFunc(k.channels, func(c *channel) bool { return c.name == name })
	return k.channels[i].socket
}

// receive passes on what comes on a channel and is signed.
func (k *kernel) receive(c *channel) {
	for {
		raw, err := c.socket.Recv()
		if err != nil {
			if k.ctx.Err() != nil || c.name == "control" || c.name == "stdin" {
				return
			}
			select { // if it has ended, that is the better word
			case <-k.gone:
			case <-k.ctx.Done():
			case <-time.After(toDie):
				k.die(fmt.Sprintf("the kernel has closed its %s socket", c.name))
			}
			return
		}
		m, err := k.unpack(raw.Frames)
		if err != nil {
			continue
		}
		m.channel = c.name
		select {
		case k.incoming <- m:
		case <-k.ctx.Done():
			return
		}
	}
}

// beat sends heartbeats, and gives the kernel up when they are not answered.
func (k *kernel) beat() {
	socket := k.channel("heartbeat")
	for {
		late := time.AfterFunc(k.process.Beat, func() {
			k.die(fmt.Sprintf("the kernel has not answered heartbeats for %v", k.process.Beat))
		})
		err := socket.Send(zmq4.NewMsgString("ping"))
		if err == nil {
			_, err = socket.Recv()
		}
		if err != nil {
			<-k.ctx.Done() // the others will say what it is
		}
		late.Stop()
		select {
		case <-k.ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
}

// send sends a request and returns its id.
func (k *kernel) send(channel, kind string, content any) (string, error) {
	frames, id, err := k.pack(kind, content)
	if err != nil {
		return "", err
	}
	if err := k.channel(channel).SendMulti(zmq4.NewMsgFrom(frames...)); err != nil {
		return "", fmt.Errorf("send %s: %w", kind, err)
	}
	return id, nil
}

// execute runs a cell. It is done when the kernel has replied and says that it is idle.
// An order to interrupt, or a request for input, interrupts the cell, and a kernel that
// does not obey is killed.
func (k *kernel) execute(ctx context.Context, code string, told <-chan orders.Order) (reply *orders.Reply, refused string, err error) {
	id, err := k.send("shell", "execute_request", map[string]any{
		"code": code, "silent": false, "store_history": true, "user_expressions": map[string]string{},
		"allow_stdin": false, "stop_on_error": false,
	})
	if err != nil {
		return nil, "", k.broken(err)
	}
	k.cells[id] = len(k.cells) + 1
	idle := false
	var late <-chan time.Time
	interrupt := func() {
		if late == nil {
			late = time.After(toObey)
			k.interrupt()
		}
	}
	take := func(m message) {
		if m.parent != id {
			k.pass(m)
			return
		}
		switch {
		case m.channel == "shell" && m.kind == "execute_reply":
			r := &orders.Reply{}
			if json.Unmarshal(m.content, r) == nil {
				reply = r
			}
		case m.channel == "stdin" && m.kind == "input_request":
			var request struct{ Prompt string }
			_ = json.Unmarshal(m.content, &request) // the prompt is only for the message
			refused = fmt.Sprintf("prompt %q", request.Prompt)
			interrupt()
		case m.channel == "iopub" && m.kind == "status":
			var status struct {
				State string `json:"execution_state"`
			}
			idle = idle || json.Unmarshal(m.content, &status) == nil && status.State == "idle"
		default:
			k.pass(m)
		}
	}
	for reply == nil || !idle {
		select {
		case m := <-k.incoming:
			take(m)
		case o := <-told:
			if o.Interrupt {
				interrupt()
			}
		case <-late:
			k.die(fmt.Sprintf("the kernel did not obey an interrupt within %v, and was killed", toObey))
			k.kill()
			late = nil
		case <-ctx.Done():
			return nil, "", ctx.Err()
		case <-k.dead:
			// What it had sent before may still be on its way.
			for over := time.After(toDie); ; {
				select {
				case m := <-k.incoming:
					take(m)
					continue
				case <-k.finished:
				case <-over:
				}
				return nil, "", k.death()
			}
		}
	}
	return reply, refused, nil
}

// pass passes on what was published about a cell, even an earlier one: a kernel may say
// that a cell is done before it has sent everything.
func (k *kernel) pass(m message) {
	cell := k.cells[m.parent]
	if cell == 0 || m.channel != "iopub" || m.kind == "status" {
		return
	}
	if len(m.content) > orders.MaxMessage || values(m.content) > orders.MaxValues {
		m.kind, m.content = "stream", tooLarge(m.kind, len(m.content))
	}
	k.publish(orders.Message{Cell: cell, Type: m.kind, Content: m.content})
}

// values is roughly the number of members of lists and objects in JSON.
func values(content []byte) (n int) {
	text := false
	for i := 0; i < len(content); i++ {
		switch c := content[i]; {
		case c == '"':
			text = !text
		case c == '\\' && text:
			i++
		case c == ',' && !text:
			n++
		}
	}
	return n
}

// tooLarge is the content of a stream, in place of a message that is too large.
func tooLarge(kind string, size int) json.RawMessage {
	text := fmt.Sprintf("[nbrun: a message (%s) of %d MiB is not shown; the most is %d MiB, and a million numbers]\n", kind, size>>20, orders.MaxMessage>>20)
	content, _ := json.Marshal(map[string]string{"name": "stderr", "text": text}) // never fails
	return content
}

// broken waits briefly for the death that explains a socket's error.
func (k *kernel) broken(err error) error {
	select {
	case <-k.dead:
		return k.death()
	case <-time.After(toDie):
		return err
	}
}

func (k *kernel) interrupt() {
	if k.process.Signal {
		_ = syscall.Kill(-k.cmd.Process.Pid, syscall.SIGINT)
		return
	}
	_, _ = k.send("control", "interrupt_request", struct{}{}) // or it will be killed
}

// kill kills the process and its group.
func (k *kernel) kill() { _ = syscall.Kill(-k.cmd.Process.Pid, syscall.SIGKILL) }

// close ends the kernel, gracefully if possible, and removes what it has left.
func (k *kernel) close() {
	if k.cmd != nil {
		if k.connected {
			if _, err := k.send("control", "shutdown_request", map[string]bool{"restart": false}); err == nil {
				k.drain()
			}
		}
		k.kill() // its children, if not itself
		<-k.gone
	}
	k.cancel()
	for _, c := range k.channels {
		_ = c.socket.Close()
	}
	if k.dir != "" {
		_ = os.RemoveAll(k.dir)
	}
}

// drain passes on what is still published until the kernel has shut down.
func (k *kernel) drain() {
	late := time.After(toShutDown)
	for {
		select {
		case m := <-k.incoming:
			k.pass(m)
		case <-k.finished:
			select {
			case <-k.dead:
			case <-late:
			}
			return
		case <-late:
			return
		}
	}
}

// tail keeps the last lines of what it reads, and what a Go program says before its
// last stack trace.
type tail struct {
	mu    sync.Mutex
	max   int
	text  []string
	fatal string
}

func (t *tail) read(r io.Reader) {
	scan := bufio.NewReaderSize(r, 4096)
	for {
		line, prefix, err := scan.ReadLine()
		if err != nil {
			return
		}
		if !prefix && len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		t.mu.Lock()
		t.text = append(t.text, string(line))
		t.text = t.text[max(0, len(t.text)-t.max):]
		if bytes.HasPrefix(line, []byte("panic: ")) || bytes.HasPrefix(line, []byte("fatal error: ")) {
			t.fatal = string(line)
		}
		t.mu.Unlock()
	}
}

func (t *tail) lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fatal == "" || slices.Contains(t.text, t.fatal) {
		return slices.Clone(t.text)
	}
	return append([]string{t.fatal}, t.text...)
}

func (t *tail) String() string { return strings.Join(t.lines(), "\n") }
