package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"nbrun": main, "impatient": func() {
		stopWithin = time.Second
		main()
	}})
}

// TestScripts runs the command as a user would; each script in testdata/script
// is a story of its own. Two commands are added to those of testscript:
//
//	mknb FILE.ipynb CELLS.txt   makes a notebook of cells that stand under
//	                            lines "=== code [tags]" or "=== markdown"
//	out FILE.ipynb TEXT         fails unless the file's outputs, as compact JSON,
//	                            contain the text; ! out negates it
//
// $NAP begins numbers that belong to one script alone: it can look for what sleeps that
// long.
func TestScripts(t *testing.T) {
	goenv := func(name string) string {
		out, err := exec.Command("go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	var naps atomic.Int64
	cache, modcache := goenv("GOCACHE"), goenv("GOMODCACHE")
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			home := filepath.Join(env.WorkDir, ".home")
			nap := fmt.Sprintf("%d%03d", os.Getpid(), naps.Add(1))
			for key, value := range map[string]string{
				"HOME": home, "XDG_CACHE_HOME": filepath.Join(home, "cache"), "GOCACHE": cache, "GOMODCACHE": modcache,
				"GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOTOOLCHAIN": "local", "GOTRACEBACK": "single", "TERM": "xterm", "GORACE": "atexit_sleep_ms=0",
				"NAP": nap,
			} {
				env.Setenv(key, value)
			}
			return os.MkdirAll(home, 0o755)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"mknb": func(ts *testscript.TestScript, neg bool, args []string) {
				if neg || len(args) != 2 {
					ts.Fatalf("usage: mknb FILE.ipynb CELLS.txt")
				}
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), makeNotebook(ts.ReadFile(args[1])), 0o644))
			},
			"out": func(ts *testscript.TestScript, neg bool, args []string) {
				if len(args) != 2 {
					ts.Fatalf("usage: [!] out FILE.ipynb TEXT")
				}
				var nb struct {
					Cells []struct{ Outputs json.RawMessage }
				}
				ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &nb))
				var all bytes.Buffer
				for _, c := range nb.Cells {
					if len(c.Outputs) > 0 {
						ts.Check(json.Compact(&all, c.Outputs))
						all.WriteByte('\n')
					}
				}
				if has := strings.Contains(all.String(), args[1]); has == neg {
					ts.Fatalf("outputs are\n%s", all.String())
				}
			},
		},
	})
}

// makeNotebook makes a notebook of a text.
func makeNotebook(text string) []byte {
	type object = map[string]any
	cells := []object{}
	for i, part := range strings.Split("\n"+text, "\n=== ")[1:] {
		head, source, _ := strings.Cut(part, "\n")
		words := strings.Fields(head)
		cell := object{"cell_type": words[0], "source": strings.TrimSuffix(source, "\n"), "metadata": object{}, "id": "c" + string(rune('a'+i))}
		if len(words) > 1 {
			cell["metadata"] = object{"tags": words[1:]}
		}
		if words[0] == "code" {
			cell["outputs"], cell["execution_count"] = []any{}, nil
		}
		cells = append(cells, cell)
	}
	data, err := json.MarshalIndent(object{
		"cells": cells, "metadata": object{"kernelspec": object{"name": "gonb", "language": "go", "display_name": "Go (gonb)"}},
		"nbformat": 4, "nbformat_minor": 5,
	}, "", " ")
	if err != nil {
		panic(err)
	}
	return append(data, '\n')
}
