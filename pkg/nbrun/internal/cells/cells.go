// Package cells parses the dialect of GoNB's cells: which lines are Go, and which are
// commands to the kernel. A cell's text goes in, a [Cell] comes out.
//
// It follows GoNB v0.11.4 (github.com/janpfeifer/gonb), whose help page is the
// only description of the dialect; where that is silent, it does what GoNB does.
package cells

import (
	"go/scanner"
	"go/token"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

// Cell is a parsed cell. One that is a script or a file has nothing else.
type Cell struct {
	Script *Script   // %%script, %%bash, %%sh
	File   *File     // %%writefile
	Steps  []Command // what is done before the cell's Go runs, in order

	Lines int      // of the cell
	Go    string   // the Go lines; other lines are blank, so that line numbers stay
	HasGo bool     // there is something to compile
	Main  *Main    // how the program starts, if the cell says so
	Args  []string // the program's arguments
	Test  bool     // %test: compile with go test

	Capture *File // %capture: where to copy the output
}

// Script is a program that gets the cell's text as its standard input.
type Script struct {
	Command []string
	Input   string
}

// File is a file to write, or to append to.
type File struct {
	Path   string
	Append bool
	Text   string
}

// Main says how a program starts: at a line of the cell after which lines belong to
// func main, or by calling a function.
type Main struct {
	Line int    // of %% or %exec, counted from 1
	Call string // the function that %exec calls; "" for %%
}

// Command is a line that starts with % or !.
type Command struct {
	Line int
	Name string   // for % lines: the word after %
	Args []string // for % lines
	// Shell is the text of a ! line, to be run by bash, with Temp in the kernel's
	// temporary folder (!*).
	Shell string
	Temp  bool
}

func errorf(line int, format string, args ...any) error {
	return event.Faultf(0, line, format, args...)
}

const commentPrefix = "//gonb:"

func trim(line string) string { return strings.TrimPrefix(line, commentPrefix) }

// Parse parses the text of a cell. All its errors are of type *event.Fault, with a line
// and without a cell.
func Parse(source string) (*Cell, error) {
	lines := strings.Split(strings.ReplaceAll(source, "\r\n", "\n"), "\n")
	if words := split(trim(lines[0])); len(words) > 0 {
		if c, err := special(words, lines[1:]); c != nil || err != nil {
			return c, err
		}
	}
	return parseGo(lines)
}

// special parses a cell whose first line says that the rest is not Go.
func special(words, rest []string) (*Cell, error) {
	text := strings.Join(rest, "\n") + "\n"
	switch words[0] {
	case "%%writefile":
		f, ok := fileArgs(words[1:])
		if !ok {
			return nil, errorf(1, "%%%%writefile takes [-a] and the name of one file")
		}
		if len(rest) == 0 {
			text = ""
		}
		f.Text = text
		return &Cell{File: f}, nil
	case "%%script":
		if len(words) == 1 {
			return nil, errorf(1, "%%%%script takes the command that is to run the cell")
		}
		return &Cell{Script: &Script{Command: words[1:], Input: text}}, nil
	case "%%bash", "%%sh":
		if len(words) > 1 {
			return nil, errorf(1, "%s takes no arguments; %%%%script does", words[0])
		}
		return &Cell{Script: &Script{Command: []string{words[0][2:]}, Input: text}}, nil
	case "%%gx":
		return nil, errorf(1, "%%%%gx is not supported: GX cells need GoNB built with GX")
	}
	return nil, nil
}

func fileArgs(args []string) (*File, bool) {
	f := &File{}
	if len(args) > 1 && args[0] == "-a" {
		f.Append = true
		args = args[1:]
	}
	if len(args) != 1 {
		return nil, false
	}
	f.Path = args[0]
	return f, true
}

func parseGo(lines []string) (*Cell, error) {
	c := &Cell{Lines: len(lines)}
	out := make([]string, len(lines))
	commands := map[int]bool{} // their lines, counted from 0
	for i := 0; i < len(lines); i++ {
		line := trim(lines[i])
		if len(line) < 2 || line[0] != '%' && line[0] != '!' {
			if !strings.HasPrefix(lines[i], "package") {
				out[i] = lines[i]
			}
			continue
		}
		n := i + 1
		commands[i] = true
		text := line
		for strings.HasSuffix(text, `\`) && i+1 < len(lines) {
			i++
			commands[i] = true
			text = text[:len(text)-1] + " " + trim(lines[i])
		}
		text = strings.TrimSuffix(text, `\`)
		kind, rest := text[0], strings.TrimLeft(text[1:], " \t")
		if rest == "" {
			continue
		}
		if kind == '!' {
			cmd := Command{Line: n}
			cmd.Shell, cmd.Temp = strings.CutPrefix(rest, "*")
			c.Steps = append(c.Steps, cmd)
			continue
		}
		if err := c.command(n, split(rest)); err != nil {
			return nil, err
		}
	}
	// Lines that say how the program starts, but not what it does, start nothing.
	c.HasGo = c.Test || strings.TrimSpace(strings.Join(out, "")) != ""
	if c.HasGo {
		if c.Main != nil {
			out[c.Main.Line-1] = c.Main.text()
		}
		c.Go = withoutCommands(out, commands)
		if c.Main != nil && c.Main.Call == "" {
			c.Go += "\n}\n"
		}
	}
	return c, nil
}

// withoutCommands joins the lines. Within a raw string, where a blank line would show,
// lines of commands are left out, and blank ones added after its end, so that the lines
// after it keep their numbers.
func withoutCommands(lines []string, commands map[int]bool) string {
	text := strings.Join(lines, "\n")
	if len(commands) == 0 || !strings.Contains(text, "`") {
		return text
	}
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(text))
	var s scanner.Scanner
	s.Init(file, []byte(text), func(token.Position, string) {}, 0)
	drop, add := map[int]bool{}, map[int]int{} // by line, counted from 0
	for {
		pos, tok, literal := s.Scan()
		if tok == token.EOF {
			break
		}
		if tok != token.STRING || literal[0] != '`' {
			continue
		}
		first := file.Line(pos) - 1
		last := first + strings.Count(literal, "\n")
		for i := first + 1; i <= last; i++ {
			if commands[i] && lines[i] == "" {
				drop[i] = true
				add[last]++
			}
		}
	}
	var kept []string
	for i, line := range lines {
		if !drop[i] {
			kept = append(kept, line)
		}
		for range add[i] {
			kept = append(kept, "")
		}
	}
	return strings.Join(kept, "\n")
}

// text is the Go that replaces the %% or %exec line.
func (m *Main) text() string {
	if m.Call == "" {
		return "func main() { flag.Parse()"
	}
	return "func main() { flag.Parse(); " + m.Call + "() }"
}

// command takes a % line: it notes how the program is made and started, and for
// everything else adds a step.
func (c *Cell) command(line int, words []string) error {
	name, args := words[0], words[1:]
	switch name {
	case "%", "main", "exec":
		return c.main(line, name, args)
	case "args":
		c.Args = args
	case "test":
		c.Test, c.Args = true, args
	case "capture":
		f, ok := fileArgs(args)
		if !ok {
			return errorf(line, "%%capture takes [-a] and the name of one file")
		}
		c.Capture = f
	case "%writefile", "%script", "%bash", "%sh", "%gx":
		return errorf(line, "%%%s can only be the first line of a cell", name)
	default:
		c.Steps = append(c.Steps, Command{Line: line, Name: name, Args: args})
	}
	return nil
}

// main takes the line that says how the program starts.
func (c *Cell) main(line int, name string, args []string) error {
	if c.Main != nil {
		return errorf(line, "the cell has two of %%%%, %%main and %%exec (the other is on line %d)", c.Main.Line)
	}
	c.Main = &Main{Line: line}
	if name == "exec" {
		if len(args) == 0 {
			return errorf(line, "%%exec takes the name of the function to call")
		}
		c.Main.Call, args = args[0], args[1:]
	}
	c.Args = args
	return nil
}

// split splits a command into words at blanks. Double quotes keep blanks in a
// word, and within them \n, \t, \" and \\ are escapes.
func split(text string) []string {
	var words []string
	var word strings.Builder
	started, quoted := false, false
	for i := 0; i < len(text); i++ {
		ch := text[i]
		switch {
		case !quoted && (ch == ' ' || ch == '\t' || ch == '\n'):
			if started {
				words = append(words, word.String())
			}
			word.Reset()
			started = false
			continue
		case ch == '"':
			quoted = !quoted
			started = true
			continue
		case ch == '\\' && quoted:
			if i++; i == len(text) {
				continue
			}
			switch ch = text[i]; ch {
			case 'n':
				ch = '\n'
			case 't':
				ch = '\t'
			}
		}
		word.WriteByte(ch)
		started = true
	}
	if started {
		words = append(words, word.String())
	}
	return words
}
