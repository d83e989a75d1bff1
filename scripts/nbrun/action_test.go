package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestTheActionRunsNotebooks runs what the GitHub action has its shell run.
func TestTheActionRunsNotebooks(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs bash")
	}
	action, err := filepath.Abs("../../.github/actions/nbrun")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(action, "action.yml"))
	if err != nil {
		t.Fatal(err)
	}
	_, script, ok := strings.Cut(string(text), "      run: |\n")
	if !ok {
		t.Fatal("the action has no script")
	}
	dir := t.TempDir()
	for name, cells := range map[string]string{"good.ipynb": "=== code\n%%\nprintln(\"good\")\n", "bad one.ipynb": "=== code\nnothing()\n"} {
		if err := os.MkdirAll(filepath.Join(dir, "docs"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "docs", name), makeNotebook(cells), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for notebooks, want := range map[string]string{"docs/good.ipynb": "✔", "docs": "::error file=docs/bad one.ipynb,title=notebook::cell 1, line 1"} {
		cmd := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GITHUB_ACTION_PATH="+action, "GITHUB_ACTIONS=true", "GITHUB_STEP_SUMMARY=", "NOTEBOOKS="+notebooks, "FLAGS=-engine yaegi  -timeout 20s", "GOOS=plan9")
		out, err := cmd.CombinedOutput()
		if (err == nil) != (want == "✔") || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v\n%s", notebooks, err, out)
		}
	}
}
