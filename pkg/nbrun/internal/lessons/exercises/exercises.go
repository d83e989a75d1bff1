// Package exercises has the exercises of the lessons with their solutions, and wrong
// answers that somebody might give. It makes notebooks of answers, and judges what the
// checks in them say. It is for tests of everything that runs the lessons.
package exercises

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/ipynb"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/lessons"
)

// Exercise is an exercise of a lesson, by the positions of its cells.
type Exercise struct {
	At       int      // of the cell that is to be changed
	Solution int      // of the cell with the solution
	Code     string   // which is this
	Checks   []int    // the code cells between the two
	Wrong    []Answer // that somebody may well give
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
			now.Solution = i
			now.Wrong = wrong[fmt.Sprintf("%s %d", lessons.Topic(path), len(all)+1)]
			for _, a := range now.Wrong {
				if !strings.Contains(now.Code, a.From) {
					return nil, nil, fmt.Errorf("answers.go, who %s: the solution of cell %d has no %q (a new exercise changes the numbers of those after it):\n%s", a.Who, now.At+1, a.From, now.Code)
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

// Give is what somebody writes who gives an answer; the zero answer is the solution.
func (e Exercise) Give(a Answer) string { return strings.Replace(e.Code, a.From, a.To, 1) }

// Attempt makes a notebook of a lesson in which each exercise is followed by answers to
// it, the wrong ones and at last the solution, each with the cells that check it. A
// cell that fails says so there, and the rest goes on. Exercises must be the lesson's,
// in their order; what comes after the last is left out. For the notebook after its
// run, said returns what each answer to each exercise is told: by the checks, and by
// the answer itself only that it fails.
func Attempt(nb *ipynb.Notebook, exercises []Exercise) (data []byte, said func(done *ipynb.Notebook) [][]string, err error) {
	type object map[string]any
	var cells []object
	add := func(c *ipynb.Cell, source string, tags ...string) {
		cells = append(cells, object{
			"cell_type": "code", "id": fmt.Sprint("cell-", len(cells)), "metadata": object{"tags": append(tags, c.Tags...)}, "source": source,
			"execution_count": nil, "outputs": []any{},
		})
	}
	first := make([]int, len(exercises)) // the cell of an exercise's first answer
	next := 0                            // the cell of the lesson that comes next
	for k, e := range exercises {
		for _, c := range nb.Cells[next:e.At] {
			demonstration := c.HasTag("raises-exception") || c.HasTag("real-clock") || c.HasTag("check")
			if c.Type == "code" && !demonstration {
				add(c, c.Source)
			}
		}
		first[k], next = len(cells), e.Solution
		for _, a := range append(e.Wrong, Answer{}) {
			add(nb.Cells[e.At], e.Give(a), "raises-exception")
			for _, i := range e.Checks {
				add(nb.Cells[i], nb.Cells[i].Source, "raises-exception")
			}
		}
	}
	data, err = json.Marshal(object{
		"cells": cells, "nbformat": 4, "nbformat_minor": 5,
		"metadata": object{"kernelspec": object{"name": "gonb", "display_name": "Go"}, "language_info": object{"name": "go"}},
	})
	return data, func(done *ipynb.Notebook) (said [][]string) {
		for k, e := range exercises {
			said = append(said, e.said(done.Cells[first[k]:]))
		}
		return said
	}, err
}

var colours = regexp.MustCompile(`\x1b\[[\d;]*m`)

// said returns what each answer is told; its cells begin with the first.
func (e Exercise) said(cells []*ipynb.Cell) (said []string) {
	for range len(e.Wrong) + 1 {
		text := ""
		for k, c := range cells[:1+len(e.Checks)] {
			stdout, stderr, errs := c.Texts()
			if k > 0 || len(errs) > 0 {
				text += colours.ReplaceAllString(fmt.Sprint(stdout, stderr, errs), "")
			}
		}
		said, cells = append(said, text), cells[1+len(e.Checks):]
	}
	return said
}

// solved is what a check says about a solved exercise. One for the race detector leaves
// the last word to it.
var solved = regexp.MustCompile(`Solved(\.|, if the race detector below says nothing\.)`)

// Solved reports whether an answer is told that all of it is right.
func Solved(said string) bool {
	return !strings.Contains(said, "✘") && !strings.Contains(said, "○") && solved.MatchString(said)
}

// fulfilled returns the lines of claims that are true, or left open.
var fulfilled = regexp.MustCompile(`(?m)^(✔|○) .*$`)

// Judge returns an error unless the author of a wrong answer is told that it is wrong,
// and why.
func (a Answer) Judge(said string) error {
	if strings.Contains(said, "Solved.") || !strings.Contains(said, "✘") && !strings.Contains(said, "exit status") {
		return fmt.Errorf("who %s is told\n%s", a.Who, said)
	}
	if told := fulfilled.ReplaceAllString(said, ""); !strings.Contains(told, a.Says) {
		return fmt.Errorf("who %s is not told %q:\n%s", a.Who, a.Says, said)
	}
	return nil
}
