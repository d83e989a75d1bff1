//go:build !unix

package process

import "os/exec"

// OwnGroup does nothing: there are no groups.
func OwnGroup(*exec.Cmd) {}

// Kill kills the process.
func Kill(cmd *exec.Cmd) error { return cmd.Process.Kill() }
