package lab

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Copies says whether to serve copies of a folder's notebooks, and which.
type Copies int

const (
	// None serves the notebooks themselves.
	None Copies = iota
	// Kept serves copies without outputs, in a neighbouring folder whose name is that
	// of the folder of the notebooks with "my-" before it. Existing copies stay as they
	// are.
	Kept
	// Reset is like Kept, but makes the copies anew. What was done in them is kept in
	// that folder's own folder "before".
	Reset
)

// Copy makes the copies of the notebooks in a folder that Start would serve with the
// same options, and returns their folder.
func Copy(opts Options) (string, error) {
	root, _, err := place(opts.Path)
	if err != nil {
		return "", err
	}
	return copyFrom(root, opts.Copies)
}

// copyFrom makes the copies of the notebooks in root, with the pages that they link to,
// and returns their folder. It is beside root, so that links out of it still lead where
// they did, and the notebooks are still in the same Go module.
func copyFrom(root string, copies Copies) (string, error) {
	to := filepath.Join(filepath.Dir(root), "my-"+filepath.Base(root))
	if err := os.MkdirAll(to, 0o755); err != nil {
		return "", fmt.Errorf("can't make a folder for your copies of the notebooks: %w", err)
	}
	for _, pattern := range []string{"*.ipynb", "*.md"} {
		files, err := filepath.Glob(filepath.Join(escapeGlob(root), pattern))
		if err != nil {
			return "", err
		}
		for _, file := range files {
			if err := copyFile(file, filepath.Join(to, filepath.Base(file)), copies); err != nil {
				return "", err
			}
		}
	}
	return to, nil
}

func copyFile(from, to string, copies Copies) error {
	_, err := os.Lstat(to)
	switch {
	case err == nil && copies == Kept:
		return nil
	case err == nil:
		before := filepath.Join(filepath.Dir(to), "before")
		if err := errors.Join(os.MkdirAll(before, 0o755), os.Rename(to, filepath.Join(before, filepath.Base(to)))); err != nil {
			return err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	data, err := os.ReadFile(from)
	if err == nil && filepath.Ext(from) == ".ipynb" {
		data, err = cleared(data)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	return os.WriteFile(to, data, 0o644)
}

// cleared returns a notebook without its outputs, and without what folds them.
func cleared(data []byte) ([]byte, error) {
	var nb map[string]any
	if err := json.Unmarshal(data, &nb); err != nil {
		return nil, fmt.Errorf("is not a notebook: %w", err)
	}
	cells, _ := nb["cells"].([]any)
	for _, c := range cells {
		cell, _ := c.(map[string]any)
		if cell["cell_type"] != "code" {
			continue
		}
		cell["outputs"], cell["execution_count"] = []any{}, nil
		metadata, _ := cell["metadata"].(map[string]any)
		if look, ok := metadata["jupyter"].(map[string]any); ok {
			delete(look, "outputs_hidden")
			if len(look) == 0 {
				delete(metadata, "jupyter")
			}
		}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	err := enc.Encode(nb)
	return b.Bytes(), err
}
