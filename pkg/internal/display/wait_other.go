//go:build !unix

package display

import (
	"os"
	"syscall"
)

func openBack(env string) (*os.File, error) { return open(env, syscall.O_RDONLY) }

func read(f *os.File, p []byte) (int, error) { return f.Read(p) }

func write(f *os.File, p []byte) (int, error) { return f.Write(p) }
