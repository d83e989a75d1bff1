package process

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// killMarked kills all processes that have the mark, NAME=VALUE, in their
// environment, and returns how many there were. They are what cells have left
// running.
//
// It looks again until it has found nothing new twice in a row: a process may
// have started another while it looked. One that is just replacing its program
// shows no environment until it has the new one; it is waited for, and so is the
// end of those that were killed, a second at most.
func killMarked(mark string) int {
	killed := map[int]bool{}
	deadline := time.Now().Add(time.Second)
	for quiet := 0; quiet < 2; {
		quiet++
		dirs, _ := filepath.Glob("/proc/[0-9]*")
		for _, dir := range dirs {
			pid, err := strconv.Atoi(filepath.Base(dir))
			if err != nil || pid == os.Getpid() || killed[pid] {
				continue
			}
			env, err := os.ReadFile(filepath.Join(dir, "environ"))
			switch {
			case err != nil:
			case bytes.Contains(append([]byte{0}, env...), append([]byte{0}, mark+"\x00"...)):
				if syscall.Kill(pid, syscall.SIGKILL) == nil {
					killed[pid] = true
					quiet = 0
				}
			case len(env) == 0 && inExec(dir) && time.Now().Before(deadline):
				quiet = 0
				time.Sleep(time.Millisecond)
			}
		}
	}
	for pid := range killed {
		for alive(pid) && time.Now().Before(deadline) {
			time.Sleep(time.Millisecond)
		}
	}
	return len(killed)
}

// alive reports whether a process still runs: one that has been killed goes on
// until the system has come to it, and then has no command line any more.
func alive(pid int) bool {
	cmdline, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	return err == nil && len(cmdline) > 0
}

// inExec reports whether a process without an environment is in the middle of
// execve(2): it has memory, unlike a zombie or a thread of the kernel, but not
// even the name of its program yet.
func inExec(dir string) bool {
	cmdline, err := os.ReadFile(filepath.Join(dir, "cmdline"))
	if err != nil || len(cmdline) > 0 {
		return false
	}
	statm, err := os.ReadFile(filepath.Join(dir, "statm"))
	return err == nil && !bytes.HasPrefix(statm, []byte("0 "))
}
