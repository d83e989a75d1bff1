//go:build unix

package process

import (
	"os/exec"
	"syscall"
)

// OwnGroup makes the process lead a group, so that the runner handles Ctrl-C in a
// terminal, and Kill also ends what the process has started.
func OwnGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// Kill kills the process and its group.
func Kill(cmd *exec.Cmd) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
