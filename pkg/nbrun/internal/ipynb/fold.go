package ipynb

import (
	"bufio"
	"io"
	"strings"
)

// folded reads a stream's text as JupyterLab keeps it and a terminal shows it: what
// comes after a carriage return overwrites what is before it, as in progress bars, and
// a backspace removes a character.
func folded(r io.Reader) io.Reader { return &folder{in: bufio.NewReaderSize(r, 1<<16)} }

type folder struct {
	in   *bufio.Reader
	rest string // of the line that was read
	err  error
}

func (f *folder) Read(p []byte) (int, error) {
	for f.rest == "" && f.err == nil {
		f.rest, f.err = f.in.ReadString('\n')
		f.rest = fold(f.rest)
	}
	if f.rest == "" {
		return 0, f.err
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// Fold returns a whole text as it is kept.
func Fold(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(fold(line))
	}
	return b.String()
}

// fold folds a line. A carriage return at the end of a text stays, for what may come
// after it.
func fold(line string) string {
	if !strings.ContainsAny(line, "\r\b") {
		return line
	}
	text, end := strings.TrimSuffix(line, "\n"), ""
	if len(text) < len(line) {
		text, end = strings.TrimRight(text, "\r"), "\n"
	} else if left := strings.TrimRight(text, "\r"); len(left) < len(text) {
		text, end = left, "\r"
	}
	var shown []rune
	for part := range strings.SplitSeq(text, "\r") {
		over := back(part)
		shown = append(over, shown[min(len(over), len(shown)):]...)
	}
	return string(shown) + end
}

// back removes what backspaces remove. One at the beginning stays.
func back(text string) []rune {
	var shown []rune
	for _, c := range text {
		if c == '\b' && len(shown) > 0 && shown[len(shown)-1] != '\b' {
			shown = shown[:len(shown)-1]
		} else {
			shown = append(shown, c)
		}
	}
	return shown
}
