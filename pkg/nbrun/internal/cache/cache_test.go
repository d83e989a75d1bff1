package cache

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// own gives the test a cache of its own, and returns its folder.
func own(t *testing.T) string {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("LocalAppData", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	if err := Trusted(); err != nil {
		t.Fatal(err)
	}
	dir, err := root()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestACacheThatOthersCanFillIsNotUsed(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no such permissions")
	}
	dir := own(t)
	for _, mode := range []os.FileMode{0o777, 0o770, 0o702} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		if err := Trusted(); !errors.Is(err, ErrStrange) || !strings.Contains(err.Error(), dir+" can be written by others") {
			t.Errorf("%v: %v", mode, err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Trusted(); err != nil {
		t.Error(err)
	}
	if os.Geteuid() != 0 {
		return
	}
	if err := os.Chown(dir, 12345, 0); err != nil {
		t.Fatal(err)
	}
	if err := Trusted(); !errors.Is(err, ErrStrange) || !strings.Contains(err.Error(), dir+" belongs to somebody else") {
		t.Error(err)
	}
}

// tick waits until the clock of the file system advances, as it shows no change between
// two ticks.
func tick(t *testing.T, path string) {
	t.Helper()
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	for now := before; !now.ModTime().After(before.ModTime()); {
		probe := filepath.Join(t.TempDir(), "probe")
		if err := os.WriteFile(probe, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if now, err = os.Stat(probe); err != nil {
			t.Fatal(err)
		}
	}
}

func TestASealIsBrokenByAnyChange(t *testing.T) {
	dir := own(t)
	path := filepath.Join(dir, "program")
	other := filepath.Join(dir, "other")
	for name, change := range map[string]func() error{
		"other bytes, the same time": func() error {
			info, _ := os.Stat(path)
			return errors.Join(os.WriteFile(path, []byte("TEXT"), 0o700), os.Chtimes(path, info.ModTime(), info.ModTime()))
		},
		"cut off":     func() error { return os.Truncate(path, 2) },
		"removed":     func() error { return os.Remove(path) },
		"another":     func() error { return os.Rename(other, path) },
		"a link":      func() error { return errors.Join(os.Remove(path), os.Symlink(other, path)) },
		"a folder":    func() error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
		"a lost seal": func() error { return os.Remove(path + SealExt) },
		"a cut seal":  func() error { return os.Truncate(path+SealExt, 3) },
	} {
		if err := Unseal(path); err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{path, other} {
			if err := WriteFile(file, "text"); err != nil {
				t.Fatal(err)
			}
		}
		if Sealed(path) {
			t.Errorf("%s: sealed before it was", name)
		}
		if err := Seal(path); err != nil || !Sealed(path) {
			t.Errorf("%s: was not sealed: %v", name, err)
		}
		tick(t, path)
		if err := change(); err != nil {
			t.Fatal(name, err)
		}
		if Sealed(path) {
			t.Errorf("%s: still sealed", name)
		}
	}
}

// unit makes a folder of the cache with a file of that size, used so long ago.
func unit(t *testing.T, kind Kind, id string, size int, ago time.Duration) string {
	t.Helper()
	dir, err := Dir(kind, id)
	if err != nil {
		t.Fatal(err)
	}
	used := time.Now().Add(-ago)
	if err := errors.Join(Folder(dir), WriteFile(filepath.Join(dir, "file"), strings.Repeat("x", size)), os.Chtimes(dir, used, used)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestTheOldestGoesFirst(t *testing.T) {
	dir := own(t)
	old, locked := unit(t, Programs, "old", 100, 3*time.Hour), unit(t, Programs, "locked", 100, 4*time.Hour)
	kernel, oldKernel := unit(t, Kernel, "recent", 100, 5*time.Hour), unit(t, Kernel, "old", 100, 50*time.Hour)
	recent, lab := unit(t, Programs, "recent", 100, time.Hour), unit(t, Lab, "", 1000, 500*time.Hour)
	unlock, ok := TryLock(locked)
	if !ok {
		t.Fatal("can't be locked")
	}
	if _, ok := TryLock(locked); ok {
		t.Error("was locked twice")
	}
	makeRoom(500)
	there := func() (names string) {
		for _, d := range []string{old, locked, kernel, oldKernel, recent, lab} {
			if _, err := os.Stat(d); err == nil {
				names += " " + filepath.Base(d)
			}
		}
		return names
	}
	if got := there(); got != " gonb_old gonb_locked kernel_recent kernel_old gonb_recent lab" {
		t.Errorf("within the limit:%s", got)
	}
	makeRoom(400)
	if got := there(); got != " gonb_old gonb_locked kernel_recent gonb_recent lab" {
		t.Errorf("one is too much:%s", got)
	}
	makeRoom(0)
	if got := there(); got != " gonb_locked kernel_recent lab" {
		t.Errorf("all are too much:%s", got)
	}
	unlock()
	if locks, _ := filepath.Glob(filepath.Join(dir, "*.lock")); len(locks) != 1 {
		t.Errorf("locks: %v", locks)
	}
}

func TestWhatIsOfNoNotebookGoes(t *testing.T) {
	own(t)
	there := filepath.Join(t.TempDir(), "there.ipynb")
	gone, never := there+"x", filepath.Join(t.TempDir(), "never.ipynb")
	for _, path := range []string{there, gone} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for path, id := range map[string]string{there: "there", gone: "gone", never: "never"} {
		if err := SetNotebook(unit(t, Programs, id, 1, 0), path); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	MakeRoom()
	dir, _ := root()
	if left, _ := filepath.Glob(filepath.Join(dir, "gonb_*")); len(left) != 2 {
		t.Errorf("left: %v", left)
	}
}
