package story

import (
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/fatih/color"

	"github.com/b3771e63/prodcons/pkg/internal/display"
)

// Output is where lines go; if it is nil they go to os.Stdout.
var Output io.Writer

func output() io.Writer {
	if Output != nil {
		return Output
	}
	return display.Lines()
}

// style is how a text looks: the parameters of the escape sequence that begins it.
type style string

// Text has a background of its own, so that it can be read on a white page and on a
// black one. Yellow is light and the others are dark, so that it can be told from them
// in grey. The numbers are those of the 256 colours that all terminals have.
const (
	plain  style = ""
	bold   style = "1"
	yellow style = "38;5;16;48;5;220"
	cyan   style = "38;5;231;48;5;23"
	green  style = "38;5;231;48;5;22"
	red    style = "38;5;231;48;5;124"
	grey   style = "38;5;231;48;5;240"
)

// styled returns the text in a style, where there are colours. They are on in a
// notebook, though its cells write to a pipe; elsewhere package color decides, as in
// the program that imports it.
func styled(s style, text string) string {
	coloured := !color.NoColor || display.InNotebook() && os.Getenv("NO_COLOR") == ""
	if s == plain || !coloured {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

// Yellow prints a line as a producer does, with a format as in fmt.Printf.
func Yellow(format string, args ...any) { line(yellow, format, args...) }

// Cyan prints a line as a consumer does, with a format as in fmt.Printf.
func Cyan(format string, args ...any) { line(cyan, format, args...) }

// Bold prints a bold line, with a format as in fmt.Printf.
func Bold(format string, args ...any) { line(bold, format, args...) }

var lines sync.Mutex

// line writes one whole line in one write.
func line(s style, format string, args ...any) {
	write(styled(s, fmt.Sprintf(format, args...)) + "\n")
}

func write(text string) {
	lines.Lock()
	defer lines.Unlock()
	_, _ = io.WriteString(output(), text) // nowhere is left to report to
}
