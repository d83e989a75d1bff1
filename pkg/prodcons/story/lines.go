package story

import (
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/fatih/color"
)

// Output is where lines go, if it is not nil; else they go to os.Stdout.
var Output io.Writer

func output() io.Writer {
	if Output != nil {
		return Output
	}
	return os.Stdout
}

var (
	plain  = color.New(color.Reset)
	yellow = color.New(color.FgYellow)
	cyan   = color.New(color.FgCyan)
	bold   = color.New(color.Bold)
	green  = color.New(color.FgGreen)
	red    = color.New(color.FgRed)
)

func init() {
	// A notebook's cell writes to a pipe, where fatih/color would give up.
	if os.Getenv("GONB_PIPE") != "" && os.Getenv("NO_COLOR") == "" {
		color.NoColor = false
	}
}

var lines sync.Mutex

// line writes one whole line in one write.
func line(c *color.Color, format string, args ...any) {
	text := c.Sprintf(format, args...) + "\n"
	lines.Lock()
	defer lines.Unlock()
	_, _ = io.WriteString(output(), text) // nowhere is left to report to
}

// fail ends the program with one line that says what to do.
func fail(format string, args ...any) {
	lines.Lock()
	defer lines.Unlock()
	fmt.Fprintln(os.Stderr, red.Sprintf("✘ "+format, args...))
	os.Exit(1)
}
