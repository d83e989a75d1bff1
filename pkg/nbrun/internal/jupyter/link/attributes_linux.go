package main

import "syscall"

// attributes make the kernel lead a process group, and end when the link does,
// however that ends.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
