package tidy

import (
	"strings"
	"testing"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

// A fault says what explains it: of a check the first claim that isn't true, of others
// the last line.
func TestLastWords(t *testing.T) {
	const check = "\x1b[38;5;231;48;5;22m✔\x1b[0m one\n\x1b[1m✘\x1b[0m two: 40 of 20\n✘ three\n○ four: open until what is needed above is true\n"
	for said, want := range map[string]string{
		"":                        "exit status 1",
		"first\nlast\n\n":         "exit status 1: last",
		"last\nexit status 1\n":   "exit status 1: last",
		check:                     "exit status 1: ✘ two: 40 of 20",
		check + "exit status 1\n": "exit status 1: ✘ two: 40 of 20",
		check + "no such file\n":  "exit status 1: no such file",
		"✔ one\n○ two\n":          "exit status 1: ○ two",
		"✘":                       "exit status 1: ✘",
		strings.Repeat("日", 1000): "exit status 1: " + strings.Repeat("日", 66),
	} {
		for _, pieces := range [][]string{{said}, strings.SplitAfter(said, "\n")} {
			var w Words
			for _, piece := range pieces {
				w.Saw(piece)
			}
			f := event.Fault{Text: "exit status 1"}
			if w.Explain(&f); f.Text != want {
				t.Errorf("%q: %q, want %q", said, f.Text, want)
			}
		}
	}
}
