package ipynb

import (
	"testing"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

func TestStoredOutputs(t *testing.T) {
	nb, err := Read([]byte(`{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
		{"cell_type": "code", "source": "x", "metadata": {}, "outputs": [
			{"output_type": "stream", "name": "stderr", "text": ["a\n", "b"]},
			{"output_type": "display_data", "data": {"text/plain": ["c", "d"], "application/json": {"e": 1}}, "metadata": {}},
			{"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["t"]},
			{"output_type": "of another time"}]},
		{"cell_type": "code", "source": "x", "metadata": {}, "outputs": [1]},
		{"cell_type": "markdown", "source": "x", "metadata": {}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	got, err := nb.Cells[0].Stored()
	if err != nil || len(got) != 3 {
		t.Fatalf("%v, %v", got, err)
	}
	if got[0].Kind != event.Stream || got[0].Name != "stderr" || got[0].Text != "a\nb" {
		t.Errorf("%+v", got[0])
	}
	if got[1].Kind != event.Display || got[1].Data["text/plain"] != "cd" {
		t.Errorf("%+v", got[1])
	}
	if got[2].Kind != event.Error || got[2].Name != "E" || got[2].Value != "v" || got[2].Traceback[0] != "t" {
		t.Errorf("%+v", got[2])
	}
	if _, err := nb.Cells[1].Stored(); err == nil {
		t.Error("no error for what are no outputs")
	}
	if got, err := nb.Cells[2].Stored(); got != nil || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}
