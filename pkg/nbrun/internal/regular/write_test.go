package regular

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestWriteFileClearsUpAfterWritersThatWereKilled(t *testing.T) {
	dir := t.TempDir()
	dead, foreign := filepath.Join(dir, ".nbrun-123.tmp"), filepath.Join(dir, ".nbrun.tmp")
	for _, path := range []string{dead, foreign} {
		if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	alive, unlock, err := temporary(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Close()
	defer unlock()
	written := filepath.Join(dir, "a")
	write := func(w io.Writer) error { _, err := io.WriteString(w, "whole"); return err }
	if err := WriteFile(written, write); err != nil {
		t.Fatal(err)
	}
	failed := errors.New("failed")
	half := func(w io.Writer) error { return errors.Join(write(w), failed) }
	if err := WriteFile(written, half); !errors.Is(err, failed) {
		t.Errorf("a writer that fails: %v", err)
	}
	if now, _ := os.ReadFile(written); string(now) != "whole" {
		t.Errorf("the file is %q", now)
	}
	for path, there := range map[string]bool{dead: false, foreign: true, alive.Name(): true} {
		if _, err := os.Lstat(path); (err == nil) != there {
			t.Errorf("%s: %v", path, err)
		}
	}
	if files, _ := os.ReadDir(dir); len(files) != 3 {
		t.Errorf("there are %v", files)
	}
}
