//go:build unix

package browser_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/lab"
)

// TestMain makes the test's own binary one that serves notebooks, too, so that each
// server has an environment of its own and is ended by a signal, as by a user.
func TestMain(m *testing.M) {
	if os.Getenv("LAB_TEST_SERVE") == "" {
		os.Exit(m.Run())
	}
	if err := serve(); err != nil {
		fmt.Fprintf(os.Stderr, "lab: %v\n", err)
		os.Exit(1)
	}
}

// serve is the least that a command does with the package. It ends with the test that
// holds its stdin open, even if that is killed or runs out of time.
func serve() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	opts := lab.Options{Copies: lab.Kept, Tell: func(line string) { fmt.Fprintln(os.Stderr, line) }}
	noBrowser := flag.Bool("no-browser", false, "")
	flag.IntVar(&opts.Port, "port", 0, "")
	flag.BoolFunc("recorded", "", func(string) error { opts.Copies = lab.None; return nil })
	flag.Parse()
	opts.Path, opts.Browser = flag.Arg(0), !*noBrowser
	server, err := lab.Start(ctx, opts)
	if err != nil {
		return err
	}
	fmt.Println(server.URL)
	return server.Wait(ctx)
}

// running is a lab that a test has started.
type running struct {
	cmd   *exec.Cmd
	lines chan string // what it says, on both streams
	told  []string    // until the address
}

// command is lab, with these arguments.
func command(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Env = append(append(os.Environ(), "LAB_TEST_SERVE=1"), env...)
	if _, err := cmd.StdinPipe(); err != nil { // which is open as long as we live
		t.Fatal(err)
	}
	return cmd
}

// start starts lab in a folder. It ends with the test, as by Ctrl-C.
func start(t *testing.T, dir string, env []string, args ...string) *running {
	t.Helper()
	l := &running{cmd: command(t, env, args...), lines: make(chan string, 100)}
	l.cmd.Dir = dir
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	l.cmd.Stdout, l.cmd.Stderr = w, w
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	go func() {
		defer close(l.lines)
		for s := bufio.NewScanner(r); s.Scan(); {
			l.lines <- s.Text()
		}
	}()
	t.Cleanup(func() { l.end(t) })
	return l
}

// address waits until lab has told its address.
func (l *running) address(t *testing.T) *url.URL {
	t.Helper()
	limit := time.After(5 * time.Minute) // with an empty cache it builds for a while
	for {
		select {
		case line, more := <-l.lines:
			if !more {
				t.Fatal("lab has ended")
			}
			t.Log(line)
			l.told = append(l.told, line)
			if strings.HasPrefix(line, "http://") {
				u, err := url.Parse(line)
				if err != nil {
					t.Fatal(err)
				}
				return u
			}
		case <-limit:
			t.Fatal("lab has told no address for 5 minutes")
		}
	}
}

// end presses Ctrl-C, and waits until lab has ended.
func (l *running) end(t *testing.T) {
	t.Helper()
	if l.cmd.ProcessState != nil {
		return
	}
	_ = l.cmd.Process.Signal(os.Interrupt)
	timer := time.AfterFunc(30*time.Second, func() {
		t.Error("lab has not ended 30 s after Ctrl-C")
		_ = l.cmd.Process.Signal(syscall.SIGKILL)
	})
	defer timer.Stop()
	for line := range l.lines {
		t.Log(line)
	}
	if err := l.cmd.Wait(); err != nil {
		t.Errorf("lab: %v", err)
	}
}
