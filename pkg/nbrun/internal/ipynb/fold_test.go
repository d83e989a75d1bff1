package ipynb

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestFold(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "",
		"plain\nlines":                    "plain\nlines",
		"  0 %\r 50 %\r100 %\ndone\n":     "100 %\ndone\n",
		"a long line\rshort\n":            "shortg line\n",
		"dos\r\nlines\r\r\n":              "dos\nlines\n",
		"50 %\r":                          "50 %\r",
		"50 %\r\r100 %\r":                 "100 %\r",
		"\rstart":                         "start",
		"|\b/\b-\b\\\bdone\n":             "done\n",
		"ab\b\b\bc":                       "\bc",
		"äöü\rÄ\n":                        "Äöü\n",
		"one\n\rtwo\rT\n":                 "one\nTwo\n",
		"\x1b[33m 1\x1b[0m\r\x1b[33m 2\n": "\x1b[33m 2\x1b[0m\n",
	} {
		for name, r := range map[string]io.Reader{"whole": strings.NewReader(text), "by bytes": iotest.OneByteReader(strings.NewReader(text))} {
			got, err := io.ReadAll(folded(r))
			if string(got) != want || err != nil {
				t.Errorf("%q, %s: %q, want %q; %v", text, name, got, want, err)
			}
		}
	}
	if err := iotest.TestReader(folded(strings.NewReader(strings.Repeat("a\rb\n", 1000))), []byte(strings.Repeat("b\n", 1000))); err != nil {
		t.Error(err)
	}
}

// A spinner that turns a million times takes no time to fold.
func TestFoldIsLinear(t *testing.T) {
	text := strings.Repeat("working \\\rworking /\r", 1<<19) + "done     \n"
	got, err := io.ReadAll(folded(strings.NewReader(text)))
	if string(got) != "done     \n" || err != nil {
		t.Errorf("%.40q, %v", got, err)
	}
}
