//go:build unix

package process

import (
	"os/exec"
	"syscall"
)

// OwnGroup makes the process lead a group, so that Ctrl-C in a terminal is for the
// runner to handle, and that Kill ends what it has started, too.
func OwnGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// Kill kills the process and its group.
func Kill(cmd *exec.Cmd) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
