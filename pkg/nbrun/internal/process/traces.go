package process

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gofrs/flock"
)

// Traces are what a run leaves on the machine while it lasts: processes, which are
// recognised by an environment variable, and a folder of temporary files. It removes
// them at the end; if it is killed before, the next run does.
type Traces struct {
	Dir  string // for temporary files of the run
	mark string
	lock *flock.Flock

	clear sync.Once
	ended int // processes
	err   error
}

const (
	markName   = "NBRUN_SESSION"
	tracesName = "nbrun-run-"
	aliveName  = "alive" // the file that a run locks while it lasts
)

// open is the number of runs in this process.
var open atomic.Int32

var clearOnce sync.Once

// NewTraces begins a run. The first one of a process clears away what killed runs have
// left.
func NewTraces() (*Traces, error) {
	clearOnce.Do(clearDead)
	for {
		id := make([]byte, 8)
		_, _ = rand.Read(id) // never fails
		t := &Traces{mark: hex.EncodeToString(id)}
		t.Dir = filepath.Join(os.TempDir(), tracesName+t.mark)
		if err := os.Mkdir(t.Dir, 0o700); err != nil {
			var pe *fs.PathError
			if errors.As(err, &pe) {
				err = pe.Err
			}
			return nil, fmt.Errorf("the folder for temporary files, %s, can't be written (%w): set TMPDIR to another one", os.TempDir(), err)
		}
		t.lock = flock.New(filepath.Join(t.Dir, aliveName))
		ok, err := t.lock.TryLock() // where there are no locks, nobody clears away
		if _, gone := os.Stat(t.Dir); gone != nil || err == nil && !ok {
			continue // somebody who clears away took it for that of a dead run
		}
		open.Add(1)
		return t, nil
	}
}

// On returns the environment with the mark of the run.
func (t *Traces) On(env Env) Env { return env.With(markName, t.mark) }

// Clear kills what the run has left running, removes its folder, and returns how many
// processes there were. The last run in this process also ends adopted processes. A
// second call waits for the first, and returns the same.
func (t *Traces) Clear() (killed int, err error) {
	t.clear.Do(func() {
		t.ended = killLeft(markName+"="+t.mark, open.Add(-1) == 0)
		t.err = t.remove()
	})
	return t.ended, t.err
}

// remove removes the folder, everything else before the lock: if it is killed
// meanwhile, what is left can still be cleared away.
func (t *Traces) remove() error {
	entries, err := os.ReadDir(t.Dir)
	for _, e := range entries {
		if e.Name() != aliveName {
			err = errors.Join(err, os.RemoveAll(filepath.Join(t.Dir, e.Name())))
		}
	}
	if filepath.Separator == '\\' {
		_ = t.lock.Unlock() // a file that is open can't be removed there
	}
	_ = os.Remove(t.lock.Path())
	_ = os.Remove(t.Dir) // not if somebody has just made one of that name
	return errors.Join(err, t.lock.Unlock())
}

// clearDead clears away the traces of killed runs: their lock is free.
func clearDead() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), tracesName+"*"))
	for _, dir := range dirs {
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() || !own(info) {
			continue
		}
		lock := flock.New(filepath.Join(dir, aliveName), flock.SetFlag(os.O_RDWR))
		switch ok, err := lock.TryLock(); {
		case errors.Is(err, os.ErrNotExist):
			_ = os.Remove(dir) // nothing else is in it; a run about to lock it sees that it is gone
		case err == nil && ok:
			t := &Traces{Dir: dir, mark: strings.TrimPrefix(filepath.Base(dir), tracesName), lock: lock}
			killLeft(markName+"="+t.mark, false)
			_ = t.remove() // or the next time
		}
	}
}
