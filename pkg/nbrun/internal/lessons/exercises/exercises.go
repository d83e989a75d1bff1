// Package exercises has the exercises of the lessons with their solutions, and wrong
// answers that somebody may well give. It makes notebooks of answers, and judges what
// the checks in them say. It is for tests of all that runs the lessons.
package exercises

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/ipynb"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/lessons"
)

// Exercise is one of a lesson, by the places of its cells.
type Exercise struct {
	At     int      // of the cell that is to be changed
	Code   string   // which is this
	Checks []int    // the code cells between the two
	Wrong  []Answer // that somebody may well give
}

// Of are the exercises of a lesson, with its notebook.
func Of(path string) (nb *ipynb.Notebook, all []Exercise, err error) {
	nb, err = ipynb.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	var now *Exercise
	for i, c := range nb.Cells {
		switch {
		case c.HasTag("exercise"):
			now = &Exercise{At: i}
		case c.HasTag("solution"):
			if now == nil {
				return nil, nil, fmt.Errorf("%s, cell %d: a solution without an exercise", path, i+1)
			}
			_, code, _ := strings.Cut(c.Source, "```go\n")
			now.Code, _, _ = strings.Cut(code, "\n```")
			now.Wrong = wrong[fmt.Sprintf("%s %d", lessons.Topic(path), len(all)+1)]
			for _, a := range now.Wrong {
				if !strings.Contains(now.Code, a.From) {
					return nil, nil, fmt.Errorf("%s: the solution of cell %d has no %q:\n%s", a.Who, now.At+1, a.From, now.Code)
				}
			}
			all = append(all, *now)
			now = nil
		case c.Type == "code" && now != nil:
			now.Checks = append(now.Checks, i)
		}
	}
	if now != nil || len(all) == 0 {
		return nil, nil, fmt.Errorf("%s: %d exercises with a solution, and %v", path, len(all), now)
	}
	return nb, all, nil
}

// Give is what somebody writes who gives a wrong answer.
func (e Exercise) Give(a Answer) string { return strings.Replace(e.Code, a.From, a.To, 1) }

// Attempt makes a notebook of a lesson up to an exercise, followed by answers to it,
// each with the cells that check it. A cell that fails says so there, and the rest goes
// on. The first answer is the notebook's cell of that index.
func (e Exercise) Attempt(nb *ipynb.Notebook, answers []string) (data []byte, first int, err error) {
	type object map[string]any
	var cells []object
	add := func(source string, tags ...string) {
		cells = append(cells, object{
			"cell_type": "code", "id": fmt.Sprint("cell-", len(cells)), "metadata": object{"tags": tags}, "source": source,
			"execution_count": nil, "outputs": []any{},
		})
	}
	for _, c := range nb.Cells[:e.At] {
		demonstration := c.HasTag("raises-exception") || c.HasTag("real-clock") || c.HasTag("check")
		if c.Type == "code" && !demonstration {
			add(c.Source, c.Tags...)
		}
	}
	first = len(cells)
	for _, source := range answers {
		add(source, "raises-exception")
		for _, i := range e.Checks {
			add(nb.Cells[i].Source, append([]string{"raises-exception"}, nb.Cells[i].Tags...)...)
		}
	}
	data, err = json.Marshal(object{
		"cells": cells, "nbformat": 4, "nbformat_minor": 5,
		"metadata": object{"kernelspec": object{"name": "gonb", "display_name": "Go"}, "language_info": object{"name": "go"}},
	})
	return data, first, err
}

var colours = regexp.MustCompile(`\x1b\[[\d;]*m`)

// Said is what is said to each answer in a notebook of Attempt that was run: by the
// checks, and by the answer itself no more than that it fails.
func (e Exercise) Said(done *ipynb.Notebook, first int) (said []string) {
	for i := first; i < len(done.Cells); i += 1 + len(e.Checks) {
		text := ""
		for k, c := range done.Cells[i : i+1+len(e.Checks)] {
			stdout, stderr, errs := c.Texts()
			if k > 0 || len(errs) > 0 {
				text += colours.ReplaceAllString(fmt.Sprint(stdout, stderr, errs), "")
			}
		}
		said = append(said, text)
	}
	return said
}

// solved is what a check says of an exercise. That of one for the race detector leaves
// the last word to it.
var solved = regexp.MustCompile(`Solved(\.|, if the race detector below says nothing\.)`)

// Solved reports whether an answer is told that it is right, in all.
func Solved(said string) bool {
	return !strings.Contains(said, "✘") && !strings.Contains(said, "○") && solved.MatchString(said)
}

// fulfilled are the lines of claims that are true, or left open.
var fulfilled = regexp.MustCompile(`(?m)^(✔|○) .*$`)

// Judge returns an error unless who gave an answer is told that it is wrong, and why.
func (a Answer) Judge(said string) error {
	if strings.Contains(said, "Solved.") || !strings.Contains(said, "✘") && !strings.Contains(said, "exit status") {
		return fmt.Errorf("who %s is told\n%s", a.Who, said)
	}
	if told := fulfilled.ReplaceAllString(said, ""); !strings.Contains(told, a.Says) {
		return fmt.Errorf("who %s is not told %q:\n%s", a.Who, a.Says, said)
	}
	return nil
}
