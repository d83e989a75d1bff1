//go:build unix

package cache

import (
	"os"
	"syscall"
)

// strange returns the reason why a folder can't be trusted, "" if it can.
func strange(info os.FileInfo) string {
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok || int(stat.Uid) != os.Geteuid():
		return "belongs to somebody else"
	case info.Mode().Perm()&0o022 != 0:
		return "can be written by others"
	}
	return ""
}
