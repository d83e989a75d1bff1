package lab

import (
	"os/exec"
	"syscall"
)

// There is no kernel on Windows, so nothing is ever started there.

func attributes() *syscall.SysProcAttr { return nil }

func terminate(*exec.Cmd) {}

func kill(*exec.Cmd) {}
