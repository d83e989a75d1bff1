//go:build unix && !linux

package main

import "syscall"

// attributes make the kernel lead a process group.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
