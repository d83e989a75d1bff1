package capture

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// KillMarked kills all processes that have the mark, NAME=VALUE, in their
// environment, and returns how many there were. They are what cells have left
// running.
func KillMarked(mark string) int {
	n := 0
	for range 10 { // a process that is killed may have started another just before
		found := 0
		dirs, _ := filepath.Glob("/proc/[0-9]*")
		for _, dir := range dirs {
			pid, err := strconv.Atoi(filepath.Base(dir))
			if err != nil || pid == os.Getpid() {
				continue
			}
			env, err := os.ReadFile(filepath.Join(dir, "environ"))
			if err != nil || !bytes.Contains(append([]byte{0}, env...), append([]byte{0}, mark+"\x00"...)) {
				continue
			}
			if syscall.Kill(pid, syscall.SIGKILL) == nil {
				found++
			}
		}
		if found == 0 {
			break
		}
		n = max(n, found)
	}
	return n
}
