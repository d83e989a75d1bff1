package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/ipynb"
)

// ran checks notebooks after a run: every code cell was run, only those that are meant
// to fail did, and no claim is marked as false. What exercises say of the learner's
// answer does not count.
func ran(out io.Writer, paths []string) error {
	for _, path := range paths {
		nb, err := ipynb.ReadFile(path)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		cells := 0
		for i, c := range nb.Cells {
			if c.Type != "code" {
				continue
			}
			cells++
			stdout, stderr, errs := c.Texts()
			switch {
			case c.StoredCount() == 0:
				return fmt.Errorf("%s, cell %d: was not run", path, i+1)
			case len(errs) > 0 && !c.HasTag("raises-exception"):
				return fmt.Errorf("%s, cell %d: failed: %s", path, i+1, errs[0])
			case strings.Contains(stdout+stderr, "✘") && !c.HasTag("check"):
				return fmt.Errorf("%s, cell %d: a claim is false:\n%s", path, i+1, stdout+stderr)
			}
		}
		fmt.Fprintf(out, "ran, and all is true: %s, %d cells\n", filepath.Base(path), cells)
	}
	return nil
}

// rewritten checks that notebooks of nbformat 4.5, read and written by another tool as
// NOTEBOOK.again, are still the same.
func rewritten(out io.Writer, paths []string) error {
	for _, path := range paths {
		nb, err := ipynb.ReadFile(path)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if nb.Minor != 5 {
			return fmt.Errorf("%s: is nbformat 4.%d, want 4.5", path, nb.Minor)
		}
		before, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		after, err := os.ReadFile(path + ".again")
		if err != nil {
			return err
		}
		was, is := strings.SplitAfter(string(before), "\n"), strings.SplitAfter(string(after), "\n")
		for i := range max(len(was), len(is)) {
			if i >= len(was) || i >= len(is) || was[i] != is[i] {
				return fmt.Errorf("%s: line %d is written otherwise in %[1]s.again", path, i+1)
			}
		}
		fmt.Fprintln(out, "the same when written again:", path)
	}
	return nil
}

// same compares the notebooks in a folder with those of the same names in another: code
// cells must have outputs of the same kinds, in the same order. How pieces of the two
// streams lie beside each other is chance, as they are two pipes.
func same(out io.Writer, dirs []string) error {
	paths, err := notebooks(dirs[0])
	if err != nil {
		return err
	}
	for _, path := range paths {
		var kept [2][][]string
		for i, dir := range dirs {
			nb, err := ipynb.ReadFile(filepath.Join(dir, filepath.Base(path)))
			if err != nil {
				return fmt.Errorf("%s: %w", filepath.Join(dir, filepath.Base(path)), err)
			}
			for _, c := range nb.Cells {
				kinds, err := kinds(c)
				if err != nil {
					return fmt.Errorf("%s: %w", path, err)
				}
				kept[i] = append(kept[i], kinds)
			}
		}
		if len(kept[0]) != len(kept[1]) {
			return fmt.Errorf("%s: has %d cells, and in %s %d", path, len(kept[0]), dirs[1], len(kept[1]))
		}
		for i := range kept[0] {
			if !slices.Equal(kept[0][i], kept[1][i]) {
				return fmt.Errorf("%s, cell %d: has outputs %q, and in %s %q", path, i+1, kept[0][i], dirs[1], kept[1][i])
			}
		}
		fmt.Fprintf(out, "the same kinds of outputs: %s, %d cells\n", filepath.Base(path), len(kept[0]))
	}
	return nil
}

// kinds are those of a cell's outputs: the streams by their names, then the rest.
func kinds(c *ipynb.Cell) ([]string, error) {
	var cell struct {
		Outputs []struct {
			Type string `json:"output_type"`
			Name string
			Data map[string]json.RawMessage
		}
	}
	if err := json.Unmarshal(c.Raw(), &cell); err != nil {
		return nil, err
	}
	var streams, others []string
	for _, o := range cell.Outputs {
		if o.Type == "stream" {
			streams = append(streams, o.Name)
			continue
		}
		var mimes []string
		for mime := range o.Data {
			mimes = append(mimes, mime)
		}
		slices.Sort(mimes)
		others = append(others, strings.Join(append([]string{o.Type}, mimes...), " "))
	}
	slices.Sort(streams)
	return append(slices.Compact(streams), others...), nil
}

