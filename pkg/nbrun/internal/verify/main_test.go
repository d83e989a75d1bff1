package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// notebook is one with these cells.
func notebook(cells ...string) string {
	return `{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [` + strings.Join(cells, ", ") + `]}`
}

// code is a cell that has run, with a tag and an output.
func code(count, tag, output string) string {
	return fmt.Sprintf(`{"cell_type": "code", "id": "a", "source": "", "execution_count": %s, "metadata": {"tags": [%q]}, "outputs": [%s]}`, count, tag, output)
}

func stream(name, text string) string {
	return fmt.Sprintf(`{"output_type": "stream", "name": %q, "text": %q}`, name, text)
}

const (
	failure = `{"output_type": "error", "ename": "ERROR", "evalue": "exit status 2", "traceback": []}`
	picture = `{"output_type": "display_data", "metadata": {}, "data": {"image/png": "", "text/plain": ""}}`
)

// execution is a cell that ran from one second of a minute to another.
func execution(begin, end string) string {
	return `{"cell_type": "code", "source": "", "metadata": {"execution": {"iopub.status.busy": "2026-01-02T03:04:` + begin + `Z", "shell.execute_reply": "2026-01-02T03:04:` + end + `Z"}}, "outputs": []}`
}

// benchmarks are those of all sides, with a time for one of them.
func benchmarks(side, ns string) string {
	var b strings.Builder
	for _, m := range []struct{ name, ns string }{
		{"gonb", "2800000000"},
		{"go,clock=virtual", "220000000"},
		{"go,clock=real", "320000000"},
		{"yaegi", "290000000"},
		{"nbconvert", "5300000000"},
		{"papermill", "5700000000"},
	} {
		if m.name == side {
			m.ns = ns
		}
		fmt.Fprintf(&b, "BenchmarkLesson/%s-2  \t1\t%s ns/op\n", m.name, m.ns)
	}
	return b.String()
}

// jobBenchmarks are those of the durable queue, with a time for four workers.
func jobBenchmarks(ns string) string {
	var b strings.Builder
	for _, row := range []string{"workers=1/batched=false", "workers=1/batched=true", "workers=4/batched=true"} {
		fmt.Fprintf(&b, "BenchmarkJobs/prodcons/%s-2\t1\t1500 ns/op\t10 use-ns/op\nBenchmarkJobs/nats/%[1]s-2\t1\t1400 ns/op\n", row)
	}
	fmt.Fprintf(&b, "BenchmarkJobs/prodcons/workers=4/batched=false-2\t1\t%s ns/op\nBenchmarkJobs/nats/workers=4/batched=false-2\t1\t1400 ns/op\n", ns)
	return b.String()
}

