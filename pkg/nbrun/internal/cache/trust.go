package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrStrange is wrapped by the error for a cache that somebody else could have
// filled, or from which no program can be started.
var ErrStrange = errors.New("it can't be trusted")

// Trusted makes the folder of the whole cache, if it is not there yet. It fails if that
// belongs to somebody else, if others can write to it, as what is there is run, or if
// nothing can be run from it.
func Trusted() error {
	dir, err := root()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return fmt.Errorf("the cache %s can't be made (%w): set XDG_CACHE_HOME to a folder of your own", dir, err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if wrong := strange(info); wrong != "" {
		return &strangeError{fmt.Sprintf("the cache %s %s, and what lies there is run: remove it, or set XDG_CACHE_HOME to a folder of your own", dir, wrong)}
	}
	if noExec(dir) {
		return &strangeError{fmt.Sprintf("no program can be started from the cache %s (noexec): set XDG_CACHE_HOME to a folder elsewhere", dir)}
	}
	return nil
}

type strangeError struct{ text string }

func (e *strangeError) Error() string { return e.text }
func (e *strangeError) Unwrap() error { return ErrStrange }

// Folder makes a folder in the cache, if it is not there yet. What is there in its
// place, or can't be trusted, is removed. Its parent must be a Folder, or the folder of
// the whole cache.
func Folder(dir string) error {
	info, err := os.Lstat(dir)
	if err == nil && info.IsDir() && info.Mode().Perm()&0o700 == 0o700 && strange(info) == "" {
		return nil
	}
	if err == nil {
		if err := Remove(dir); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// Remove removes what is there, including folders without permission to do so.
func Remove(path string) error {
	err := os.RemoveAll(path)
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	_ = filepath.WalkDir(path, func(path string, d fs.DirEntry, _ error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(path, 0o700) // before the folder is read
		}
		return nil
	})
	return os.RemoveAll(path)
}

// Has reports whether there is a file with that text, and not a link to one.
func Has(path, text string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() != int64(len(text)) {
		return false
	}
	data, err := os.ReadFile(path)
	return err == nil && string(data) == text
}

// WriteFile writes a file, unless there is one with that text. Other processes may
// write the same text at the same time. Anything else in its place is removed.
func WriteFile(path, text string) error {
	if Has(path, text) {
		return nil // as the same time stamp spares the go command some work
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "tmp")
	if err != nil {
		return err
	}
	_, err = tmp.WriteString(text)
	if err = errors.Join(err, tmp.Close()); err == nil {
		if err = os.Rename(tmp.Name(), path); err != nil { // a folder is there
			err = Remove(path)
			if err == nil {
				err = os.Rename(tmp.Name(), path)
			}
		}
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
	}
	return err
}
