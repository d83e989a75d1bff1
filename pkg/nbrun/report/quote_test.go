package report_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/report"
)

// shown is what the terminal shows of what a cell writes in pieces of that many bytes,
// without what it says itself.
func shown(t *testing.T, text string, colour bool, size int) string {
	t.Helper()
	var out bytes.Buffer
	term := report.NewTerminal(&out, &out, colour, false, []string{"a b.ipynb"})
	observe(t, term, action("a b.ipynb", event.Start), action("a b.ipynb", event.Begin))
	before := out.Len()
	for rest := text; rest != ""; {
		n := min(size, len(rest))
		observe(t, term, out2("a b.ipynb", rest[:n]))
		rest = rest[n:]
	}
	observe(t, term, action("a b.ipynb", event.Pass), action("a b.ipynb", event.End))
	_, own, _ := strings.Cut(out.String()[before:], "\n") // the cell's number
	return own
}

func out2(notebook, text string) event.Event { return out(notebook, "stdout", text) }

func TestWhatCellsWriteIsNothingElse(t *testing.T) {
	for text, want := range map[string]string{
		"plain\n": "plain\n",
		"a::b ##\n## title\n###\nstd::x [1] ✔ ok\n\t✔\n": "a::b ##\n## title\n###\nstd::x [1] ✔ ok\n\t✔\n",
		"::error::x\n":                         ":\\:error::x\n",
		"  \t::error::x\n":                     "  \t:\\:error::x\n",
		"\u200b\u00a0::set-output name=a::b\n": "\u200b\u00a0:\\:set-output name=a::b\n",
		"50%\r::error::x\n":                    "50%\r:\\:error::x\n",
		"##[error]x\n":                         "##\\[error]x\n",
		"see ##vso[task.setvariable x]y\n":     "see ##\\vso[task.setvariable x]y\n",
		"#\u200b##\u200bvso[x]\n":              "#\u200b##\\\u200bvso[x]\n",
		"##teamcity[testFailed]\n":             "##\\teamcity[testFailed]\n",
		"✘ a b.ipynb: cell 1: no\n":            "✘ a b.ipynb\\: cell 1: no\n",
		"✘ cell 1: no (allowed)\n":             "✘ cell\\ 1: no (allowed)\n",
		"✘ all items are there: 3 of 4\n":      "✘ all items are there: 3 of 4\n",
		" ▣ image/png\n── b.ipynb\n":           " \\▣ image/png\n\\── b.ipynb\n",
		"a b.ipynb      1    0.03 s  go  ✔\n":  "a b.ipynb\\      1    0.03 s  go  ✔\n",
		"a b.ipynbx: fine\na b\n":              "a b.ipynbx: fine\na b\n",
		"notebook   cells      time  engine\n": "notebook\\   cells      time  engine\n",
		"nbrun: all is lost\n":                 "nbrun\\: all is lost\n",
		"\x1b[2J\x1b[1;1Hx\x1b]0;title\ay\x1bP1$r\x1b\\z\x1bcw\x1b(0\x07\b\u009b2Jv\n": "xyzw2Jv\n",
		"\x1b]0;never ends\nseen\n": "\nseen\n",
		"\x1b[1;2;\nseen\n":         "\nseen\n",
		"\x1b[31mred\x1b[0m\n":      "red\n",
		"\x1b[31m::error::x\n":      ":\\:error::x\n",
		"half \xe2\x9c":             "half \xe2\x9c",
	} {
		for _, size := range []int{1, 2, 3, 1000} {
			if got := shown(t, text, false, size); got != want {
				t.Errorf("%q in pieces of %d:\n%q, want\n%q", text, size, got, want)
			}
		}
	}
}

