package cache

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Limit is how many bytes of what is built for notebooks stay in the cache. A small
// notebook takes about 10 MB, one that draws plots 40 MB: the limit holds those of a
// course or of a repository, and is less than a hundredth of most disks.
const Limit = 1 << 30

// inUse is how long a folder whose use is not locked is considered in use.
const inUse = 24 * time.Hour

// notebookName is the file, in the folder of a notebook's programs, that holds the path
// of the notebook.
const notebookName = "notebook"

// SetNotebook notes in a folder which notebook it is for, if that file exists.
func SetNotebook(dir, path string) error {
	if _, err := os.Stat(path); err != nil {
		return Remove(filepath.Join(dir, notebookName))
	}
	return WriteFile(filepath.Join(dir, notebookName), path)
}

// IsNotebook reports whether a name is that of the file that SetNotebook writes.
func IsNotebook(name string) bool { return name == notebookName }

// notebookGone reports whether the notebook of a folder no longer exists.
func notebookGone(dir string) bool {
	path, err := os.ReadFile(filepath.Join(dir, notebookName))
	if err != nil {
		return false // it never was, or this is not for a notebook
	}
	_, err = os.Stat(string(path))
	return os.IsNotExist(err)
}

// MakeRoom removes what was built for notebooks that no longer exist, and then, while
// everything built takes more than Limit, what has not been used for longest. What is
// in use stays. Call it after building something.
func MakeRoom() { makeRoom(Limit) }

// A Unit is something in the cache that goes as a whole.
type Unit struct {
	Path string
	Size int64
	Used time.Time
}

func makeRoom(limit int64) {
	dir, err := root()
	if err != nil {
		return
	}
	entries, _ := os.ReadDir(dir)
	var units []Unit
	busy := map[string]bool{}
	for _, e := range entries {
		kind := kindOf(e.Name())
		if kind == "" || !e.IsDir() {
			continue
		}
		path := filepath.Join(dir, e.Name())
		info, err := e.Info()
		if err != nil || notebookGone(path) && removeUnused(path) {
			continue
		}
		busy[path] = kind != Programs && time.Since(info.ModTime()) < inUse
		units = append(units, Unit{path, size(path), info.ModTime()})
	}
	Oldest(units, limit, func(path string) bool { return !busy[path] && removeUnused(path) })
}

// Oldest removes the units that have not been used for longest, until the rest take no
// more than limit.
func Oldest(units []Unit, limit int64, remove func(path string) bool) {
	var total int64
	for _, u := range units {
		total += u.Size
	}
	slices.SortFunc(units, func(a, b Unit) int { return a.Used.Compare(b.Used) })
	for _, u := range units {
		if total <= limit {
			return
		}
		if remove(u.Path) {
			total -= u.Size
		}
	}
}

// kindOf is the kind of a folder, "" if it is not one that comes and goes with
// notebooks.
func kindOf(name string) Kind {
	for _, kind := range []Kind{Programs, Kernel, Overlay, Book} {
		if strings.HasPrefix(name, string(kind)) && !strings.HasSuffix(name, ".lock") {
			return kind
		}
	}
	return ""
}

// removeUnused removes a folder, unless somebody has locked it.
func removeUnused(dir string) bool {
	unlock, ok := TryLock(dir)
	if !ok {
		return false
	}
	defer unlock()
	if Remove(dir) != nil {
		return false
	}
	_ = os.Remove(lockName(dir))
	return true
}

// size is what the files of a folder take.
func size(dir string) int64 {
	var n int64
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				n += info.Size()
			}
		}
		return nil
	})
	return n
}
