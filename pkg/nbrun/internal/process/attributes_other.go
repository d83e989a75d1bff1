//go:build unix && !linux

package process

import "syscall"

// attributes make a process lead a group of its own.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
