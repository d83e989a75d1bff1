//go:build !unix

package jetstream

import (
	"fmt"
	"os"
	"path/filepath"
)

// lock keeps other processes out of a folder until unlock is called. Where files can't
// be locked, an open file can't be removed, and so shows that its process lives.
func lock(dir string) (unlock func(), err error) {
	name := filepath.Join(dir, "lock")
	if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("%s: %w", dir, errLocked)
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	return func() { _ = file.Close() }, nil
}
