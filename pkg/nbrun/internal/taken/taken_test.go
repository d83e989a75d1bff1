//go:build unix

package taken

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// source is a file of the Go that runs the test.
func source(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "src/encoding/gob", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestPatchChangesOneLine(t *testing.T) {
	for name, want := range map[string]string{
		"encoder.go": "func NewEncoder(w io.Writer) *Encoder { w = takenWriter(w);",
		"decoder.go": "func NewDecoder(r io.Reader) *Decoder { r = takenReader(r);",
	} {
		text := source(t, name)
		got, err := Patch(name, text)
		if err != nil {
			t.Fatal(err)
		}
		before, after := strings.Split(text, "\n"), strings.Split(got, "\n")
		if len(before) != len(after) {
			t.Fatalf("%d lines, were %d", len(after), len(before))
		}
		var changed []string
		for i := range before {
			if before[i] != after[i] {
				changed = append(changed, after[i])
			}
		}
		if len(changed) != 1 || changed[0] != want {
			t.Errorf("%q", changed)
		}
	}
}

func TestAnotherShapeIsNotPatched(t *testing.T) {
	for _, text := range []string{
		"nonsense",
		"package gob",
		"package gob\nfunc NewEncoder() {}",
		"package gob\nfunc NewEncoder(w, v io.Writer) {}",
		"package gob\nfunc NewEncoder(_ io.Writer) {}",
		"package gob\nfunc NewEncoder(w io.ByteWriter) {}",
		"package gob\nfunc NewEncoder(w io.Writer)",
		"package gob\nfunc (E) NewEncoder(w io.Writer) {}",
	} {
		if got, err := Patch("encoder.go", text); err == nil {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestFilesAreOfPackageGob(t *testing.T) {
	files := Files()
	if len(files) != 3 {
		t.Errorf("%d files", len(files))
	}
	for name, text := range files {
		if !strings.HasPrefix(name, "nbrun_wait") || !strings.Contains(text, "\npackage gob\n") || strings.Contains(text, "package taken") {
			t.Errorf("%s:\n%s", name, text)
		}
	}
}

// pipes makes the runner's pipes, and makes the package believe that it starts anew.
func pipes(t *testing.T) (out, counts *os.File, writer io.Writer) {
	t.Helper()
	dir := t.TempDir()
	var files [2]*os.File
	for i, env := range []string{"GONB_PIPE", Env} {
		path := filepath.Join(dir, env)
		if err := unix.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		t.Setenv(env, path)
		files[i] = f
	}
	w, err := os.OpenFile(os.Getenv("GONB_PIPE"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.Close()
		if taken.open {
			syscall.Close(taken.fd)
		}
		taken.open, taken.gone, taken.owed = false, false, 0
	})
	return files[0], files[1], takenWriter(w)
}

func TestAWriteEndsWhenAllIsTaken(t *testing.T) {
	out, counts, w := pipes(t)
	done := make(chan error)
	for range 3 {
		go func() {
			_, err := w.Write([]byte("12345"))
			done <- err
		}()
		for _, n := range []int{2, 3} {
			select {
			case <-done:
				t.Fatal("it did not wait")
			case <-time.After(10 * time.Millisecond):
			}
			if _, err := io.ReadFull(out, make([]byte, n)); err != nil {
				t.Fatal(err)
			}
			if _, err := counts.Write(Count(n)); err != nil {
				t.Fatal(err)
			}
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestWithoutARunnerNobodyWaits(t *testing.T) {
	for name, change := range map[string]func(counts *os.File){
		"no pipe of counts":   func(*os.File) { os.Remove(os.Getenv(Env)) },
		"nobody on that pipe": func(f *os.File) { f.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			_, counts, w := pipes(t)
			change(counts)
			for range 3 {
				if n, err := w.Write([]byte("12345")); n != 5 || err != nil {
					t.Errorf("%d, %v", n, err)
				}
			}
		})
	}
}

func TestARunnerThatGoesIsNotWaitedFor(t *testing.T) {
	_, counts, w := pipes(t)
	time.AfterFunc(10*time.Millisecond, func() { counts.Close() })
	if n, err := w.Write([]byte("12345")); n != 5 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

func TestOtherWritersAreLeftAlone(t *testing.T) {
	pipes(t)
	var b bytes.Buffer
	if takenWriter(&b) != io.Writer(&b) || takenWriter(os.Stdout) != io.Writer(os.Stdout) {
		t.Error("a writer was changed")
	}
}

// On the real clock everything can wait in Go's poller.
func TestOnTheRealClockAnswersAreReadAsEver(t *testing.T) {
	if r := strings.NewReader(""); takenReader(r) != io.Reader(r) {
		t.Error("the reader is another one")
	}
}
