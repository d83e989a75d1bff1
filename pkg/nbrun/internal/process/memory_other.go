//go:build !linux

package process

// CanWatchMemory says that [Traces.Memory] knows nothing here.
const CanWatchMemory = false

// Memory knows nothing of the memory of other processes.
func (t *Traces) Memory() (held int64, pids []int) { return 0, nil }

// KillAll has nothing to kill.
func KillAll([]int) {}
