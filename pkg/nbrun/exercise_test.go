package nbrun_test

import (
	"slices"
	"testing"

	"github.com/b3771e63/prodcons/pkg/nbrun"
	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

// An exercise that is open is no fault.
func TestAnOpenExerciseIsNoFault(t *testing.T) {
	const notebook = `{"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [
		{"cell_type": "code", "source": "var answer = 0", "metadata": {}, "outputs": [], "execution_count": null},
		{"cell_type": "code", "source": "%%\nif answer++; answer < 2 {\n\tfmt.Println(\"✘ it is two\")\n}", "metadata": {"tags": ["check"]}, "outputs": [], "execution_count": null}]}`
	var open []int
	observer := event.ObserverFunc(func(e event.Event) error {
		if e.Action == event.Pass || e.Action == event.End {
			open = append(open, e.Open)
		}
		return nil
	})
	n, err := nbrun.Parse(t.Context(), "a.ipynb", []byte(notebook), nbrun.Options{Engine: nbrun.Yaegi, Observer: observer})
	if err != nil {
		t.Fatal(err)
	}
	s, err := n.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if fault, err := s.Run(t.Context(), i); fault != nil || err != nil {
			t.Errorf("cell %d: fault %v, error %v", i, fault, err)
		}
	}
	r, err := s.Close()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if !r.Cells[1].Open || r.Cells[0].Open || r.Fault() != nil {
		t.Errorf("open: %v and %v, fault %v", r.Cells[0].Open, r.Cells[1].Open, r.Fault())
	}
	if want := []int{0, 1, 1}; !slices.Equal(open, want) { // two cells, and the end
		t.Errorf("told %v, want %v", open, want)
	}
}
