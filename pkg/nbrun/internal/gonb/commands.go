package gonb

import (
	"context"
	"html"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/janpfeifer/gonb/version"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cells"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/program"
)

// command is a % command: its arguments, what it does to the programs that come after
// it, and what else it does.
type command struct {
	names []string
	// check says, after the name, what is wrong with the arguments, "" if nothing is.
	// If it is nil, all are right.
	check func(args []string) string
	// changes does to the state what the command does to the programs of later cells.
	// It must do nothing else, as programs are built ahead. If it is nil, the effect is
	// not known beforehand.
	changes func(st *state, args []string)
	// do does the rest, after changes. Before is the state before those.
	do func(s *session, before state, args []string, line int, out *output) error
}

// commands are all % commands except those that say how a program is made and started,
// which package cells knows.
var commands = []command{
	{names: []string{"env"}, check: checkEnv, changes: changeEnv, do: sayEnv},
	{names: []string{"cd"}, check: checkFolder, changes: nothing, do: changeFolder},
	{names: []string{"goflags"}, changes: changeFlags, do: sayFlags},
	{names: []string{"autoget"}, changes: func(st *state, _ []string) { st.autoGet = true }},
	{names: []string{"noautoget"}, changes: func(st *state, _ []string) { st.autoGet = false }},
	{names: []string{"reset"}, check: checkReset, do: reset},
	{names: []string{"list", "ls"}, changes: nothing, do: list},
	{names: []string{"remove", "rm"}, changes: forget, do: sayForgotten},
	{names: []string{"help"}, changes: nothing, do: display(help)},
	{names: []string{"version"}, changes: nothing, do: display("nbrun, for notebooks of **GoNB** " + version.AppVersion.Version)},
	{names: []string{"track"}, changes: nothing, do: track},
	{names: []string{"untrack"}, check: checkUntrack, changes: nothing, do: untrack},
	{names: []string{"goworkfix"}, do: goWorkFix},
	{names: []string{"wasm"}, check: unsupported("it needs a browser")},
	{names: []string{"widgets", "widgets_hb"}, check: unsupported("widgets need a browser")},
	{names: []string{"with_inputs", "with_password"}, check: unsupported("there is nobody to type")},
}

// find returns the command with that name.
func find(name string) command {
	for _, c := range commands {
		if slices.Contains(c.names, name) {
			return c
		}
	}
	return command{changes: nothing, do: func(s *session, _ state, _ []string, line int, out *output) error {
		err := out.say("stderr", "\"%%%s\" unknown or not implemented yet.", name)
		if err == nil && s.opts.Strict {
			err = out.failf(line, "there is no command %%%s", name)
		}
		return err
	}}
}

// check returns what is wrong with the commands of a cell, before any is done.
func check(steps []cells.Command) error {
	for _, step := range steps {
		if step.Shell != "" || step.Name == "" {
			continue
		}
		if c := find(step.Name); c.check != nil {
			if wrong := c.check(step.Args); wrong != "" {
				return event.Faultf(0, step.Line, "%%%s%s", step.Name, wrong)
			}
		}
	}
	return nil
}

// foresee does to the state what commands do to the programs of later cells, and
// reports whether that can be known without doing them.
func (st *state) foresee(steps []cells.Command) bool {
	for _, step := range steps {
		if step.Name == "" {
			return false // a shell can do anything
		}
		c := find(step.Name)
		if c.changes == nil {
			return false
		}
		c.changes(st, step.Args)
	}
	return true
}

// step does what a % or ! line says.
func (s *session) step(ctx context.Context, step cells.Command, out *output) error {
	if step.Name == "" {
		return s.shellLine(ctx, step, out)
	}
	c, before := find(step.Name), s.state
	if c.changes != nil {
		c.changes(&s.state, step.Args)
	}
	if c.do == nil {
		return nil
	}
	return c.do(s, before, step.Args, step.Line, out)
}

// nothing changes nothing for later programs.
func nothing(*state, []string) {}

// unsupported is the check of a command that is never right.
func unsupported(why string) func([]string) string {
	return func([]string) string { return " is not supported: " + why }
}

// variable is the variable that %env sets.
func variable(args []string) (name, value string) {
	if len(args) == 1 {
		name, value, _ = strings.Cut(args[0], "=")
		return name, value
	}
	return args[0], args[1]
}

