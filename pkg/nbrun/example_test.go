package nbrun_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/b3771e63/prodcons/pkg/nbrun"
	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

func ExampleParse() {
	notebook := `{"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [
		{"cell_type": "code", "source": "var greeting = \"hello\"", "metadata": {"tags": ["parameters"]}, "outputs": [], "execution_count": null},
		{"cell_type": "code", "source": "%%\nfmt.Println(greeting)", "metadata": {}, "outputs": [], "execution_count": null},
		{"cell_type": "code", "source": "%%\nvar list []int\n_ = list[3]", "metadata": {}, "outputs": [], "execution_count": null}]}`
	screen := event.ObserverFunc(func(e event.Event) error {
		switch e.Action {
		case event.Begin:
			fmt.Printf("[%d] ", e.Cell.Number)
		case event.Out:
			if e.Output.Name == "stdout" {
				fmt.Print(e.Output.Text)
			}
		case event.Fail:
			fmt.Println(e.Fault)
		}
		return nil
	})

	ctx := context.Background()
	n, err := nbrun.Parse(ctx, "hello.ipynb", []byte(notebook), nbrun.Options{
		Params:   map[string]string{"greeting": "good morning"},
		Clock:    nbrun.Virtual,
		Observer: screen,
	})
	if err != nil {
		panic(err)
	}
	result, err := n.Run(ctx)
	if err != nil {
		panic(err)
	}
	defer result.Close()
	fmt.Println(len(result.Cells), "cells:", result.Fault())
	// Output:
	// [1] [2] [3] good morning
	// [4] cell 4, line 3: panic: runtime error: index out of range [3] with length 0
	// 4 cells: cell 4, line 3: panic: runtime error: index out of range [3] with length 0
}

// Cells can be run one by one, as by a kernel.
func ExampleNotebook_Start() {
	notebook := `{"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [
		{"cell_type": "code", "source": "func double(n int) int { return 2 * n }", "metadata": {}, "outputs": [], "execution_count": null},
		{"cell_type": "code", "source": "%%\nfmt.Println(double(21))", "metadata": {}, "outputs": [], "execution_count": null}]}`
	ctx := context.Background()
	n, err := nbrun.Parse(ctx, "double.ipynb", []byte(notebook), nbrun.Options{Engine: nbrun.Yaegi})
	if err != nil {
		panic(err)
	}
	session, err := n.Start(ctx)
	if err != nil {
		panic(err)
	}
	for i := range n.Cells() {
		if fault, err := session.Run(ctx, i); fault != nil || err != nil {
			fmt.Println(fault, err)
		}
	}
	result, err := session.Close()
	if err != nil {
		panic(err)
	}
	defer result.Close()
	outputs, err := result.Cells[1].Outputs()
	if err != nil {
		panic(err)
	}
	fmt.Print(outputs[0].Text)
	// Output: 42
}

// The file is read, run, and written with its outputs.
func ExampleRun() {
	result, err := nbrun.Run(context.Background(), "lesson.ipynb", nbrun.Options{Clock: nbrun.Virtual})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer result.Close()
	if fault := result.Fault(); fault != nil {
		fmt.Println(fault)
	}
	if err := result.WriteFile("executed.ipynb"); err != nil {
		fmt.Println(err)
	}
	// Output: lesson.ipynb: no such file or directory
}

// What can be set from outside, with -p or [nbrun.Options].
func ExampleNotebook_Params() {
	notebook := `{"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [
		{"cell_type": "code", "source": "var speed float64 = 1\nvar n = 20", "metadata": {"tags": ["parameters"]}, "outputs": [], "execution_count": null}]}`
	n, err := nbrun.Parse(context.Background(), "story.ipynb", []byte(notebook), nbrun.Options{})
	if err != nil {
		panic(err)
	}
	params, err := n.Params()
	fmt.Println(params, err)
	// Output: [speed (float64) n (int)] <nil>
}

// Before a notebook is committed, its outputs are removed; the second time there are
// none.
func ExampleClear() {
	path := filepath.Join(os.TempDir(), "clear-example.ipynb")
	defer os.Remove(path)
	notebook := `{"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [
		{"cell_type": "code", "source": "%%\nfmt.Println(42)", "metadata": {}, "execution_count": 1,
		 "outputs": [{"output_type": "stream", "name": "stdout", "text": "42\n"}]}]}`
	if err := os.WriteFile(path, []byte(notebook), 0o600); err != nil {
		panic(err)
	}
	for range 2 {
		had, err := nbrun.Clear(path, false)
		fmt.Println(had, err)
	}
	// Output:
	// true <nil>
	// false <nil>
}
