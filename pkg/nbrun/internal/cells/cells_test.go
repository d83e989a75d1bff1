package cells

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

func TestParse(t *testing.T) {
	command := func(line int, name string, args ...string) Command {
		return Command{Line: line, Name: name, Args: args}
	}
	for name, test := range map[string]struct {
		source string
		want   Cell
	}{
		"empty":              {"", Cell{}},
		"blank":              {"  \n\t\n", Cell{}},
		"declaration":        {"var x = 1", Cell{Go: "var x = 1", HasGo: true}},
		"main":               {"%%\nf()", Cell{Go: "func main() { flag.Parse()\nf()\n}\n", HasGo: true, Main: &Main{Line: 1}, Args: []string{}}},
		"main by name":       {"%main -x \"a b\"\nf()", Cell{Go: "func main() { flag.Parse()\nf()\n}\n", HasGo: true, Main: &Main{Line: 1}, Args: []string{"-x", "a b"}}},
		"main after decl":    {"var x int\n%%\nf(x)", Cell{Go: "var x int\nfunc main() { flag.Parse()\nf(x)\n}\n", HasGo: true, Main: &Main{Line: 2}, Args: []string{}}},
		"exec":               {"%exec hello a\nfunc hello() {}", Cell{Go: "func main() { flag.Parse(); hello() }\nfunc hello() {}", HasGo: true, Main: &Main{1, "hello"}, Args: []string{"a"}}},
		"args":               {"%args a b\nfunc main() {}", Cell{Go: "\nfunc main() {}", HasGo: true, Args: []string{"a", "b"}}},
		"args, then main":    {"%args a b\n%%\nf()", Cell{Go: "\nfunc main() { flag.Parse()\nf()\n}\n", HasGo: true, Main: &Main{Line: 2}, Args: []string{}}},
		"nothing to start":   {"%exec f", Cell{Main: &Main{1, "f"}, Args: []string{}}},
		"test":               {"%test", Cell{Go: "", HasGo: true, Test: true, Args: []string{}}},
		"test with flags":    {"%test -test.v\nfunc TestX(t *testing.T) {}", Cell{Go: "\nfunc TestX(t *testing.T) {}", HasGo: true, Test: true, Args: []string{"-test.v"}}},
		"prefix":             {"//gonb:%%\n//gonb:!ls\nf()", Cell{Go: "func main() { flag.Parse()\n\nf()\n}\n", HasGo: true, Main: &Main{Line: 1}, Args: []string{}, Steps: []Command{{Line: 2, Shell: "ls"}}}},
		"prefix of a script": {"//gonb:%%bash\nls", Cell{Script: &Script{[]string{"bash"}, "ls\n"}}},
		"shell":              {"!ls -l", Cell{Steps: []Command{{Line: 1, Shell: "ls -l"}}}},
		"shell in tmp":       {"!*go get x", Cell{Steps: []Command{{Line: 1, Shell: "go get x", Temp: true}}}},
		"continued":          {"!ls \\\n  -l \\\n  .\nvar x int", Cell{Go: "\n\n\nvar x int", HasGo: true, Steps: []Command{{Line: 1, Shell: "ls    -l    ."}}}},
		"continued to end":   {"!ls \\", Cell{Steps: []Command{{Line: 1, Shell: "ls "}}}},
		"blank command":      {"!  \n% \n", Cell{}},
		"lone marks are Go":  {"!\n%", Cell{Go: "!\n%", HasGo: true}},
		"package line":       {"package main\nvar x int", Cell{Go: "\nvar x int", HasGo: true}},
		"commands": {
			"%cd\n%cd \"a b\"\n%goflags -race\n%goflags \"\"\n%autoget\n%noautoget\n%ls\n%list\n%rm a b\n%reset\n%reset go.mod\n%help\n%version\n%track x\n%untrack x\n%goworkfix\n%nonsense",
			Cell{Steps: []Command{
				command(1, "cd"), command(2, "cd", "a b"), command(3, "goflags", "-race"), command(4, "goflags", ""), command(5, "autoget"),
				command(6, "noautoget"), command(7, "ls"), command(8, "list"), command(9, "rm", "a", "b"), command(10, "reset"),
				command(11, "reset", "go.mod"), command(12, "help"), command(13, "version"), command(14, "track", "x"), command(15, "untrack", "x"),
				command(16, "goworkfix"), command(17, "nonsense"),
			}},
		},
		"env forms":                            {"%env A b\n%env CC=d\n%env E \"f g\"", Cell{Steps: []Command{command(1, "env", "A", "b"), command(2, "env", "CC=d"), command(3, "env", "E", "f g")}}},
		"capture":                              {"%capture -a x\nvar y int", Cell{Go: "\nvar y int", HasGo: true, Capture: &File{Path: "x", Append: true}}},
		"writefile":                            {"%%writefile a/b.txt\none\n%%\n!ls", Cell{File: &File{Path: "a/b.txt", Text: "one\n%%\n!ls\n"}}},
		"writefile adds":                       {"%%writefile -a b\nx", Cell{File: &File{Path: "b", Append: true, Text: "x\n"}}},
		"writefile empty":                      {"%%writefile b", Cell{File: &File{Path: "b"}}},
		"script":                               {"%%script sed \"s/a b/c/\"\na b", Cell{Script: &Script{[]string{"sed", "s/a b/c/"}, "a b\n"}}},
		"sh":                                   {"%%sh\nls", Cell{Script: &Script{[]string{"sh"}, "ls\n"}}},
		"CRLF":                                 {"%%\r\nf()", Cell{Go: "func main() { flag.Parse()\nf()\n}\n", HasGo: true, Main: &Main{Line: 1}, Args: []string{}}},
		"raw string that looks like a command": {"var s = `\n!echo x\n`", Cell{Go: "var s = `\n`\n", HasGo: true, Steps: []Command{{Line: 2, Shell: "echo x"}}}},
		"and lines after it":                   {"var s = `a\n!echo x \\\ny\n\nb` + \"c\"\nvar t = 1", Cell{Go: "var s = `a\n\nb` + \"c\"\n\n\nvar t = 1", HasGo: true, Steps: []Command{{Line: 2, Shell: "echo x  y"}}}},
	} {
		got, err := Parse(test.source)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		normalise(got)
		normalise(&test.want)
		if got.File == nil && got.Script == nil {
			test.want.Lines = strings.Count(test.source, "\n") + 1
		}
		if !reflect.DeepEqual(*got, test.want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", name, *got, test.want)
		}
	}
}

