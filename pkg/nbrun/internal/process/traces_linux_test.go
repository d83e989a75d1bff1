package process

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// startRunner starts a runner, and returns what it says.
func startRunner(t *testing.T, script string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), runnerEnv+"="+script)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd, bufio.NewScanner(out)
}

func line(t *testing.T, out *bufio.Scanner) string {
	t.Helper()
	if !out.Scan() {
		t.Fatal("it says nothing: ", out.Err())
	}
	return out.Text()
}

// pids waits for a file with the IDs of n processes.
func pids(t *testing.T, file string, n int) []int {
	t.Helper()
	var list []int
	until(t, "the processes have not started", func() bool {
		list = nil
		data, _ := os.ReadFile(file)
		for word := range strings.FieldsSeq(string(data)) {
			var pid int
			_, _ = fmt.Sscan(word, &pid)
			list = append(list, pid)
		}
		return len(list) == n && strings.HasSuffix(string(data), "\n")
	})
	return list
}

func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for start := time.Now(); !is(); time.Sleep(time.Millisecond) {
		if time.Since(start) > 20*time.Second {
			t.Fatal(what)
		}
	}
}

// A process with an empty environment and a session of its own is found as an orphan.
func TestWhatHasThrownOffItsEnvironmentIsEnded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pids")
	_, out := startRunner(t, ">"+file+"; for i in 1 2 3; do (env -i setsid sh -c 'echo $$ >>"+file+"; exec sleep 1000' >/dev/null 2>&1 &) ; done; while [ $(wc -l <"+file+") -lt 3 ]; do sleep 0.01; done")
	dir := line(t, out)
	left := pids(t, file, 3)
	if got := line(t, out); got != "3 <nil>" {
		t.Errorf("ended: %s", got)
	}
	for _, pid := range left {
		if alive(pid) {
			t.Errorf("%d still runs", pid)
		}
	}
	if _, err := os.Stat(dir); err == nil {
		t.Errorf("%s is still there", dir)
	}
}

// A killed runner takes its program along. What the program has started, and its files,
// are cleared away by the next run; those of a run in progress are not.
func TestTheNextRunClearsUpAfterOneThatWasKilled(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Cleanup(clearDead) // when both are killed
	folder := t.TempDir()
	killed, going := filepath.Join(folder, "killed"), filepath.Join(folder, "going")
	script := "setsid sleep 1000 & echo $$ $! >%s; read x; sleep 1000 <&1"
	cmd, out := startRunner(t, fmt.Sprintf(script, killed))
	_, out2 := startRunner(t, fmt.Sprintf(script, going))
	dead, other := line(t, out), line(t, out2)
	program := pids(t, killed, 2)
	others := pids(t, going, 2)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	until(t, "the program has outlived its runner", func() bool { return !alive(program[0]) })
	if !alive(program[1]) {
		t.Error("there is nothing left to be cleared away")
	}
	foreign := filepath.Join(os.TempDir(), tracesName+"foreign")
	if err := os.WriteFile(foreign, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	clearDead()
	if alive(program[1]) {
		t.Error("what the program had started still runs")
	}
	if _, err := os.Stat(dead); err == nil {
		t.Errorf("%s is still there", dead)
	}
	if _, err := os.Stat(other); err != nil || !alive(others[0]) || !alive(others[1]) {
		t.Errorf("a run that goes on was taken for dead: %v", err)
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Error("what is not a run's was removed")
	}
}
