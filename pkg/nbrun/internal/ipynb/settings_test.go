package ipynb

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// with is a notebook whose metadata, and whose cell's, are these.
func with(t *testing.T, metadata, cell string) *Notebook {
	t.Helper()
	nb, err := Read(fmt.Appendf(nil, `{"cells": [{"cell_type": "code", "id": "a", "execution_count": null, "metadata": %s, "outputs": [], "source": "x"}], "metadata": %s, "nbformat": 4, "nbformat_minor": 5}`, cell, metadata))
	if err != nil {
		t.Fatal(err)
	}
	return nb
}

func TestSettings(t *testing.T) {
	for metadata, want := range map[string]string{
		`{}`:                                "0s 0 []",
		`{"execution": {"timeout": 1.5}}`:   "1.5s 0 []",
		`{"execution": {"timeout": -1}}`:    "-1s 0 []",
		`{"execution": {"timeout": null}}`:  "0s 0 []",
		`{"execution": {"timeout": 1e300}}`: fmt.Sprint(time.Duration(1<<62), " 0 []"),
		`{"execution": 7}`:                  "0s 0 []",
		`{"nbrun": {"max_memory": 4e8}}`:    "0s 400000000 []",
		`{"nbrun": {"mask": ["a", "b"]}}`:   "0s 0 [a b]",
		`{"execution": {"timeout": "30"}}`:  `the metadata "execution.timeout" must be a number of seconds, got "30"`,
		`{"nbrun": {"max_memory": "2G"}}`:   `the metadata "nbrun.max_memory" must be a number of bytes, got "2G"`,
		`{"nbrun": {"max_memory": -1}}`:     `the metadata "nbrun.max_memory" must not be negative, got -1`,
		`{"nbrun": {"mask": "a"}}`:          `the metadata "nbrun.mask" must be a list of regular expressions, got "a"`,
		`{"nbrun": {"mask": ["a", 1]}}`:     `the metadata "nbrun.mask" must be a list of regular expressions, got ["a", 1]`,
		`{"nbrun": {"clock": "real"}}`:      "0s 0 [] real",
		`{"nbrun": {"clock": "fake"}}`:      `the metadata "nbrun.clock" must be "real", got "fake"`,
		`{"nbrun": {"clock": 1}}`:           `the metadata "nbrun.clock" must be "real", got 1`,
		`{"nbrun": [1]}`:                    `the metadata "nbrun" must be an object, got [1]`,
	} {
		nb := with(t, metadata, metadata)
		for _, get := range []func() (Settings, error){nb.Settings, nb.Cells[0].Settings} {
			s, err := get()
			got := fmt.Sprint(s.Timeout, s.MaxMemory, s.Masks)
			if s.RealClock {
				got += " real"
			}
			if err != nil {
				got = err.Error()
			}
			if strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
				t.Errorf("%s: %s, want %s", metadata, got, want)
			}
		}
	}
}
