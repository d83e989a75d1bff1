package nbrun_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/b3771e63/prodcons/pkg/nbrun"
	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/ipynb"
)

// TestTruth runs the cells in testdata/truth by every engine. Each file there is a
// notebook on one theme. In it,
//
//	-- NAME --        is a cell,
//	-- NAME.out --    what the real kernel answers, and with it all engines, except
//	-- NAME.nbrun --  what all others answer that differ from it: why, in lines that
//	                  begin with #, and the answer,
//	-- NAME.ENGINE -- what one engine answers that differs from the others: why, too.
//
// The kernel's answers, and those of engines that have said why, are recorded with
//
//	go test ./pkg/nbrun -run Truth -update
//
// and otherwise checked against a kernel that runs. An interpreter that says that
// it can't do something has said why.
func TestTruth(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Setenv("PRODCONS", root); err != nil { // t.Setenv is not for parallel tests
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/truth/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("files: %v, %v", files, err)
	}
	engines := []struct {
		name string
		opts nbrun.Options
	}{
		{"gonb", nbrun.Options{Engine: nbrun.GoNB}},
		{"go", nbrun.Options{}},
		{"virtual", nbrun.Options{Clock: nbrun.Virtual}},
		{"yaegi", nbrun.Options{Engine: nbrun.Yaegi}},
		{"yaegi-virtual", nbrun.Options{Engine: nbrun.Yaegi, Clock: nbrun.Virtual}},
	}
	total := 0
	for _, file := range files {
		table, err := readTruth(file)
		if err != nil {
			t.Fatal(err)
		}
		total += len(table.names)
		for _, e := range engines {
			// The interpreter runs in this same binary, and one with the race detector
			// in it notices no deadlocks: those cells run into their timeout.
			blind := raceEnabled && e.name == "yaegi"
			if blind {
				e.opts.Timeout = 10 * time.Second
			}
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar")+"/"+e.name, func(t *testing.T) {
				if e.opts.Clock != nbrun.Virtual {
					takesLong(t)
				}
				if !*update { // which collects the answers
					t.Parallel()
				}
				answers := table.run(t, e.opts)
				for i, name := range table.names {
					if blind && strings.HasPrefix(name, "deadlock") {
						continue
					}
					table.check(t, name, e.name, answers[i])
				}
			})
		}
		if *update {
			if err := os.WriteFile(file, table.format(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if total < 120 {
		t.Errorf("only %d cells", total)
	}
}

// truth is a notebook with the answers to it.
type truth struct {
	comment []byte
	names   []string          // of the cells
	texts   map[string]string // of the sections
}

// sections of a cell, except the cell itself.
var sections = []string{"out", "nbrun", "go", "virtual", "yaegi", "yaegi-virtual"}

// inherits are the sections of others that an engine's answers may be in, too.
var inherits = map[string][]string{"yaegi-virtual": {"yaegi"}}

func readTruth(path string) (*truth, error) {
	archive, err := txtar.ParseFile(path)
	if err != nil {
		return nil, err
	}
	t := &truth{comment: archive.Comment, texts: map[string]string{}}
	for _, f := range archive.Files {
		if _, twice := t.texts[f.Name]; twice {
			return nil, fmt.Errorf("%s: %s twice", path, f.Name)
		}
		t.texts[f.Name] = string(f.Data)
		name, section, answer := strings.Cut(f.Name, ".")
		switch {
		case !answer:
			t.names = append(t.names, name)
		case !slices.Contains(t.names, name) || !slices.Contains(sections, section):
			return nil, fmt.Errorf("%s: %s belongs to no cell before it", path, f.Name)
		}
	}
	return t, nil
}

func (t *truth) format() []byte {
	archive := &txtar.Archive{Comment: t.comment}
	for _, name := range t.names {
		archive.Files = append(archive.Files, txtar.File{Name: name, Data: []byte(t.texts[name])})
		for _, s := range sections {
			if text, ok := t.texts[name+"."+s]; ok {
				archive.Files = append(archive.Files, txtar.File{Name: name + "." + s, Data: []byte(text)})
			}
		}
	}
	return txtar.Format(archive)
}

// check compares an answer with that of the kernel, or with the one that the
// engine gives on purpose.
func (t *truth) check(tt *testing.T, name, engine string, a answer) {
	tt.Helper()
	got, refuses := a.text, a.refused
	out := name + ".out"
	if engine == "gonb" {
		if *update {
			t.texts[out] = got
		}
		if want := t.texts[out]; got != want {
			tt.Errorf("%s: the kernel answers\n%s\nand not, as recorded,\n%s", name, got, want)
		}
		return
	}
	own := name + "." + engine
	for _, section := range append(inherits[engine], "nbrun") {
		if _, there := t.texts[own]; there {
			break
		}
		if _, there := t.texts[name+"."+section]; there {
			own = name + "." + section
		}
	}
	text, differs := t.texts[own]
	why, want := "", t.texts[out]
	if differs {
		lines := strings.SplitAfter(text, "\n")
		i := slices.IndexFunc(lines, func(l string) bool { return !strings.HasPrefix(l, "#") })
		why, want = strings.Join(lines[:i], ""), strings.Join(lines[i:], "")
	}
	switch {
	case *update && got == t.texts[out]:
		delete(t.texts, own)
	case *update && strings.HasSuffix(own, ".nbrun") && refuses:
		t.texts[name+"."+engine] = got
	case *update && (why != "" || refuses):
		t.texts[own] = why + got
	case differs && got == t.texts[out]:
		tt.Errorf("%s: there is no difference any more", name)
	case differs && why == "" && !refuses:
		tt.Errorf("%s: differs without a reason", name)
	case got != want:
		tt.Errorf("%s:\n%s\n%s answers\n%s\nand not\n%s", name, t.texts[name], engine, got, want)
	}
}

// run runs the notebook and returns the answer to each cell.
func (t *truth) run(tt *testing.T, opts nbrun.Options) []answer {
	tt.Helper()
	var sources []string
	for _, name := range t.names {
		sources = append(sources, strings.TrimSuffix(t.texts[name], "\n"))
	}
	data := notebook(tt, sources)
	dir := tt.TempDir()
	opts.AllowErrors = true
	r, nb, _ := executeData(tt, filepath.Join(dir, "truth.ipynb"), data, opts)
	done := r.Cells
	var answers []answer
	var numbered []string
	for i, c := range nb.Cells {
		a := answer{text: said(tt, c, dir)}
		if strings.TrimSpace(c.Source) != "" { // others are not run
			numbered = append(numbered, t.names[i])
			if f := done[0].Fault; f != nil {
				place := fmt.Sprint("line ", f.Line)
				if f.Cell != len(numbered) {
					place = numbered[f.Cell-1] + ", " + place
				}
				a.text += "✘ " + place + ": " + clean(f.Text, dir) + "\n"
				a.refused = f.Reason == event.Unsupported
			}
			done = done[1:]
		}
		answers = append(answers, a)
	}
	return answers
}

// answer is what an engine says to a cell.
type answer struct {
	text    string
	refused bool // the engine can't do what the cell wants
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

// said is what a cell has put out: lines of stdout after "1> ", of stderr
// after "2> ", and displays.
func said(t *testing.T, c *ipynb.Cell, dir string) string {
	t.Helper()
	var cell struct {
		Outputs []struct {
			Type string                     `json:"output_type"`
			Data map[string]json.RawMessage `json:"data"`
			Meta json.RawMessage            `json:"metadata"`
		}
	}
	if err := json.Unmarshal(c.Raw(), &cell); err != nil {
		t.Fatal(err)
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
			if page := string(o.Data[mime]); !strings.Contains(page, ".gonb-err-location {") {
				fmt.Fprintf(&b, "%s: %s %s\n", mime, clean(page, dir), compact(t, o.Meta))
			}
		}
	}
	return b.String()
}

func compact(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