func TestVerify(t *testing.T) {
	told := func(actions string) string { // with a minute between them
		at := time.Date(2009, 11, 10, 23, 0, 0, 0, time.UTC)
		return regexp.MustCompile(`\w+`).ReplaceAllStringFunc(actions, func(action string) string {
			at = at.Add(time.Minute)
			return `{"time": "` + at.Format(time.RFC3339) + `", "action": "` + action + `"}`
		})
	}
	four := "On it the story lasts four minutes, the command less."
	yellowLine := stream("stdout", "") // %q writes an escape that JSON does not know
	yellowLine = strings.Replace(yellowLine, `""`, `"\u001b[38;5;16;48;5;220m item"`, 1)
	readme, err := os.ReadFile("../../../../scripts/nbrun/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args  string // FILE and DIR are what is in files
		files map[string]string
		want  string // of the error; "" for none
	}{
		{"ran", nil, "want a check"},
		{"shines x", nil, "unknown check"},
		{"same x", nil, "1 arguments"},
		{"ran nothing.ipynb", nil, "no such file"},

		{"ran DIR/a.ipynb", map[string]string{"a.ipynb": notebook(code("1", "", stream("stdout", "✔")), code("2", "raises-exception", failure), code("3", "check", stream("stdout", "✘")))}, ""},
		{"ran DIR/a.ipynb", map[string]string{"a.ipynb": notebook(code("1", "", ""), code("null", "", ""))}, "cell 2: was not run"},
		{"ran DIR/a.ipynb", map[string]string{"a.ipynb": notebook(code("1", "", failure))}, "cell 1: failed: exit status 2"},
		{"ran DIR/a.ipynb", map[string]string{"a.ipynb": notebook(code("1", "", stream("stderr", "✘ 1 s")))}, "cell 1: a claim is false"},

		{"rewritten DIR/a", map[string]string{"a": notebook(), "a.again": notebook()}, ""},
		{"rewritten DIR/a", map[string]string{"a": notebook(), "a.again": notebook() + "\n"}, "line 1 is written otherwise"},
		{"rewritten DIR/a", map[string]string{"a": "\n" + notebook() + "\n", "a.again": "\n" + notebook()}, "line 2 is written otherwise"},
		{"rewritten DIR/a", map[string]string{"a": strings.Replace(notebook(), "5", "4", 1), "a.again": ""}, "is nbformat 4.4, want 4.5"},
		{"rewritten DIR/a", map[string]string{"a": notebook()}, "a.again: no such file"},

		{"same DIR/x DIR/y", map[string]string{
			"x/a.ipynb": notebook(code("1", "", stream("stdout", "a")+","+stream("stderr", "b")+","+picture)),
			"y/a.ipynb": notebook(code("1", "", stream("stderr", "c")+","+picture+","+stream("stdout", "d")+","+stream("stderr", "e"))),
		}, ""},
		{"same DIR/x DIR/y", map[string]string{"x/a.ipynb": notebook(code("1", "", picture)), "y/a.ipynb": notebook(code("1", "", ""))}, `cell 1: has outputs ["display_data image/png text/plain"]`},
		{"same DIR/x DIR/y", map[string]string{"x/a.ipynb": notebook(code("1", "", "")), "y/a.ipynb": notebook()}, "has 1 cells, and in"},
		{"same DIR/x DIR/y", map[string]string{"x/a.ipynb": notebook()}, "y/a.ipynb: no such file"},
		{"same DIR/x DIR/y", map[string]string{"y/a.ipynb": notebook()}, "x: has no notebooks"},

		{"pages DIR DIR", map[string]string{"a.ipynb": notebook(code("1", "", yellowLine+","+picture)), "a.html": "rgb(255, 215, 0) <svg"}, ""},
		{"pages DIR DIR", map[string]string{"a.ipynb": notebook(code("1", "", yellowLine+","+picture)), "a.html": "rgb(255, 215, 0)"}, "a.html: has no picture"},
		{"pages DIR DIR", map[string]string{"a.ipynb": notebook(code("1", "", yellowLine+","+picture)), "a.html": "<svg"}, "a.html: has no coloured lines"},
		{"pages DIR DIR", map[string]string{"a.ipynb": notebook(code("1", "", picture)), "a.html": "<svg"}, "nothing was compared"},
		{"pages DIR DIR", map[string]string{"a.ipynb": notebook(code("1", "", picture))}, "a.html: no such file"},

		{"started DIR/a.ipynb", map[string]string{"a.ipynb": notebook(execution("00", "02"), execution("02", "02.3"), execution("03", "03.3"))}, ""},
		{"started DIR/a.ipynb", map[string]string{"a.ipynb": notebook(execution("00", "01"), execution("01", "01"), execution("01", "01"))}, ""}, // GoNB's clock counts seconds
		{"started DIR/a.ipynb", map[string]string{"a.ipynb": notebook(execution("00", "05"), execution("05", "05.3"), execution("06", "06.3"))}, "the first cell takes 5s, and 3s is the most"},
		{"started DIR/a.ipynb", map[string]string{"a.ipynb": notebook(execution("00", "01"), code("1", "", ""))}, "cell 2: has no times of execution"},
		{"started DIR/a.ipynb", map[string]string{"a.ipynb": notebook(execution("00", "01"))}, "has 1 code cells"},

		{"events DIR/e DIR/README", map[string]string{"README": four, "e": told("start cell output pass cell fail end\nstart skip end")}, ""},
		{"events DIR/e DIR/README", map[string]string{"README": four, "e": told("start cell pass cell fail end\nstart skip end")}, "the story has drifted from 4 minutes"},
		{"events DIR/e DIR/README", map[string]string{"README": "", "e": told("start cell pass cell fail end\nstart skip end")}, "the story has drifted from 0 minutes"},
		{"events DIR/e DIR/README", map[string]string{"README": four, "e": told("start cell pass end start end start")}, "3 notebooks have started and 2 ended"},
		{"events DIR/e DIR/README", map[string]string{"README": four, "e": told("start cell pass end")}, "1 notebooks have started"},
		{"events DIR/e DIR/README", map[string]string{"README": four, "e": told("start cell pass cell end start end")}, "2 cells have begun, and 1 have a verdict"},
		{"events DIR/e DIR/README", map[string]string{"README": four, "e": `{"moment": 1}`}, "unknown field"},

		{"faster DIR/b DIR/README", map[string]string{"README": string(readme), "b": benchmarks("", "")}, ""},
		{"faster DIR/b DIR/README", map[string]string{"README": string(readme), "b": benchmarks("papermill", "3000000000")}, "must be 1.3 times as fast as its peers, and is 1.1 times"},
		{"faster DIR/b DIR/README", map[string]string{"README": string(readme), "b": benchmarks("yaegi", "900000000")}, "has drifted from 18"},
		{"faster DIR/b DIR/README", map[string]string{"README": string(readme), "b": benchmarks("yaegi", "90000000")}, "has drifted from 18"},
		{"faster DIR/b DIR/README", map[string]string{"README": "", "b": benchmarks("", "")}, "has drifted from 0"},
		{"faster DIR/b DIR/README", map[string]string{"README": string(readme), "b": benchmarks("", "") + "--- FAIL: BenchmarkLesson/gonb"}, "a benchmark failed: --- FAIL"},
		{"faster DIR/b DIR/README", map[string]string{"README": string(readme), "b": strings.ReplaceAll(benchmarks("", ""), "papermill", "x")}, "papermill was not measured"},

		{"durable DIR/b ../../../../scripts/bench/durable/doc.go", map[string]string{"b": jobBenchmarks("1500")}, ""},
		{"durable DIR/b ../../../../scripts/bench/durable/doc.go", map[string]string{"b": jobBenchmarks("3000")}, "workers=4/batched=false has drifted from 0.85"},
		{"durable DIR/b ../../../../scripts/bench/durable/doc.go", map[string]string{"b": ""}, "has drifted from 1.07"},
		{"durable DIR/b DIR/b", map[string]string{"b": jobBenchmarks("1500")}, "gives no ratios"},

		{"first DIR/1 DIR/2 ../../../../README.md", map[string]string{"1": "80.5 10.1\n", "2": "3.1 1.2\n"}, ""},
		{"first DIR/1 DIR/2 ../../../../README.md", map[string]string{"1": "280 20\n", "2": "3 1\n"}, "the first command has drifted from 52 s"},
		{"first DIR/1 DIR/2 ../../../../README.md", map[string]string{"1": "80 10\n", "2": "20 2\n"}, "takes two cores 11.0 s the second time; 10 s are the most"},
		{"first DIR/1 DIR/2 DIR/README", map[string]string{"1": "80.5 10.1\n", "2": "3.1 1.2\n", "README": ""}, "the first command has drifted from 0 s"},
		{"first DIR/1 DIR/2 DIR/README", map[string]string{"1": "", "2": "3 1\n", "README": ""}, "has no processor times"},
		{"image DIR/s ../../../../scripts/lab/README.md", map[string]string{"s": "2500\t.\n300\tusr\n"}, ""},
		{"image DIR/s ../../../../scripts/lab/README.md", map[string]string{"s": "3600\t.\n2200\tusr\n"}, "has drifted from 2.6 GB"},
		{"image DIR/s ../../../../scripts/lab/README.md", map[string]string{"s": "2200\tusr\n"}, "gives no size"},
	} {
		dir := t.TempDir()
		for name, text := range c.files {
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		var out strings.Builder
		err := run(&out, strings.Fields(strings.ReplaceAll(c.args, "DIR", dir)))
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.args, err)
		case c.want == "" && out.Len() == 0:
			t.Errorf("%s: does not say what it has checked", c.args)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: got error %v, want %q", c.args, err, c.want)
		}
	}
}
