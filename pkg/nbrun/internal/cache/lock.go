package cache

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/gofrs/flock"
)

// lockName is the file by which users of a folder keep out of each other's way.
func lockName(dir string) string { return dir + ".lock" }

// TryLock locks a folder, which need not exist, for this process and against others in
// it. It fails when somebody else has locked it, or when it can't be locked.
func TryLock(dir string) (unlock func(), ok bool) {
	for {
		lock := flock.New(lockName(dir))
		if ok, err := lock.TryLock(); err != nil || !ok {
			return nil, false
		}
		// Removing a folder removes its lock, which somebody may have opened before.
		held, err := lock.Stat()
		if named, err2 := os.Lstat(lockName(dir)); err == nil && err2 == nil && os.SameFile(held, named) {
			return func() { _ = lock.Unlock() }, true
		}
		_ = lock.Unlock()
	}
}

// Lock locks a folder. It calls waiting once if somebody else has locked it.
func Lock(ctx context.Context, dir string, waiting func()) (unlock func(), err error) {
	if unlock, ok := TryLock(dir); ok {
		return unlock, nil
	}
	waiting()
	for {
		select {
		case <-ctx.Done():
			return nil, errors.Join(errors.New("another run has locked "+dir), ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
		if unlock, ok := TryLock(dir); ok {
			return unlock, nil
		}
	}
}
