//go:build unix && !linux

package lab

import "syscall"

// attributes make JupyterLab lead a group of its own, so that Ctrl-C is for us to
// handle.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
