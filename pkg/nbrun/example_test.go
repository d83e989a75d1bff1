package nbrun_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/b3771e63/prodcons/pkg/nbrun"
)

// screen is an observer that prints what cells write to stdout.
type screen struct{}

func (screen) Progress(string) {}
func (screen) Cell(number int) { fmt.Printf("[%d] ", number) }
func (screen) Output(stream string, p []byte) {
	if stream == "stdout" {
		os.Stdout.Write(p)
	}
}
func (screen) Display(map[string]any)               {}
func (screen) Failure(err *nbrun.CellError, _ bool) { fmt.Println(err) }

func ExampleRun() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "hello.ipynb")
	notebook := `{"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [
		{"cell_type": "code", "source": "var greeting = \"hello\"", "metadata": {"tags": ["parameters"]}, "outputs": [], "execution_count": null},
		{"cell_type": "code", "source": "%%\nfmt.Println(greeting)", "metadata": {}, "outputs": [], "execution_count": null},
		{"cell_type": "code", "source": "%%\nvar list []int\n_ = list[3]", "metadata": {}, "outputs": [], "execution_count": null}]}`
	if err := os.WriteFile(path, []byte(notebook), 0o644); err != nil {
		panic(err)
	}

	result, err := nbrun.Run(context.Background(), path, nbrun.Options{
		Params:   map[string]string{"greeting": "good morning"},
		Clock:    nbrun.Virtual,
		Observer: screen{},
	})
	if err != nil {
		panic(err)
	}
	defer result.Close()
	fmt.Println(result.Cells, "cells:", result.Failure.Line, result.Failure.Text)
	// Output:
	// [1] [2] [3] good morning
	// [4] cell 4, line 3: panic: runtime error: index out of range [3] with length 0
	// 4 cells: 3 panic: runtime error: index out of range [3] with length 0
}
