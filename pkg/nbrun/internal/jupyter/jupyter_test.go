//go:build unix

package jupyter

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/process"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/testhome"
)

// link is the link that tests use, built as the tests are.
var link string

func TestMain(m *testing.M) {
	if how := os.Getenv(fakeEnv); how != "" {
		runFake(how, os.Args[len(os.Args)-1])
		return
	}
	dir, err := os.MkdirTemp("", "link-")
	if err != nil {
		panic(err)
	}
	link = filepath.Join(dir, "link")
	args := []string{"build", "-o", link}
	if raceEnabled {
		args = append(args, "-race")
	}
	if out, err := exec.Command("go", append(args, "./link")...).CombinedOutput(); err != nil {
		panic(fmt.Sprintf("%v: %s", err, out))
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// marked is the environment of a kernel whose processes are recognised by a mark, and
// whose folders are in one of the test's own. When the test ends, both must be gone.
func marked(t *testing.T, more ...string) []string {
	t.Helper()
	mark := fmt.Sprintf("NBRUN_TEST=%s-%d", t.Name(), time.Now().UnixNano())
	tmp := t.TempDir()
	t.Cleanup(func() {
		if left, _ := os.ReadDir(tmp); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
		if runtime.GOOS == "linux" {
			// A killed process may take a moment to die on a busy machine.
			pids := processes(mark)
			for end := time.Now().Add(5 * time.Second); len(pids) > 0 && time.Now().Before(end); pids = processes(mark) {
				time.Sleep(time.Millisecond)
			}
			if len(pids) > 0 {
				t.Errorf("processes left behind: %v", pids)
			}
		}
	})
	env := slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "TMPDIR=") })
	return append(append(env, mark, "TMPDIR="+tmp, "GORACE=atexit_sleep_ms=0"), more...)
}

// processes lists the living processes that have the mark.
func processes(mark string) (pids []int) {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		env, err := os.ReadFile(filepath.Join(dir, "environ"))
		if err == nil && bytes.Contains(env, []byte(mark+"\x00")) {
			pid, _ := strconv.Atoi(filepath.Base(dir))
			pids = append(pids, pid)
		}
	}
	return pids
}

func fakeProcess(t *testing.T, how string) Process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Process{
		Argv: []string{self, "{connection_file}"}, Dir: t.TempDir(), Env: marked(t, fakeEnv+"="+how),
		Within: time.Minute, Beat: time.Minute,
	}
}

// published is what a kernel has published, by cell.
type published map[int][]Message

func (p published) add(m Message) error {
	p[m.Cell] = append(p[m.Cell], m)
	return nil
}

// stdout is what a cell has written to stdout.
func (p published) stdout(cell int) string {
	var b strings.Builder
	for _, m := range p[cell] {
		var c struct{ Name, Text string }
		if m.Type == "stream" && json.Unmarshal(m.Content, &c) == nil && c.Name == "stdout" {
			b.WriteString(c.Text)
		}
	}
	return b.String()
}

// testKernel is a kernel with what it has published.
type testKernel struct {
	*Kernel
	published
	cells int
}

func start(t *testing.T, p Process) *testKernel {
	t.Helper()
	out := published{}
	k, err := Start(t.Context(), link, p, out.add)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		begin := time.Now()
		if err := k.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
		if d := time.Since(begin); d > 4*time.Second {
			t.Errorf("closing took %v", d)
		}
	})
	return &testKernel{k, out, 0}
}

// output runs a cell and returns what it has written to stdout.
func output(t *testing.T, k *testKernel, code string) (string, Reply, error) {
	t.Helper()
	k.cells++
	r, err := k.Execute(t.Context(), code)
	return k.stdout(k.cells), r, err
}

// within fails the test if f takes longer.
func within(t *testing.T, limit time.Duration, f func()) {
	t.Helper()
	begin := time.Now()
	f()
	if d := time.Since(begin); d > limit {
		t.Errorf("took %v, not less than %v", d, limit)
	}
}

func TestNoOutputIsLost(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	k := start(t, fakeProcess(t, "behaves"))
	for code, want := range map[string]string{
		"print: hello":      "hello",
		"reply first":       "late output",
		"idle first":        "output",
		"garbage":           "real",
		"replies to others": "mine",
		"flood":             strings.Repeat(strings.Repeat("x", 99)+"\n", 100_000),
	} {
		got, reply, err := output(t, k, code)
		if err != nil || reply.Status != "ok" || got != want {
			t.Errorf("%s: %d bytes, %.100q, %+v, %v", code, len(got), got, reply, err)
		}
	}
}

