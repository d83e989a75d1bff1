package process

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// attributes make a process lead a group of its own, and end when the thread that has
// started it does.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// adopted are the children that this process had when it became the parent of what its
// children leave behind; nil if it has not.
var adopted atomic.Pointer[map[int]bool]

// Adopt makes this process the parent of what its children leave behind, so that
// [Traces.Clear] finds it even if it has cleared its environment. It is for a program
// that has no children of its own, as all that are left are ended.
func Adopt() {
	if unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != nil {
		return
	}
	before := children()
	adopted.Store(&before)
}

func processes() []int {
	var pids []int
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		if pid, err := strconv.Atoi(filepath.Base(dir)); err == nil && pid != os.Getpid() {
			pids = append(pids, pid)
		}
	}
	return pids
}

// children are the children of this process.
func children() map[int]bool { return childrenOf(strconv.Itoa(os.Getpid())) }

// childrenOf are the children of a process.
func childrenOf(parentID string) map[int]bool {
	found := map[int]bool{}
	lists, _ := filepath.Glob("/proc/" + parentID + "/task/*/children")
	if len(lists) == 0 { // it has ended, or a kernel without such lists: all processes are looked at
		for _, pid := range processes() {
			if strconv.Itoa(parent(pid)) == parentID {
				found[pid] = true
			}
		}
	}
	for _, list := range lists {
		pids, _ := os.ReadFile(list)
		for pid := range bytes.FieldsSeq(pids) {
			if n, err := strconv.Atoi(string(pid)); err == nil {
				found[n] = true
			}
		}
	}
	return found
}

// Fields of proc_pid_stat(5), counted from the one after the name.
const (
	stateField   = 0
	parentField  = 1
	threadsField = 17
)

// stat are the fields of what the system says of a process; none if it is gone.
func stat(pid int) []string {
	line, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return strings.Fields(string(line[bytes.LastIndexByte(line, ')')+1:]))
}

// parent is the parent of a process, 0 if it has none.
func parent(pid int) int {
	f := stat(pid)
	if len(f) <= parentField {
		return 0
	}
	ppid, _ := strconv.Atoi(f[parentField])
	return ppid
}

// goTelemetry is in the environment of what the go command leaves running on its own.
var goTelemetry = []byte("GO_TELEMETRY_CHILD=")

// killLeft kills all processes that have the mark, NAME=VALUE, in their environment,
// and if orphans is set, those that this process has adopted. It returns how many of
// them cells have left running.
//
// It looks until it has found nothing new twice in a row: a process may have started
// another while it looked. A process that is just replacing its program shows no
// environment until it has the new one; killLeft waits for it, and for the end of those
// killed, for at most a second.
func killLeft(mark string, orphans bool) int {
	before := adopted.Load()
	orphansNow := func() map[int]bool {
		if !orphans || before == nil {
			return nil
		}
		now := children()
		maps.DeleteFunc(now, func(pid int, _ bool) bool { return (*before)[pid] })
		return now
	}
	killed, telemetry := map[int]bool{}, 0
	deadline := time.Now().Add(time.Second)
	for quiet := 0; quiet < 2; {
		quiet++
		orphan := orphansNow()
		for _, pid := range processes() {
			if killed[pid] {
				continue
			}
			dir := filepath.Join("/proc", strconv.Itoa(pid))
			env, err := os.ReadFile(filepath.Join(dir, "environ"))
			switch {
			case err == nil && bytes.Contains(append([]byte{0}, env...), append([]byte{0}, mark+"\x00"...)), orphan[pid] && alive(pid):
				if syscall.Kill(pid, syscall.SIGKILL) == nil {
					killed[pid] = true
					quiet = 0
					if bytes.Contains(env, goTelemetry) {
						telemetry++
					}
				}
			case err == nil && len(env) == 0 && inExec(dir) && time.Now().Before(deadline):
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
	for pid := range orphansNow() { // those that have ended
		_, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil)
	}
	return len(killed) - telemetry
}

// alive reports whether a process, or a thread of it, still runs. A killed one keeps
// running until the system gets to it, and is then a zombie until it is waited for.
func alive(pid int) bool {
	f := stat(pid)
	return len(f) > threadsField && (f[stateField] != "Z" && f[stateField] != "X" || f[threadsField] > "1")
}

// inExec reports whether a process without an environment is in the middle of
// execve(2): it has memory, unlike a zombie or a kernel thread, but not even its
// program's name yet.
func inExec(dir string) bool {
	cmdline, err := os.ReadFile(filepath.Join(dir, "cmdline"))
	if err != nil || len(cmdline) > 0 {
		return false
	}
	statm, err := os.ReadFile(filepath.Join(dir, "statm"))
	return err == nil && !bytes.HasPrefix(statm, []byte("0 "))
}
