//go:build unix

package regular

import "syscall"

// withoutWaiting has opening a named pipe fail, or succeed, at once. A regular file is
// as it would be without.
const withoutWaiting = syscall.O_NONBLOCK