func TestOutputThatComesLateIsThatOfItsCell(t *testing.T) {
	k := start(t, fakeProcess(t, "behaves"))
	// What is published comes in its order: with the last cell's output, everything is
	// there. A kernel that is told to end may do so before it has sent what is late.
	for _, code := range []string{"later", "print: second", "later", "print: last"} {
		if _, _, err := output(t, k, code); err != nil {
			t.Fatal(err)
		}
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
	if k.stdout(1) != "after the end" || k.stdout(2) != "second" || k.stdout(3) != "after the end" {
		t.Errorf("%q, %q, %q", k.stdout(1), k.stdout(2), k.stdout(3))
	}
}

func TestDeathIsReportedAtOnce(t *testing.T) {
	for code, want := range map[string]string{
		"die: of old age":     "the kernel has died (exit status 2); its last words: panic: of old age",
		"die after the reply": "the kernel has died (exit status 2); its last words: fake kernel: behaves",
		"kill":                "the kernel has died (signal: killed); its last words: fake kernel: behaves",
		"close sockets":       "the kernel has closed its ",
	} {
		t.Run(code, func(t *testing.T) {
			k := start(t, fakeProcess(t, "behaves"))
			within(t, time.Second, func() {
				got, _, err := output(t, k, code)
				var dead *Dead
				if !errors.As(err, &dead) || !strings.HasPrefix(err.Error(), want) {
					t.Errorf("%v\nwant %s", err, want)
				}
				if strings.HasPrefix(code, "die:") && got != "last output" {
					t.Errorf("output before the death: %q", got)
				}
			})
			if _, _, err := output(t, k, "print: x"); err == nil || !k.Dead() {
				t.Error("a dead kernel executes")
			}
		})
	}
}

func TestDeathBetweenCells(t *testing.T) {
	k := start(t, fakeProcess(t, "behaves"))
	pid, _, err := output(t, k, "leave a child")
	if err != nil {
		t.Fatal(err)
	}
	// The kernel is the one that has the child's process group.
	child, _ := strconv.Atoi(pid)
	group, err := syscall.Getpgid(child)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(group, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	within(t, time.Second, func() {
		var dead *Dead
		if _, _, err := output(t, k, "print: x"); !errors.As(err, &dead) || dead.Text != "the kernel has died (signal: killed)" {
			t.Errorf("%v", err)
		}
	})
}

func TestFaultsAtTheStart(t *testing.T) {
	for how, want := range map[string]string{
		"exits at once": "the kernel has died (exit status 3); its last words: nothing to do",
		"never binds":   "the kernel did not answer within 1s of its start; its last words: fake kernel: never binds",
		"is deaf":       "the kernel did not answer within 1s of its start; its last words: fake kernel: is deaf",
		"signs wrongly": "the kernel did not answer within 1s of its start; its last words: fake kernel: signs wrongly",
	} {
		t.Run(how, func(t *testing.T) {
			p := fakeProcess(t, how)
			p.Within = time.Second
			within(t, 4*time.Second, func() {
				if _, err := Start(t.Context(), link, p, nil); err == nil || err.Error() != want {
					t.Errorf("%v\nwant %s", err, want)
				}
			})
		})
	}
	t.Run("no such program", func(t *testing.T) {
		p := fakeProcess(t, "")
		p.Argv = []string{"/no/such/kernel"}
		if _, err := Start(t.Context(), link, p, nil); err == nil || !strings.HasPrefix(err.Error(), "the kernel can't be started: ") {
			t.Errorf("%v", err)
		}
	})
	t.Run("given up", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		within(t, 4*time.Second, func() {
			if _, err := Start(ctx, link, fakeProcess(t, "never binds"), nil); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
		})
	})
}

func TestHeartbeat(t *testing.T) {
	for _, how := range []string{"has no heartbeat", "stops its heartbeat"} {
		t.Run(how, func(t *testing.T) {
			p := fakeProcess(t, how)
			p.Beat = time.Second
			k := start(t, p)
			within(t, 5*time.Second, func() {
				var dead *Dead
				if _, _, err := output(t, k, "hang for good"); !errors.As(err, &dead) || dead.Text != "the kernel has not answered heartbeats for 1s" {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

// hang runs a cell that hangs, for a while.
func hang(t *testing.T, k *testKernel, code string) (Reply, error) {
	t.Helper()
	k.cells++
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	return k.Execute(ctx, code)
}

func TestAHangIsInterrupted(t *testing.T) {
	for _, signal := range []bool{false, true} {
		p := fakeProcess(t, "behaves")
		p.Signal = signal
		k := start(t, p)
		within(t, 2*time.Second, func() {
			if _, err := hang(t, k, "hang"); !errors.Is(err, context.DeadlineExceeded) || k.Dead() {
				t.Errorf("by signal %v: %v", signal, err)
			}
		})
		if got := k.stdout(k.cells); got != "interrupted" {
			t.Errorf("by signal %v: output after the interrupt: %q", signal, got)
		}
		if got, _, err := output(t, k, "print: goes on"); got != "goes on" || err != nil {
			t.Errorf("by signal %v: after the interrupt: %q, %v", signal, got, err)
		}
	}
}

func TestAHangThatIgnoresInterruptsIsKilled(t *testing.T) {
	for _, code := range []string{"hang for good", "never idle"} {
		k := start(t, fakeProcess(t, "ignores shutdown"))
		within(t, 5*time.Second, func() {
			var dead *Dead
			_, err := hang(t, k, code)
			if !errors.As(err, &dead) || dead.Text != "the kernel did not obey an interrupt within 2s, and was killed" {
				t.Errorf("%s: %v", code, err)
			}
		})
	}
}

func TestInputIsRefused(t *testing.T) {
	k := start(t, fakeProcess(t, "behaves"))
	within(t, 2*time.Second, func() {
		_, _, err := output(t, k, "input: Your name? ")
		if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), `prompt "Your name? "`) {
			t.Errorf("%v", err)
		}
	})
	if got, _, err := output(t, k, "print: goes on"); got != "goes on" || err != nil {
		t.Errorf("afterwards: %q, %v", got, err)
	}
}

func TestWhoTakesOutputMayFail(t *testing.T) {
	full := errors.New("the disk is full")
	k, err := Start(t.Context(), link, fakeProcess(t, "behaves"), func(Message) error { return full })
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	if _, err := k.Execute(t.Context(), "flood"); !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
}

func TestShutdown(t *testing.T) {
	for how, limit := range map[string]time.Duration{
		"behaves": time.Second, "ignores shutdown": 4 * time.Second, "closes its control socket": 4 * time.Second,
	} {
		t.Run(how, func(t *testing.T) {
			k := start(t, fakeProcess(t, how))
			if _, _, err := output(t, k, "leave a child"); err != nil {
				t.Fatal(err)
			}
			within(t, limit, func() {
				if err := k.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// When we are killed, the link's input ends, and when the link is killed, Linux
// kills the kernel.
func TestTheKernelDiesWithTheLink(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends a process with its parent")
	}
	p := fakeProcess(t, "behaves")
	kernel, err := Start(t.Context(), link, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	k := &testKernel{kernel, published{}, 0}
	if err := k.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	within(t, 2*time.Second, func() {
		if _, _, err := output(t, k, "print: x"); err == nil || !strings.HasPrefix(err.Error(), "the connection to the kernel has broken") {
			t.Errorf("%v", err)
		}
		_ = k.Close() // its input is gone, too
		mark := "NBRUN_TEST=" + process.Env(p.Env).Get("NBRUN_TEST")
		for len(processes(mark)) > 0 && t.Context().Err() == nil {
			time.Sleep(time.Millisecond)
		}
	})
	// A dead process can't remove the private folder.
	left, _ := filepath.Glob(process.Env(p.Env).Get("TMPDIR") + "/nbrun-kernel-*")
	for _, dir := range left {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", dir, info.Mode(), err)
		}
		os.RemoveAll(dir)
	}
}

func TestTheConnectionFileIsPrivate(t *testing.T) {
	p := fakeProcess(t, "behaves")
	start(t, p)
	files, _ := filepath.Glob(process.Env(p.Env).Get("TMPDIR") + "/nbrun-kernel-*/kernel-*.json")
	if len(files) != 1 {
		t.Fatalf("%v", files)
	}
	for path, mode := range map[string]os.FileMode{files[0]: 0o600, filepath.Dir(files[0]): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	var c map[string]any
	data, _ := os.ReadFile(files[0])
	if err := json.Unmarshal(data, &c); err != nil || c["transport"] != "ipc" || filepath.Dir(fmt.Sprint(c["ip"])) != filepath.Dir(files[0]) || c["signature_scheme"] != "hmac-sha256" || len(fmt.Sprint(c["key"])) != 32 {
		t.Errorf("%v, %v", c, err)
	}
}

// listening are the TCP ports that processes with the mark listen on.
func listening(t *testing.T, mark string) (ports []string) {
	t.Helper()
	sockets := map[string]string{} // their ports
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		data, _ := os.ReadFile(table)
		for line := range strings.Lines(string(data)) {
			if f := strings.Fields(line); len(f) > 9 && f[3] == "0A" {
				sockets["socket:["+f[9]+"]"] = f[1]
			}
		}
	}
	for _, pid := range processes(mark) {
		files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		for _, f := range files {
			if target, err := os.Readlink(f); err == nil && sockets[target] != "" {
				ports = append(ports, sockets[target])
			}
		}
	}
	return ports
}

func TestNoOtherUserCanReachTheKernel(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("no /proc")
	}
	for name, p := range map[string]Process{"ours": fakeProcess(t, "behaves"), "GoNB": gonb(t)} {
		t.Run(name, func(t *testing.T) {
			mark := "NBRUN_TEST=" + process.Env(p.Env).Get("NBRUN_TEST")
			k := start(t, p)
			if n := len(processes(mark)); n < 2 {
				t.Fatalf("%d processes have the mark", n)
			}
			if ports := listening(t, mark); len(ports) > 0 {
				t.Errorf("it listens on ports: %v", ports)
			}
			sockets, _ := filepath.Glob(process.Env(p.Env).Get("TMPDIR") + "/nbrun-kernel-*/s-?")
			if len(sockets) != 5 {
				t.Errorf("sockets: %v", sockets)
			}
			if _, _, err := output(t, k, "x"); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAKernelThatListensInNoFolderGetsPorts(t *testing.T) {
	p := fakeProcess(t, "knows no ipc")
	if _, err := Start(t.Context(), link, p, nil); err == nil {
		t.Error("our own got ports")
	}
	p = fakeProcess(t, "knows no ipc")
	p.Ports = true
	k := start(t, p)
	if _, _, err := output(t, k, "x"); err != nil {
		t.Error(err)
	}
}

// What processes started by cells keep open is not waited for.
func TestALinkWhosePipesAreHeldHoldsNobodyUp(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("no /proc")
	}
	defer func(was time.Duration) { grace = was }(grace)
	grace = time.Second
	k, err := Start(t.Context(), link, fakeProcess(t, "behaves"), func(Message) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("exec sleep 30 >/proc/%d/fd/1 2>/proc/%[1]d/fd/2", k.cmd.Process.Pid)
	holder := exec.Command("sh", "-c", script)
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = holder.Process.Kill(); _ = holder.Wait() }()
	time.Sleep(100 * time.Millisecond)
	within(t, grace+4*time.Second, func() { _ = k.Close() })
}

func TestAMessageThatIsTooLargeIsLeftOut(t *testing.T) {
	k := start(t, fakeProcess(t, "behaves"))
	large := fmt.Sprintf(`[{"type": "stream", "content": {"name": "stdout", "text": %q}}]`, strings.Repeat("x", 9<<20))
	if got, _, err := output(t, k, "publish: "+large); err != nil || got != "" {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if got := fmt.Sprint(k.published[1]); !strings.Contains(got, "1 stream") || len(got) > 1000 {
		t.Errorf("%.500s", got)
	}
	for _, m := range k.published[1] {
		if want := `{"name":"stderr","text":"[nbrun: a message (stream) of 9 MiB is not shown; the most is 8 MiB, and a million numbers]\n"}`; string(m.Content) != want {
			t.Errorf("%s", m.Content)
		}
	}
}

// gonb is GoNB's kernel, in a folder of the test's own.
func gonb(t *testing.T) Process {
	t.Helper()
	tools, err := BuildTools(t.Context(), func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	return tools.GoNB().Process(t.TempDir(), marked(t), tools)
}

func TestTheRealKernelIsKilledAHundredTimes(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	p := gonb(t)
	var slowest time.Duration
	for range 100 {
		var killed time.Time
		k, err := Start(t.Context(), link, p, func(m Message) error {
			var c struct{ Text string }
			if m.Type != "stream" || json.Unmarshal(m.Content, &c) != nil {
				return nil
			}
			pid, err := strconv.Atoi(strings.TrimSpace(c.Text))
			if err == nil {
				killed = time.Now()
				err = syscall.Kill(pid, syscall.SIGKILL)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = k.Execute(t.Context(), "!echo $PPID; sleep 600")
		took := time.Since(killed)
		slowest = max(slowest, took)
		var dead *Dead
		if !errors.As(err, &dead) || dead.Text != "the kernel has died (signal: killed)" {
			t.Fatalf("%v", err)
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Logf("the slowest of 100 reports came after %v", slowest)
	if slowest > time.Second {
		t.Errorf("the slowest report came after %v", slowest)
	}
}

func TestTheRealKernelIsInterrupted(t *testing.T) {
	k := start(t, gonb(t))
	within(t, 3*time.Second, func() {
		if _, err := hang(t, k, "!sleep 600"); !errors.Is(err, context.DeadlineExceeded) || k.Dead() {
			t.Errorf("%v", err)
		}
	})
	if got, _, err := output(t, k, "!echo goes on"); got != "goes on\n" || err != nil {
		t.Errorf("afterwards: %q, %v", got, err)
	}
}

func TestTheRealKernelFloods(t *testing.T) {
	k := start(t, gonb(t))
	got, _, err := output(t, k, "!seq 1 500000; echo end >&2")
	if err != nil || !strings.HasPrefix(got, "1\n2\n") || !strings.HasSuffix(got, "\n500000\n") || strings.Count(got, "\n") != 500_000 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestTwoBuildTheToolsOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOCACHE", strings.TrimSpace(string(out)))
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	testhome.Own(t)
	type result struct {
		tools *Tools
		err   error
		said  []string
	}
	results := make(chan result, 2)
	for range 2 {
		go func() {
			var r result
			r.tools, r.err = BuildTools(t.Context(), func(text string) { r.said = append(r.said, text) })
			results <- r
		}()
	}
	a, b := <-results, <-results
	if a.err != nil || b.err != nil || *a.tools != *b.tools || !a.tools.Complete() {
		t.Fatalf("%+v, %+v", a, b)
	}
	if said := fmt.Sprint(a.said, b.said); !strings.Contains(said, "building the kernel") || !strings.Contains(said, "waiting for another run that builds the kernel") {
		t.Errorf("progress: %s", said)
	}
}

// Changed tools are built again, and those in a cache that others can fill are not
// used.
func TestToolsAreBelievedAsTheyWereBuiltOnly(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOCACHE", strings.TrimSpace(string(out)))
	cacheHome := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cacheHome)
	testhome.Own(t)
	quiet := func(string) {}
	tools, err := BuildTools(t.Context(), quiet)
	if err != nil || !tools.Complete() {
		t.Fatal(tools, err)
	}
	paths := tools.paths()
	if err := errors.Join(os.Truncate(paths[0], 1000), os.Remove(paths[1]), os.Symlink("/bin/true", paths[1])); err != nil {
		t.Fatal(err)
	}
	link, err := os.ReadFile(tools.Link)
	if err != nil {
		t.Fatal(err)
	}
	patched := bytes.Replace(link, []byte("address already in use"), []byte("Address already in use"), 1)
	info, _ := os.Stat(tools.Link)
	if err := errors.Join(os.WriteFile(tools.Link, patched, 0o700), os.Chtimes(tools.Link, info.ModTime(), info.ModTime()), os.Chmod(tools.Dir, 0o777)); err != nil {
		t.Fatal(err)
	}
	if tools.Complete() {
		t.Error("changed tools are taken for complete")
	}
	if again, err := BuildTools(t.Context(), quiet); err != nil || !again.Complete() {
		t.Fatal(again, err)
	}
	if now, err := os.ReadFile(tools.Link); err != nil || !bytes.Equal(now, link) || bytes.Equal(now, patched) {
		t.Errorf("the link was not built again: %v", err)
	}
	if err := os.Chmod(filepath.Dir(tools.Dir), 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := BuildTools(t.Context(), quiet); err == nil || !strings.Contains(err.Error(), "can be written by others") {
		t.Error(err)
	}
}

func TestFindSpec(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("JUPYTER_PATH", dir)
	write := func(name, text string) {
		path := filepath.Join(dir, "kernels", name)
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(path, "kernel.json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("mine", `{"argv": ["{resource_dir}/run", "{connection_file}"], "language": "go", "env": {"A": "${B}/c", "PATH": "/mine"}, "interrupt_mode": "message"}`)
	write("empty", `{"argv": []}`)
	write("broken", `{`)
	s, err := FindSpec("Mine") // Jupyter does not tell cases apart
	if err != nil {
		t.Fatal(err)
	}
	p := s.Process("/dir", []string{"B=x", "B=b", "PATH=/bin"}, &Tools{Dir: "/tools"})
	if fmt.Sprint(p.Argv) != "["+dir+"/kernels/mine/run {connection_file}]" || p.Signal || p.Dir != "/dir" {
		t.Errorf("%+v", p)
	}
	if !slices.Contains(p.Env, "A=b/c") || p.Env[len(p.Env)-1] != "PATH=/mine:/tools" {
		t.Errorf("%v", p.Env)
	}
	for name, want := range map[string]string{
		"empty":  "kernels/empty/kernel.json: has no argv",
		"broken": "kernels/broken/kernel.json: unexpected end of JSON input",
		"none":   `there is no kernel "none"; there are: `,
	} {
		if _, err := FindSpec(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
