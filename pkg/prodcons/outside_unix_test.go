//go:build unix

package prodcons_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// Somebody else's program, in a module of its own, needs only the package; it does its
// work, and Ctrl-C stops it cleanly.
func TestAProgramOutsideOfTheModule(t *testing.T) {
	dir := t.TempDir()
	source, err := os.ReadFile("testdata/words/main.go")
	if err != nil {
		t.Fatal(err)
	}
	here, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	mod := fmt.Sprintf("module words\n\ngo 1.26.0\n\nrequire github.com/b3771e63/prodcons v0.0.0\n\nreplace github.com/b3771e63/prodcons => %q\n", here)
	for name, text := range map[string]string{"main.go": string(source), "go.mod": mod} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.Command("go", "build", "-o", "words", ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "GOPROXY=off") // there is nothing to fetch
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}

	const lines = 200_000
	big := filepath.Join(dir, "big")
	if err := os.WriteFile(big, bytes.Repeat([]byte("a line of five words\n"), lines), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(filepath.Join(dir, "words"), big).CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), fmt.Sprintf("%d words: <nil>, lines left: 0\n", 5*lines)) || !strings.Contains(string(out), fmt.Sprint("\nmade ", lines, ", used ", lines, " in ")) {
		t.Errorf("%v\n%s", err, out)
	}

	// A file without an end: a pipe.
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	words := exec.Command(filepath.Join(dir, "words"), pipe)
	var said bytes.Buffer
	words.Stdout, words.Stderr = &said, &said
	if err := words.Start(); err != nil {
		t.Fatal(err)
	}
	endless, err := os.OpenFile(pipe, os.O_WRONLY, 0) // waits until it reads
	if err != nil {
		t.Fatal(err)
	}
	writer := bufio.NewWriter(endless)
	for i := 0; ; i++ {
		if i == 100_000 {
			if err := words.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := io.WriteString(writer, "a line of five words\n"); err != nil {
			break // it has gone
		}
	}
	_ = endless.Close()
	err = words.Wait()
	if err != nil || !regexp.MustCompile(`^\d+ words: interrupt signal received, lines left: \d+\n|^\d+ words: context canceled, lines left: \d+\n`).Match(said.Bytes()) {
		t.Errorf("after Ctrl-C: %v\n%s", err, said.Bytes())
	}
	var used, left, count int
	if _, err := fmt.Sscanf(said.String(), "%d words", &used); err != nil {
		t.Error(err)
	}
	line, stats, _ := strings.Cut(said.String(), "\n")
	_, _ = fmt.Sscanf(line[strings.LastIndex(line, ", ")+2:], "lines left: %d", &left)
	_, _ = fmt.Sscanf(stats, "made %d", &count)
	if used%5 != 0 || used/5+left != count || count < 50_000 {
		t.Errorf("%d lines used, %d left, %d put:\n%s", used/5, left, count, said.Bytes())
	}
	t.Logf("%s", said.Bytes())
}