// Colours of cells are passed on where they are wanted, and nothing else; they end with
// the cell, so that our own words can be read.
func TestColoursEndWithTheCell(t *testing.T) {
	for text, want := range map[string]string{
		"\x1b[31mred\x1b[0m\n":                       "\x1b[31mred\x1b[0m\n",
		"\x1b[1;31mred\x1b[m \x1b[1Aup\n":            "\x1b[1;31mred\x1b[m up\n",
		"\x1b[8mhidden\n":                            "\x1b[8mhidden\n\x1b[0m",
		"\x1b[32m✘\x1b[0m a b.ipynb: no\n":           "\x1b[32m✘\x1b[0m a b.ipynb\\: no\n",
		"\x1b[" + strings.Repeat("1;", 100) + "mx\n": "x\n",
	} {
		got := shown(t, text+"", true, 3)
		if !strings.HasPrefix(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	// What follows is ours.
	var out bytes.Buffer
	term := report.NewTerminal(&out, &out, true, false, []string{"n"})
	fail := action("n", event.Fail)
	fail.Fault = event.Faultf(1, 0, "no")
	observe(t, term, action("n", event.Start), action("n", event.Begin), out2("n", "\x1b[8mhidden"), fail)
	if !strings.Contains(out.String(), "hidden\x1b[0m\n\x1b[31m✘ n: cell 1: no") {
		t.Errorf("%q", out.String())
	}
}

// Names of files and messages come from somebody else, too.
func TestNamesAndMessagesAreOneLineEach(t *testing.T) {
	const name = "::error::a\n✘ b\x1b[2J\u202e.ipynb"
	var out bytes.Buffer
	term := report.NewTerminal(&out, &out, false, false, []string{name, "c"})
	term.Advice = func(*event.Fault) string { return "try\nagain" }
	fail := action(name, event.Fail)
	fail.Fault = event.Faultf(1, 2, "panic: \x1b[31mx\n##vso[task.complete result=Succeeded]\r::error::y")
	end := action(name, event.End)
	end.Fault = fail.Fault
	over := action("c", event.End)
	over.Text = "disk\nfull"
	observe(t, term, action(name, event.Start), action(name, event.Begin), fail, end, action("c", event.Start), over)
	term.Summary()
	const shown, fault = `:\:error::a\n✘ b\u202e.ipynb`, `cell 1, line 2: panic: x\n##\vso[task.complete result=Succeeded]\r::error::y; try\nagain`
	want := []string{
		"── " + shown, "[1]", "✘ " + shown + ": " + fault, "── c", "",
		`notebook                      cells      time  engine`, shown + "      1    0.00 s    ✘ " + strings.TrimSuffix(fault, `; try\nagain`), `c                                 0    0.00 s    ✘ disk\nfull`,
	}
	got := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// What a cell displays is quoted like what it writes.
func TestDisplaysInWordsAreQuoted(t *testing.T) {
	var out bytes.Buffer
	term := report.NewTerminal(&out, &out, false, false, []string{"n"})
	e := action("n", event.Out)
	e.Output = &event.Output{Kind: event.Display, Data: map[string]any{"text/plain": "::notice::x\n::error::y\x1b[2J ##[z"}}
	kind := e
	kind.Output = &event.Output{Kind: event.Display, Data: map[string]any{"a\n::error::b": "x"}}
	observe(t, term, action("n", event.Start), action("n", event.Begin), e, kind)
	if want := "── n\n[1]\n▣ ::notice::x\n:\\:error::y ##\\[z\n▣ a\n:\\:error::b\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

// Words that stand for a picture, and for those who see it below it, are shown once.
func TestACaptionIsShownOnce(t *testing.T) {
	out := func(o event.Output) event.Event {
		e := action("n", event.Out)
		e.Output = &o
		return e
	}
	write := func(text string) event.Event {
		return out(event.Output{Kind: event.Stream, Name: "stdout", Text: text})
	}
	shown := func(kind string) event.Event {
		return out(event.Output{Kind: event.Display, Data: map[string]any{kind: "x", "text/plain": "a picture"}})
	}
	for _, c := range []struct {
		events []event.Event
		want   string
	}{
		{[]event.Event{shown("image/svg+xml"), write("a picture\nof much\n"), write("a picture\n")}, "▣ a picture\nof much\na picture\n"},
		{[]event.Event{shown("image/png"), write("a picture\n")}, "▣ a picture\n"},
		{[]event.Event{shown("image/png"), write("a picture, and more\n")}, "▣ a picture\na picture, and more\n"},
		{[]event.Event{shown("text/html"), write("a picture\n")}, "▣ a picture\na picture\n"},
		{[]event.Event{shown("image/png"), action("n", event.Pass), action("n", event.Begin), write("a picture\n")}, "▣ a picture\n[1]\na picture\n"},
	} {
		var b bytes.Buffer
		observe(t, report.NewTerminal(&b, &b, false, false, []string{"n"}), append([]event.Event{action("n", event.Start), action("n", event.Begin)}, c.events...)...)
		if want := "── n\n[1]\n" + c.want; b.String() != want {
			t.Errorf("%q, want %q", b.String(), want)
		}
	}
}

// Lines of JSON may go to a log as well.
func TestLinesOfJSONAreNoCommands(t *testing.T) {
	const text = "##[error]x ###vso[y] # ## z"
	var b bytes.Buffer
	observe(t, report.NewJSONLines(&b), out2("##[n", text))
	if strings.Contains(b.String(), "##") {
		t.Error(b.String())
	}
	if got := lines(t, out2("##[n", text)); got[0].Output.Text != text || got[0].Notebook != "##[n" {
		t.Errorf("%+v", got[0])
	}
}

// commandLine is a line that a CI system obeys.
var commandLine = regexp.MustCompile(`(?m)^[\s\p{Z}\p{Cf}\p{Mn}]*::|##(?:\[|vso\[|teamcity\[)`)

func FuzzPlain(f *testing.F) {
	for _, seed := range []string{"::error::x", "##[a", "\x1b[31mx", "\x1b]0;x\a", "a\r ::b", "\xe2\x9c", "✘ x", "--- FAIL: x", "#\u200b#vso[", ":\u200b:x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := report.Plain(text, "---")
		if strings.ContainsAny(got, "\x1b\a\b") || commandLine.MatchString(strings.ReplaceAll(got, "\r", "\n")) {
			t.Errorf("%q becomes %q", text, got)
		}
		if again := shown(t, "--- x\n"+text, false, 1); !strings.Contains(again, "--- x\n") {
			t.Errorf("%q", again)
		}
		line := report.Line(text)
		for _, r := range line {
			if !unicode.IsPrint(r) && r != ' ' || !utf8.ValidString(line) {
				t.Errorf("%q becomes %q", text, line)
			}
		}
		if commandLine.MatchString(line) {
			t.Errorf("%q becomes %q", text, line)
		}
	})
}
