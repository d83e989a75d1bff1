package regular

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// WriteFile writes a file, all of it or nothing: an existing file stays as it was until
// the new one is complete. An existing link is replaced; its target stays as it is.
// What killed writers have left is removed.
func WriteFile(path string, write func(io.Writer) error) error {
	mode := os.FileMode(0o644)
	switch info, err := os.Lstat(path); {
	case err != nil, info.Mode().Type() == os.ModeSymlink:
	case !info.Mode().IsRegular():
		return errors.New("exists and is not a file")
	default:
		mode = info.Mode().Perm()
		if old, err := OpenFile(path, os.O_WRONLY, 0); err != nil {
			return err // a file that is read-only is so on purpose
		} else if err := old.Close(); err != nil {
			return err
		}
	}
	tmp, unlock, err := temporary(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer unlock()
	err = errors.Join(write(tmp), tmp.Chmod(mode), tmp.Close())
	if filepath.Separator == '\\' {
		unlock() // a file that is open can't be renamed there
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}

// tmpName is the name of a file that is to replace another, * a number.
const tmpName = ".nbrun-*.tmp"

// temporary makes a file that is to replace one in that folder. It is locked while it
// is written, so that if its writer is killed, others see that nobody will complete it.
func temporary(dir string) (tmp *os.File, unlock func(), err error) {
	clearTemporary(dir)
	for {
		tmp, err := os.CreateTemp(dir, tmpName)
		if err != nil {
			return nil, nil, err
		}
		lock := flock.New(tmp.Name(), flock.SetFlag(os.O_RDWR))
		ok, err := lock.TryLock() // where there are no locks, nobody clears away
		if _, gone := os.Lstat(tmp.Name()); gone == nil && (ok || err != nil) {
			return tmp, func() { _ = lock.Unlock() }, nil
		}
		_ = errors.Join(lock.Unlock(), tmp.Close(), os.Remove(tmp.Name())) // somebody took it for one of the dead
	}
}

// clearTemporary removes what killed writers have left in a folder.
func clearTemporary(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if ours, _ := filepath.Match(tmpName, e.Name()); !ours || !e.Type().IsRegular() {
			continue
		}
		path := filepath.Join(dir, e.Name())
		lock := flock.New(path, flock.SetFlag(os.O_RDWR))
		if ok, err := lock.TryLock(); err == nil && ok {
			if filepath.Separator == '\\' {
				_ = lock.Unlock() // a file that is open can't be removed there
			}
			_ = os.Remove(path) // or the next time
		}
		_ = lock.Unlock()
	}
}
