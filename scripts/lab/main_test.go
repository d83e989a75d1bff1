//go:build unix

package main

import (
	"bufio"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	if os.Getenv("LAB_TEST_MAIN") != "" {
		main()
		os.Exit(0)
	}
	testscript.Main(m, map[string]func(){"lab": main})
}

// TestScripts runs the command where something is wrong. GOBIN_ONLY is a folder with
// the go command, and nothing else.
func TestScripts(t *testing.T) {
	goroot := goenv(t, "GOROOT")
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			home := filepath.Join(env.WorkDir, ".home")
			env.Setenv("HOME", home)
			env.Setenv("XDG_CACHE_HOME", filepath.Join(home, "cache"))
			env.Setenv("GOBIN_ONLY", filepath.Join(goroot, "bin"))
			for _, name := range []string{"old", "new", "broken"} {
				if err := os.Chmod(filepath.Join(env.WorkDir, name, "jupyter-lab"), 0o755); err != nil {
					return err
				}
			}
			// The command itself lies where testscript has put it.
			for _, dir := range filepath.SplitList(env.Getenv("PATH")) {
				if _, err := os.Stat(filepath.Join(dir, "lab")); err == nil {
					env.Setenv("GOBIN_ONLY", env.Getenv("GOBIN_ONLY")+string(os.PathListSeparator)+dir)
					return os.Symlink(filepath.Join(dir, "lab"), filepath.Join(env.WorkDir, "old", "lab"))
				}
			}
			return errors.New("testscript has not put lab on PATH")
		},
	})
}

// running is a lab that a test has started.
type running struct {
	cmd   *exec.Cmd
	lines chan string // what it says, on both streams
	told  []string    // until the address
}

// start starts lab in a folder. It ends with the test, as by Ctrl-C.
func start(t *testing.T, dir string, env []string, args ...string) *running {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	l := &running{cmd: exec.Command(program, args...), lines: make(chan string, 100)}
	l.cmd.Dir = dir
	l.cmd.Env = append(append(os.Environ(), "LAB_TEST_MAIN=1"), env...)
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
