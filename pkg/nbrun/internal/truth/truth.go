// Package truth is the table of answers to cells: the real kernel's answers, which all
// engines give too, except where they differ for a reason. It is for tests of
// everything that runs cells. A table is a txtar file, a notebook on one theme. In it,
//
//	-- NAME --        is a cell,
//	-- NAME.out --    what the real kernel answers, and with it all engines, but for
//	-- NAME.nbrun --  what all others answer that differ from it: why, in lines that
//	                  begin with #, and the answer,
//	-- NAME.ENGINE -- what one engine answers that differs from the others: why, too.
package truth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/txtar"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/ipynb"
)

// Table is a notebook with the answers to it.
type Table struct {
	Names   []string          // of the cells
	Texts   map[string]string // of the sections
	comment []byte
}

// Kernel is the engine whose answers are the truth.
const Kernel = "gonb"

// sections of a cell, but for the cell itself.
var sections = []string{"out", "nbrun", "go", "virtual", "yaegi", "yaegi-virtual", "page"}

// inherits are the sections of others that an engine's answers may be in, too.
var inherits = map[string][]string{"yaegi-virtual": {"yaegi"}}

// Read reads a table.
func Read(path string) (*Table, error) {
	archive, err := txtar.ParseFile(path)
	if err != nil {
		return nil, err
	}
	t := &Table{comment: archive.Comment, Texts: map[string]string{}}
	for _, f := range archive.Files {
		if _, twice := t.Texts[f.Name]; twice {
			return nil, fmt.Errorf("%s: %s twice", path, f.Name)
		}
		t.Texts[f.Name] = string(f.Data)
		name, section, answer := strings.Cut(f.Name, ".")
		switch {
		case !answer:
			t.Names = append(t.Names, name)
		case !slices.Contains(t.Names, name) || !slices.Contains(sections, section):
			return nil, fmt.Errorf("%s: %s belongs to no cell before it", path, f.Name)
		}
	}
	return t, nil
}

// Format is the table's file.
func (t *Table) Format() []byte {
	archive := &txtar.Archive{Comment: t.comment}
	for _, name := range t.Names {
		archive.Files = append(archive.Files, txtar.File{Name: name, Data: []byte(t.Texts[name])})
		for _, s := range sections {
			if text, ok := t.Texts[name+"."+s]; ok {
				archive.Files = append(archive.Files, txtar.File{Name: name + "." + s, Data: []byte(text)})
			}
		}
	}
	return txtar.Format(archive)
}

// Sources are those of the cells.
func (t *Table) Sources() []string {
	var sources []string
	for _, name := range t.Names {
		sources = append(sources, strings.TrimSuffix(t.Texts[name], "\n"))
	}
	return sources
}

// Answer is what an engine answers to a cell.
type Answer struct {
	Text    string
	Refused bool // the engine can't do what the cell wants
}

// Answers returns the answers of a run of a notebook with these sources in a folder,
// given its cells' faults by their numbers.
func (t *Table) Answers(done *ipynb.Notebook, faults map[int]*event.Fault, dir string) ([]Answer, error) {
	var answers []Answer
	var numbered []string
	for i, c := range done.Cells {
		text, err := said(c, dir)
		if err != nil {
			return nil, err
		}
		a := Answer{Text: text}
		if strings.TrimSpace(c.Source) != "" { // others are not run
			numbered = append(numbered, t.Names[i])
			if f := faults[len(numbered)]; f != nil {
				place := fmt.Sprint("line ", f.Line)
				if f.Cell != len(numbered) {
					place = numbered[f.Cell-1] + ", " + place
				}
				a.Text += "✘ " + place + ": " + clean(f.Text, dir) + "\n"
				a.Refused = f.Reason == event.Unsupported
			}
		}
		answers = append(answers, a)
	}
	return answers, nil
}

