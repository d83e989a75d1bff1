package story

import (
	"io"
	"os"
	"sync"

	"github.com/fatih/color"

	"github.com/b3771e63/prodcons/pkg/internal/display"
)

// Output is where lines go, if it is not nil; else they go to os.Stdout.
var Output io.Writer

func output() io.Writer {
	if Output != nil {
		return Output
	}
	return os.Stdout
}

// style is how a line looks.
type style = color.Attribute

const (
	plain  style = color.Reset
	yellow style = color.FgYellow
	cyan   style = color.FgCyan
	bold   style = color.Bold
	green  style = color.FgGreen
	red    style = color.FgRed
)

// styled returns the text in a style, where there are colours. They are on in a
// notebook, though its cells write to a pipe; elsewhere package color knows, which
// follows the program that imports it.
func styled(s style, format string, args ...any) string {
	c := color.New(s) // without colour where NO_COLOR is set
	if display.InNotebook() && os.Getenv("NO_COLOR") == "" {
		c.EnableColor()
	}
	return c.Sprintf(format, args...)
}

var lines sync.Mutex

// line writes one whole line in one write.
func line(s style, format string, args ...any) { write(styled(s, format, args...) + "\n") }

func write(text string) {
	lines.Lock()
	defer lines.Unlock()
	_, _ = io.WriteString(output(), text) // nowhere is left to report to
}
