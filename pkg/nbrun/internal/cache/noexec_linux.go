package cache

import "golang.org/x/sys/unix"

// noExec reports whether programs can't be started from a folder.
func noExec(dir string) bool {
	var fs unix.Statfs_t
	return unix.Statfs(dir, &fs) == nil && fs.Flags&unix.ST_NOEXEC != 0
}
