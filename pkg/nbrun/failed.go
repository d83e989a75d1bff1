package nbrun

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cache"
)

// FailedLast reports whether the last call of [SetFailed] for a notebook's file said
// that it had failed.
func FailedLast(path string) bool {
	note, _, err := failedNote(path)
	if err != nil {
		return false
	}
	_, err = os.Lstat(note)
	return err == nil
}

// SetFailed notes in the user's cache whether the notebook in a file has failed. It
// fails where there is no cache.
func SetFailed(path string, failed bool) error {
	note, notebook, err := failedNote(path)
	if err != nil {
		return err
	}
	if !failed {
		if err := os.Remove(note); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	dir := filepath.Dir(note)
	if err := errors.Join(cache.Trusted(), cache.Folder(dir)); err != nil {
		return err
	}
	forgetGone(dir)
	return cache.WriteFile(note, notebook)
}

// failedNote returns the file that says that a notebook has failed, and its contents:
// the notebook's absolute path.
func failedNote(path string) (note, notebook string, err error) {
	if notebook, err = filepath.Abs(path); err != nil {
		return "", "", err
	}
	dir, err := cache.Dir(cache.Failed, "")
	return filepath.Join(dir, cache.ID(notebook)), notebook, err
}

// forgetGone removes the notes about notebooks that are no longer there.
func forgetGone(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		note := filepath.Join(dir, e.Name())
		if notebook, err := os.ReadFile(note); err == nil {
			if _, err := os.Stat(string(notebook)); errors.Is(err, fs.ErrNotExist) {
				_ = os.Remove(note)
			}
		}
	}
}