// normalise makes empty lists nil.
func normalise(c *Cell) {
	if len(c.Args) == 0 {
		c.Args = nil
	}
	for i := range c.Steps {
		if len(c.Steps[i].Args) == 0 {
			c.Steps[i].Args = nil
		}
	}
}

func TestWhatIsWrongIsSaidWithItsLine(t *testing.T) {
	for source, want := range map[string]string{
		"var x int\n%%bash": "line 2: %%bash can only be the first line of a cell",
		"%%gx":              "line 1: %%gx is not supported: GX cells need GoNB built with GX",
		"%%writefile":       "line 1: %%writefile takes [-a] and the name of one file",
		"%%writefile a b":   "line 1: %%writefile takes [-a] and the name of one file",
		"%%script":          "line 1: %%script takes the command that is to run the cell",
		"%%sh -x":           "line 1: %%sh takes no arguments; %%script does",
		"%exec":             "line 1: %exec takes the name of the function to call",
		"%%\nf()\n%%":       "line 3: the cell has two of %%, %main and %exec (the other is on line 1)",
		"%capture":          "line 1: %capture takes [-a] and the name of one file",
	} {
		_, err := Parse(source)
		var ce *event.Fault
		if !errors.As(err, &ce) || err.Error() != want {
			t.Errorf("%q: %v\nwant %s", source, err, want)
		}
	}
}

func TestSplit(t *testing.T) {
	for text, want := range map[string][]string{
		``:                      nil,
		`  a   b `:              {"a", "b"},
		`a "b c" d`:             {"a", "b c", "d"},
		`""`:                    {""},
		`a"b c"d`:               {"ab cd"},
		`"a\"b\n\t\\" c\d`:      {"a\"b\n\t\\", `c\d`},
		`"not closed`:           {"not closed"},
		`"ends in escape\`:      {"ends in escape"},
		"ünïcode \"wörd wörd\"": {"ünïcode", "wörd wörd"},
	} {
		if got := split(text); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"%%\nf()", "!ls \\\n-l", "%%writefile x\ny", "//gonb:%test", "%args \"a b\" \\", "%exec f", "!*", "%", "%% %%", "\\\n\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		c, err := Parse(source)
		if err != nil {
			var ce *event.Fault
			if !errors.As(err, &ce) || ce.Line < 1 || ce.Line > strings.Count(source, "\n")+1 {
				t.Errorf("%q: an error without a place: %v", source, err)
			}
			return
		}
		if c.HasGo && !c.Test && strings.TrimSpace(c.Go) == "" {
			t.Errorf("%q: blank Go", source)
		}
		// Go keeps its lines.
		lines := strings.Count(strings.ReplaceAll(source, "\r\n", "\n"), "\n")
		if got := strings.Count(c.Go, "\n"); c.HasGo && got != lines && got != lines+2 {
			t.Errorf("%q: %d lines of Go", source, got)
		}
	})
}
