//go:build !linux

package process

// CanWatchMemory reports whether [Traces.Memory] works: not here.
const CanWatchMemory = false

// Memory can't see the memory of other processes here.
func (t *Traces) Memory() (held int64, pids []int) { return 0, nil }

// KillAll has nothing to kill here.
func KillAll([]int) {}
