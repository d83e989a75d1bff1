//go:build unix

package regular

import "syscall"

// withoutWaiting makes opening a named pipe fail, or succeed, at once. Regular files
// are opened as usual.
const withoutWaiting = syscall.O_NONBLOCK
