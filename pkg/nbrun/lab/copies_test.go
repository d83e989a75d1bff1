package lab

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const notebook = `{"cells": [
 {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "a < b"},
 {"cell_type": "code", "id": "b", "metadata": {"jupyter": {"outputs_hidden": true}, "tags": ["check"]}, "source": "x", "execution_count": 7,
  "outputs": [{"output_type": "stream", "name": "stdout", "text": "the answer"}]}
], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}`

func read(t *testing.T, path ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestCopiesHaveNoAnswersAndTheOriginalsStay(t *testing.T) {
	root := filepath.Join(t.TempDir(), "lessons [1]")
	write := func(path ...string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(path...), []byte(notebook), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	write(root, "01.ipynb")
	write(root, "page.md")
	write(root, "other.txt")
	mine, err := copyFrom(root, Kept)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Base(mine) != "my-lessons [1]" || filepath.Dir(mine) != filepath.Dir(root) {
		t.Errorf("the copies are in %s", mine)
	}
	first := read(t, mine, "01.ipynb")
	for _, gone := range []string{"the answer", "outputs_hidden", "7"} {
		if strings.Contains(first, gone) {
			t.Errorf("the copy has %q in it:\n%s", gone, first)
		}
	}
	if !strings.Contains(first, "a < b") || !strings.Contains(first, `"check"`) {
		t.Errorf("the copy has lost something:\n%s", first)
	}
	if read(t, root, "01.ipynb") != notebook || read(t, mine, "page.md") != notebook {
		t.Error("something that was to stay has changed")
	}
	if _, err := os.Stat(filepath.Join(mine, "other.txt")); err == nil {
		t.Error("a file was copied that is neither a notebook nor a page")
	}

	write(mine, "01.ipynb") // somebody has worked in it
	if _, err := copyFrom(root, Kept); err != nil || read(t, mine, "01.ipynb") != notebook {
		t.Errorf("work was lost (%v)", err)
	}
	if _, err := copyFrom(root, Reset); err != nil || read(t, mine, "01.ipynb") != first || read(t, mine, "before", "01.ipynb") != notebook {
		t.Errorf("reset does not make the copy anew, or does not keep the work (%v)", err)
	}
}

func TestWhatIsNoNotebookIsSaid(t *testing.T) {
	root := filepath.Join(t.TempDir(), "lessons")
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root, "01.ipynb")
	if err := os.WriteFile(path, []byte("no"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := copyFrom(root, Kept); err == nil || !strings.HasPrefix(err.Error(), path+": is not a notebook") {
		t.Errorf("error %v", err)
	}
}
