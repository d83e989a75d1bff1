//go:build unix

package cache

import (
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/regular"
)

func TestWriteFileReplacesWhatIsNoFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"one", "2"} {
		if err := WriteFile(path, text); err != nil {
			t.Fatal(err)
		}
		if data, err := regular.ReadFile(path); err != nil || string(data) != text {
			t.Errorf("%q, %v", data, err)
		}
	}
}