// yellow is the colour of producers, as a program writes it and as a page does.
const (
	yellow     = "\x1b[38;5;16;48;5;220m"
	pageYellow = "rgb(255,215,0)"
)

// pages checks that pages made of notebooks show what the outputs have.
func pages(out io.Writer, dirs []string) error {
	paths, err := notebooks(dirs[0])
	if err != nil {
		return err
	}
	coloured, pictured := 0, 0
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".ipynb")
		data, err := os.ReadFile(filepath.Join(dirs[1], name+".html"))
		if err != nil {
			return err
		}
		nb, err := ipynb.ReadFile(path)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		colours, pictures, err := shown(nb)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		page := string(data)
		if colours {
			coloured++
			if !strings.Contains(strings.ReplaceAll(page, " ", ""), pageYellow) {
				return fmt.Errorf("%s.html: has no coloured lines", name)
			}
		}
		if pictures {
			pictured++
			if !strings.Contains(page, `src="data:image/`) && !strings.Contains(page, "<svg") {
				return fmt.Errorf("%s.html: has no picture", name)
			}
		}
		fmt.Fprintf(out, "page: %s, %d kB\n", name, len(data)>>10)
	}
	if coloured == 0 || pictured == 0 {
		return errors.New("no notebook has coloured lines, or none has pictures: nothing was compared")
	}
	return nil
}

// shown reports whether the outputs of a notebook have coloured lines, and pictures.
func shown(nb *ipynb.Notebook) (colours, pictures bool, err error) {
	for _, c := range nb.Cells {
		outputs, err := c.Stored()
		if err != nil {
			return false, false, err
		}
		for _, o := range outputs {
			colours = colours || strings.Contains(o.Text, yellow)
			for mime := range o.Data {
				pictures = pictures || strings.HasPrefix(mime, "image/")
			}
		}
	}
	return colours, pictures, nil
}

// started checks by the times of execution that the first cell did not take much longer
// than the others, as it does where something is still to be compiled.
func started(out io.Writer, paths []string) error {
	nb, err := ipynb.ReadFile(paths[0])
	if err != nil {
		return fmt.Errorf("%s: %w", paths[0], err)
	}
	var took []time.Duration
	for i, c := range nb.Cells {
		if c.Type != "code" {
			continue
		}
		var cell struct {
			Metadata struct {
				Execution struct {
					Begin time.Time `json:"iopub.status.busy"`
					End   time.Time `json:"shell.execute_reply"`
				}
			}
		}
		times := &cell.Metadata.Execution
		if err := json.Unmarshal(c.Raw(), &cell); err != nil || times.Begin.IsZero() || times.End.IsZero() {
			return fmt.Errorf("%s, cell %d: has no times of execution (%v)", paths[0], i+1, err)
		}
		took = append(took, times.End.Sub(times.Begin).Round(10*time.Millisecond))
	}
	if len(took) < 2 {
		return fmt.Errorf("%s: has %d code cells: nothing can be compared", paths[0], len(took))
	}
	fmt.Fprintf(out, "cells take %v\n", took)
	sorted := slices.Sorted(slices.Values(took))
	if most := max(3*time.Second, 4*sorted[len(sorted)/2]); took[0] >= most {
		return fmt.Errorf("the first cell takes %v, and %v is the most: something is still compiled at the first use", took[0], most)
	}
	return nil
}

// notebooks are those of a folder; it is an error if there are none.
func notebooks(dir string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.ipynb"))
	if err == nil && len(paths) == 0 {
		err = fmt.Errorf("%s: has no notebooks (*.ipynb)", dir)
	}
	return paths, err
}
