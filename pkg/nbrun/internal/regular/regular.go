// Package regular opens regular files only, and never waits: anybody may put a named
// pipe, which waits for somebody at its other end when it is opened, in place of a
// file, or a link to one.
package regular

import (
	"io"
	"io/fs"
	"os"
)

// NotRegular is the error for something that is not a regular file.
type NotRegular struct{ Kind string }

func (e *NotRegular) Error() string { return "is a " + e.Kind + ", not a file" }

// OpenFile is os.OpenFile for regular files.
func OpenFile(path string, flag int, perm fs.FileMode) (*os.File, error) {
	info, err := os.Stat(path)
	if err == nil {
		err = check(path, info)
	}
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	f, err := os.OpenFile(path, flag|withoutWaiting, perm)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err == nil {
		err = check(path, info)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func check(path string, info fs.FileInfo) error {
	if kind := kindOf(info.Mode()); kind != "" {
		return &fs.PathError{Op: "open", Path: path, Err: &NotRegular{kind}}
	}
	return nil
}

// kindOf says what a file is if it is not a regular one, and "" if it is.
func kindOf(m fs.FileMode) string {
	switch {
	case m.IsRegular():
		return ""
	case m.IsDir():
		return "folder"
	case m&fs.ModeNamedPipe != 0:
		return "named pipe"
	case m&fs.ModeSocket != 0:
		return "socket"
	case m&fs.ModeDevice != 0:
		return "device"
	}
	return "special file"
}

// ReadFile is os.ReadFile for regular files.
func ReadFile(path string) ([]byte, error) {
	f, err := OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}
