package lab

import "syscall"

// attributes make JupyterLab lead a group of its own, so that Ctrl-C is for us to
// handle, and have Linux end it when we are killed.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
