//go:build unix

package jupyter

import (
	"os/exec"
	"syscall"
)

// ownGroup makes the process lead a group, so that Ctrl-C in a terminal is for
// nbrun to handle.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// kill kills the process and its group.
func kill(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
