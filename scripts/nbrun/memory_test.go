//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Things that cells may write without measure, or lie about.
const (
	// gobs sends displays as gonbui does.
	gobs = `
type DisplayData struct { Data, Metadata map[string]any; DisplayID string }
func pipe() *os.File {
	f, err := os.OpenFile(os.Getenv("GONB_PIPE"), os.O_WRONLY, 0)
	if err != nil { panic(err) }
	return f
}
func send(data ...any) {
	gob.Register([]any{})
	enc := gob.NewEncoder(pipe())
	for i, d := range data {
		if err := enc.Encode(DisplayData{Data: map[string]any{"application/json": d}, DisplayID: fmt.Sprint(i)}); err != nil { panic(err) }
	}
	time.Sleep(500 * time.Millisecond)
}
%%
`
	// raw writes what is not a stream of frames to stdout.
	raw = `
func raw(script string) {
	cmd := exec.Command("bash", "-c", script)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil { panic(err) }
}
%%
`
)

func TestMemoryIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	const most = 300 << 20
	dir := t.TempDir()
	nbrun := filepath.Join(dir, "nbrun")
	if out, err := exec.Command("go", "build", "-o", nbrun, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, test := range []struct{ name, flags, source string }{
		{"print without end", "-engine yaegi", "!head -c 200000000 /dev/zero | tr '\\0' x"},
		{"lines without end", "-engine yaegi", "!yes | head -c 40000000 >&2"},
		{"an escape sequence without end", "-engine yaegi", `!printf '\x1b['; head -c 100000000 /dev/zero | tr '\0' 1`},
		{"one stream after the other", "-engine yaegi", "!i=0; while [ $((i+=1)) -lt 100000 ]; do echo; echo >&2; done"},
		{"a frame of 4 GB", "-clock virtual", raw + `raw("printf '\\0\\0PB\\0\\0\\0\\0\\0\\0\\0\\1\\377\\377\\377\\377'; head -c 200000000 /dev/zero")`},
		{"frames of nothing", "-clock virtual", raw + `raw("yes $'PB\\1' | head -c 10000000 | tr 'y\\n' '\\0\\0'")`},
		{"one stream alone", "-clock virtual", "%%\nb := make([]byte, 1<<20)\nfor range 200 { os.Stdout.Write(b) }"},
		{"a display of 4 GB", "", gobs + "f := pipe(); f.Write([]byte{0xfb, 1, 0, 0, 0, 0, 2})\nb := make([]byte, 1<<20)\nfor range 200 { f.Write(b) }"},
		{"a type of 4 GB", "", gobs + "f := pipe(); f.Write([]byte{0xfb, 1, 0, 0, 0, 0, 1})\nb := make([]byte, 1<<20)\nfor range 200 { f.Write(b) }"},
		{"a list of nothing", "", gobs + "send(make([]any, 8<<20 - 1000))"},
		{"a list of numbers", "", gobs + "send(make([]int, 8<<20 - 1000))"},
		{"a list of texts", "", gobs + "send(make([]string, 8<<20 - 1000))"},
		{"lists in lists", "", gobs + "var v any\nfor range 5_000 { v = []any{v} }\nsend(v)"},
		{"displays without end", "", gobs + "var all []any\nfor i := range 60 { all = append(all, strings.Repeat(fmt.Sprint(i%10), 1<<20)) }\nsend(all...)"},
		{"a list of numbers in the kernel", "-engine gonb", gobs + "send(make([]int, 3<<20))"},
		{"a long text in the kernel", "-engine gonb", "%%\nfor range 100_000 { fmt.Println(strings.Repeat(\"x\", 999)) }"},
		{"small displays without end", "", gobs + "all := make([]any, 100_000)\nsend(all...)"},
		{"a compiler without end", "", "!*printf '#!/bin/sh\\nyes x | head -c 30000000 >&2; exit 1\\n' >tool; chmod +x tool; echo $PWD >/dev/null\n%goflags -toolexec=./tool\n%%\nfmt.Println(1)\n=== code\n%goflags \"\""},
		{"a panic without end", "", "%%\npanic(strings.Repeat(\"x\", 200_000_000))"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var cells []string
			for range 2 {
				cells = append(cells, "=== code\n"+test.source)
			}
			dir := t.TempDir()
			notebook := filepath.Join(dir, "a.ipynb")
			if err := os.WriteFile(notebook, makeNotebook(strings.Join(cells, "\n")+"\n=== code\n%%\nfmt.Println(\"after\")"), 0o600); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, nbrun, append(strings.Fields(test.flags), "-allow-errors", "-o", "out", "-json", "events", "-html", "pages", "a.ipynb")...)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			done := make(chan bool)
			peak := make(chan int)
			go func() { peak <- peakOf(cmd.Process.Pid, done) }()
			err := cmd.Wait()
			close(done)
			p := <-peak
			if ctx.Err() != nil {
				t.Errorf("it hangs: %v", err)
			}
			if p > most || p == 0 {
				t.Errorf("needs %d MiB", p>>20)
			}
			if !strings.Contains(out.String(), "\nafter\n") {
				t.Errorf("the last cell was not run:\n%s", last(out.String(), 1500))
			}
			disk := fileSize(filepath.Join(dir, "out", "a.ipynb")) + fileSize(filepath.Join(dir, "events"))
			if disk > 400<<20 {
				t.Errorf("%d MiB are on disk", disk>>20)
			}
			t.Logf("%d MiB in memory, %d MiB on disk, %d MiB shown", p>>20, disk>>20, out.Len()>>20)
			if data, err := os.ReadFile(filepath.Join(dir, "out", "a.ipynb")); err != nil || !json.Valid(data) {
				t.Errorf("what is written is no JSON: %v", err)
			}
		})
	}
}

// peakOf is the most memory that a process has used, in bytes, until done.
func peakOf(pid int, done <-chan bool) (peak int) {
	high := regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)
	for {
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if m := high.FindSubmatch(status); m != nil {
			kB, _ := strconv.Atoi(string(m[1]))
			peak = max(peak, kB<<10)
		}
		select {
		case <-done:
			return peak
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

func last(s string, n int) string { return s[max(0, len(s)-n):] }
