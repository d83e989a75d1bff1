//go:build unix

package process

import (
	"os"
	"syscall"
)

// own reports whether a file is the user's.
func own(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}
