package jetstream_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The example program: its worker is killed at work, and another makes the charge.
func TestCharges(t *testing.T) {
	program := filepath.Join(t.TempDir(), "charges")
	if out, err := exec.Command("go", "build", "-o", program, "./testdata/charges").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	temp := t.TempDir()
	start := func(role string) (*exec.Cmd, *bufio.Scanner) {
		command := exec.Command(program, role)
		command.Env = append(os.Environ(), "TMPDIR="+temp)
		command.Stderr = os.Stderr
		out, err := command.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
		return command, bufio.NewScanner(out)
	}
	next := func(lines *bufio.Scanner, verb string) string {
		for lines.Scan() {
			if id, ok := strings.CutPrefix(lines.Text(), verb+" "); ok {
				return id
			}
		}
		t.Fatalf("it has ended, and never said %s", verb)
		return ""
	}
	_, producer := start("produce")
	next(producer, "confirmed")
	victim, lines := start("work")
	id := next(lines, "charge")
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_, lines = start("work")
	for next(lines, "charged") != id {
	}
}
