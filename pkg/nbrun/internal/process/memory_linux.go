package process

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
)

// CanWatchMemory reports whether [Traces.Memory] works here.
const CanWatchMemory = true

// ofRunner matches the kernel, the go command and their compilers, which are not a
// cell's.
var ofRunner = regexp.MustCompile(`/(go|gonb|goimports|gopls|link|cc1(?:plus)?|pkg/tool/[^/]+/[^/]+)( \(deleted\))?$`)

// Memory is how many bytes of memory the programs of the run's cells hold, by the names
// of those processes: memory of their own, and memory that they share with each other,
// but not what is mapped from files. It does not see processes that are not descendants
// of this one.
func (t *Traces) Memory() (held int64, pids []int) {
	mark := []byte(markName + "=" + t.mark + "\x00")
	for _, pid := range below(os.Getpid()) {
		dir := filepath.Join("/proc", strconv.Itoa(pid))
		env, err := os.ReadFile(filepath.Join(dir, "environ"))
		if err != nil || !bytes.Contains(append([]byte{0}, env...), append([]byte{0}, mark...)) {
			continue
		}
		if exe, err := os.Readlink(filepath.Join(dir, "exe")); err != nil || ofRunner.MatchString(exe) {
			continue
		}
		held += memoryOf(dir)
		pids = append(pids, pid)
	}
	return held, pids
}

// below returns the descendants of a process.
func below(pid int) []int {
	var found []int
	for child := range childrenOf(strconv.Itoa(pid)) {
		found = append(append(found, child), below(child)...)
	}
	return found
}

var inMemory = regexp.MustCompile(`(?m)^(?:RssAnon|RssShmem|VmSwap):\s+(\d+) kB$`)

// memoryOf is how many bytes a process holds.
func memoryOf(dir string) (held int64) {
	status, _ := os.ReadFile(filepath.Join(dir, "status"))
	for _, m := range inMemory.FindAllSubmatch(status, -1) {
		kB, _ := strconv.ParseInt(string(m[1]), 10, 64)
		held += kB << 10
	}
	return held
}

// KillAll kills processes.
func KillAll(pids []int) {
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}
