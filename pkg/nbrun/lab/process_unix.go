//go:build unix

package lab

import (
	"os/exec"
	"syscall"
)

// terminate asks JupyterLab to end: it shuts its kernels down first.
func terminate(cmd *exec.Cmd) { _ = cmd.Process.Signal(syscall.SIGTERM) }

// kill kills it, and its group.
func kill(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