// Check compares an answer with the kernel's, or with the one that the engine gives on
// purpose. With update it replaces the recorded answer, where it may differ.
func (t *Table) Check(name, engine string, a Answer, update bool) error {
	got, refuses := a.Text, a.Refused
	out := name + ".out"
	if engine == Kernel {
		if update {
			t.Texts[out] = got
		}
		if want := t.Texts[out]; got != want {
			return fmt.Errorf("%s: the kernel answers\n%s\nand not, as recorded,\n%s", name, got, want)
		}
		return nil
	}
	own := name + "." + engine
	for _, section := range append(inherits[engine], "nbrun") {
		if _, there := t.Texts[own]; there {
			break
		}
		if _, there := t.Texts[name+"."+section]; there {
			own = name + "." + section
		}
	}
	text, differs := t.Texts[own]
	why, want := "", t.Texts[out]
	if differs {
		lines := strings.SplitAfter(text, "\n")
		i := slices.IndexFunc(lines, func(l string) bool { return !strings.HasPrefix(l, "#") })
		why, want = strings.Join(lines[:i], ""), strings.Join(lines[i:], "")
	}
	switch {
	case update && got == t.Texts[out]:
		delete(t.Texts, own)
	case update && strings.HasSuffix(own, ".nbrun") && refuses:
		t.Texts[name+"."+engine] = got
	case update && (why != "" || refuses):
		t.Texts[own] = why + got
	case differs && got == t.Texts[out]:
		return fmt.Errorf("%s: there is no difference any more", name)
	case differs && why == "" && !refuses:
		return fmt.Errorf("%s: differs without a reason", name)
	case got != want:
		return fmt.Errorf("%s:\n%s\n%s answers\n%s\nand not\n%s", name, t.Texts[name], engine, got, want)
	}
	return nil
}

// What differs from run to run, or from machine to machine.
var unsteady = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`/[^\s"']*gonb_[0-9a-f]+(/main\.go:\d+:\d+)?`), "TMP"},
	{regexp.MustCompile(`gonb_[0-9a-f]+`), "gonb_ID"},
	{regexp.MustCompile(`\d+\.\d\ds\b`), "N s"},
	{regexp.MustCompile(`0x[0-9a-f]+|0xc[0-9a-f]+`), "0xN"},
	{regexp.MustCompile(` pc=0xN| addr=0xN| code=0xN`), ""},
	{regexp.MustCompile(`(main_test|cell\d+)\.go:\d+`), "FILE:N"}, // ours is that of the cell
	{regexp.MustCompile(`(?s)\n?goroutine \d+ .*?(\nexit status |$)`), "\nSTACK$1"},
	{regexp.MustCompile(`(?s)WARNING: DATA RACE\n.*(Found \d+ data race)`), "RACE\n$1"},
}

func clean(text, dir string) string {
	text = strings.ReplaceAll(text, dir, "DIR")
	for _, u := range unsteady {
		text = u.pattern.ReplaceAllString(text, u.with)
	}
	return text
}

// said is the output of a cell: lines of stdout after "1> ", of stderr after "2> ", and
// displays.
func said(c *ipynb.Cell, dir string) (string, error) {
	var cell struct {
		Outputs []struct {
			Type string                     `json:"output_type"`
			Data map[string]json.RawMessage `json:"data"`
			Meta json.RawMessage            `json:"metadata"`
		}
	}
	if err := json.Unmarshal(c.Raw(), &cell); err != nil {
		return "", err
	}
	var b strings.Builder
	lines := func(prefix, text string) {
		for line := range strings.Lines(clean(text, dir)) {
			if !strings.HasSuffix(line, "\n") {
				line += "⏎\n"
			}
			b.WriteString(prefix + line)
		}
	}
	stdout, stderr, _ := c.Texts()
	lines("1> ", strings.ToValidUTF8(stdout, "\ufffd"))
	lines("2> ", strings.ToValidUTF8(stderr, "\ufffd"))
	for _, o := range cell.Outputs {
		var kinds []string
		for mime := range o.Data {
			kinds = append(kinds, mime)
		}
		slices.Sort(kinds)
		for _, mime := range kinds {
			if strings.Contains(string(o.Data[mime]), ".gonb-err-location {") {
				continue
			}
			var data, metadata bytes.Buffer
			if err := errors.Join(json.Compact(&data, o.Data[mime]), json.Compact(&metadata, o.Meta)); err != nil {
				return "", err
			}
			fmt.Fprintf(&b, "%s: %s %s\n", mime, clean(data.String(), dir), metadata.String())
		}
	}
	return b.String(), nil
}
