//go:build unix

package regular

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestWhatIsNoFileIsRefusedAtOnce(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	for _, pipe := range []string{"pipe", "written"} {
		if err := unix.Mkfifo(path(pipe), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("unix", path("socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	other, err := os.OpenFile(path("written"), os.O_RDWR, 0) // somebody is at the other end
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for name, target := range map[string]string{"link": "pipe", "zero": "/dev/zero", "here": dir} {
		if err := os.Symlink(target, path(name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"pipe": "named pipe", "written": "named pipe", "link": "named pipe", "socket": "socket", "zero": "device", "here": "folder",
	} {
		done := make(chan error)
		for _, flag := range []int{os.O_RDONLY, os.O_WRONLY | os.O_CREATE | os.O_TRUNC, os.O_WRONLY | os.O_APPEND} {
			go func() {
				_, err := OpenFile(path(name), flag, 0o600)
				done <- err
			}()
			select {
			case err := <-done:
				var e *NotRegular
				if !errors.As(err, &e) || e.Kind != want {
					t.Errorf("%s: %v, want a %s", name, err, want)
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("%s: it waits", name)
			}
		}
	}
}