func checkEnv(args []string) string {
	if len(args) == 1 {
		name, value, ok := strings.Cut(args[0], "=")
		if ok && len(name) == 1 {
			return " " + args[0] + ": GoNB does not accept this for a one-letter name; write %env " + name + " " + value
		}
		if ok && name != "" {
			return ""
		}
	}
	if len(args) != 2 {
		return " takes a name and a value (%env NAME VALUE or %env NAME=VALUE)"
	}
	if args[0] == "" || strings.ContainsAny(args[0], "=\x00") {
		return ": " + strconv.Quote(args[0]) + " can't be the name of a variable"
	}
	return ""
}

func changeEnv(st *state, args []string) {
	name, value := variable(args)
	st.env = st.env.With(name, value)
}

func sayEnv(_ *session, _ state, args []string, _ int, out *output) error {
	name, value := variable(args)
	return out.say("stdout", "Set: %s=%q\n", name, value)
}

func checkFolder(args []string) string {
	if len(args) > 1 {
		return " takes one folder, not " + strconv.Itoa(len(args)) + "; put a name with spaces in quotes"
	}
	return ""
}

func changeFolder(s *session, _ state, args []string, line int, out *output) error {
	if len(args) == 0 {
		return out.say("stdout", "Current directory: %q\n", s.cwd)
	}
	dir := s.path(tilde(args[0]))
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return out.failf(line, "%%cd: there is no folder %s", args[0])
	}
	s.moveTo(filepath.Clean(dir))
	return out.say("stdout", "Changed directory to %q\n", s.cwd)
}

func changeFlags(st *state, args []string) {
	if len(args) > 0 {
		st.flags = slices.DeleteFunc(slices.Clone(args), func(s string) bool { return s == "" })
	}
}

func sayFlags(s *session, _ state, _ []string, _ int, out *output) error {
	return out.say("stdout", "%%goflags=%q\n", s.flags)
}

func checkReset(args []string) string {
	if len(args) > 0 && (len(args) > 1 || args[0] != "go.mod") {
		return ` takes no argument, or "go.mod"`
	}
	return ""
}

func reset(s *session, _ state, args []string, _ int, out *output) error {
	if len(args) == 0 {
		s.memory = new(program.Memory)
		if err := out.say("stdout", "* State reset: all memorized declarations discarded.\n"); err != nil {
			return err
		}
	}
	s.changed()
	clear(s.fixed)
	return s.backend.ResetModule()
}

func checkUntrack(args []string) string {
	if len(args) != 1 {
		return " takes the name of one file"
	}
	return ""
}

func forget(st *state, args []string) {
	for _, name := range args {
		st.memory, _ = st.memory.Without(name)
	}
}

func sayForgotten(_ *session, before state, args []string, _ int, out *output) error {
	memory := before.memory
	for _, name := range args {
		var kind string
		memory, kind = memory.Without(name)
		var err error
		if kind != "" {
			err = out.say("stdout", ". removed %s %s\n", kind, name)
		} else {
			err = out.say("stderr", ". key %q not found in any definition, not removed\n", name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

const help = "The cells' dialect is GoNB's; its help page is at " +
	"<https://github.com/janpfeifer/gonb/blob/main/internal/specialcmd/help.md>. " +
	"nbrun has no widgets, no `%wasm` and no `%with_inputs`, as there is no browser and nobody to type."

// display displays a text.
func display(markdown string) func(*session, state, []string, int, *output) error {
	return func(_ *session, _ state, _ []string, _ int, out *output) error {
		return out.show("text/markdown", markdown)
	}
}

// list displays what is declared, as GoNB does.
func list(s *session, _ state, _ []string, _ int, out *output) error {
	if err := out.show("text/html", "<h3>Memorized Definitions</h3>\n"); err != nil {
		return err
	}
	for _, n := range s.memory.List() {
		if len(n.Names) == 0 {
			continue
		}
		text := "<h4>" + n.Kind + "</h4>\n<ul>\n"
		for _, name := range n.Names {
			text += "<li><pre>" + html.EscapeString(name) + "</pre></li>\n"
		}
		if err := out.show("text/html", text+"</ul>"); err != nil {
			return err
		}
	}
	return nil
}
