package nbrun

import (
	"context"
	"errors"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/janpfeifer/gonb/version"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/process"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cells"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/program"
)

// foresee applies what a command does to the programs of later cells, and tells
// whether that can be known without doing it.
func (st *state) foresee(cmd cells.Command) bool {
	switch cmd.Name {
	case "":
		return false // a shell can do anything
	case "env":
		st.setenv(cmd.Args[0], cmd.Args[1])
	case "goflags":
		st.setFlags(cmd.Args)
	case "autoget", "noautoget":
		st.autoGet = cmd.Name == "autoget"
	case "remove":
		for _, name := range cmd.Args {
			st.memory.Remove(name)
		}
	case "reset", "goworkfix":
		return false
	}
	return true
}

func (st *state) setFlags(args []string) {
	if len(args) > 0 {
		st.flags = slices.DeleteFunc(slices.Clone(args), func(s string) bool { return s == "" })
	}
}

func (st *state) setenv(name, value string) {
	st.env = slices.DeleteFunc(slices.Clone(st.env), func(s string) bool { return strings.HasPrefix(s, name+"=") })
	st.env = append(st.env, name+"="+value)
}

func (st *state) getenv(name string) string {
	for _, s := range st.env {
		if value, ok := strings.CutPrefix(s, name+"="); ok {
			return value
		}
	}
	return ""
}

// command does what a % or ! line says.
func (s *session) command(ctx context.Context, number int, cmd cells.Command, out *output) error {
	say := func(format string, args ...any) error {
		return out.Stream("stdout", fmt.Appendf(nil, format, args...))
	}
	complain := func(format string, args ...any) error {
		return out.Stream("stderr", fmt.Appendf(nil, format, args...))
	}
	switch cmd.Name {
	case "":
		return s.shellLine(ctx, number, cmd, out)
	case "env":
		if cmd.Args[0] == "" || strings.ContainsAny(cmd.Args[0], "=\x00") {
			return faultf(number, cmd.Line, "%%env: %q can't be the name of a variable", cmd.Args[0])
		}
		s.setenv(cmd.Args[0], cmd.Args[1])
		return say("Set: %s=%q\n", cmd.Args[0], cmd.Args[1])
	case "cd":
		if len(cmd.Args) == 0 {
			return say("Current directory: %q\n", s.cwd)
		}
		dir := s.path(tilde(cmd.Args[0]))
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return faultf(number, cmd.Line, "%%cd: there is no folder %s", cmd.Args[0])
		}
		s.cwd = filepath.Clean(dir)
		s.setenv("PWD", s.cwd)
		s.setenv("GONB_DIR", s.cwd)
		return say("Changed directory to %q\n", s.cwd)
	case "goflags":
		s.setFlags(cmd.Args)
		return say("%%goflags=%q\n", s.flags)
	case "autoget", "noautoget":
		s.autoGet = cmd.Name == "autoget"
	case "reset":
		if len(cmd.Args) == 0 {
			s.memory = new(program.Memory)
			if err := say("* State reset: all memorized declarations discarded.\n"); err != nil {
				return err
			}
		}
		if s.work != nil {
			return s.work.ResetModule()
		}
	case "list":
		return s.list(out)
	case "remove":
		for _, name := range cmd.Args {
			var err error
			if kind := s.memory.Remove(name); kind != "" {
				err = say(". removed %s %s\n", kind, name)
			} else {
				err = complain(". key %q not found in any definition, not removed\n", name)
			}
			if err != nil {
				return err
			}
		}
	case "help":
		return out.Display(map[string]any{"text/markdown": help}, map[string]any{}, "")
	case "version":
		return out.Display(map[string]any{"text/markdown": "nbrun, for notebooks of **GoNB** " + version.AppVersion.Version}, map[string]any{}, "")
	case "track", "untrack", "goworkfix":
		// For completion in an editor, and for what the workspace does of itself.
	case "unknown":
		return complain("\"%%%s\" unknown or not implemented yet.", cmd.Args[0])
	}
	return nil
}

const help = "The cells' dialect is GoNB's; its help page is at " +
	"<https://github.com/janpfeifer/gonb/blob/main/internal/specialcmd/help.md>. " +
	"nbrun has no widgets, no `%wasm` and no `%with_inputs`, as there is no browser and nobody to type."

// list displays what is declared, as GoNB does.
func (s *session) list(out *output) error {
	display := func(text string) error {
		return out.Display(map[string]any{"text/html": text}, map[string]any{}, "")
	}
	if err := display("<h3>Memorized Definitions</h3>\n"); err != nil {
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
		if err := display(text + "</ul>"); err != nil {
			return err
		}
	}
	return nil
}

// bash is where GoNB looks for it, or else wherever it is.
var bash = func() string {
	const path = "/bin/bash"
	if _, err := os.Stat(path); err == nil {
		return path
	}
	return "bash"
}()

// goCommand is a line that changes a module or a workspace.
var goCommand = regexp.MustCompile(`(^|\|\||&&)\s*go\s+(get|mod|work)\b`)

// shellLine runs a ! line with bash.
func (s *session) shellLine(ctx context.Context, number int, cmd cells.Command, out *output) error {
	if s.work == nil && cmd.Temp && goCommand.MatchString(cmd.Shell) {
		return nil // there is no module to change
	}
	s.forget()
	p := &process.Process{Path: bash, Args: []string{"-c", cmd.Shell}}
	if cmd.Temp {
		p.Dir = s.dir
	}
	return s.shell(ctx, number, cmd.Line, p, out)
}

// forget makes the engine look anew at what programs are built from.
func (s *session) forget() {
	if s.work != nil {
		s.work.Forget()
	}
}

// shell runs a command. As in GoNB, its exit status is told and fails no cell.
func (s *session) shell(ctx context.Context, number, line int, p *process.Process, out *output) error {
	if p.Dir == "" {
		p.Dir = s.cwd
	}
	p.Env = append([]string(nil), s.env...)
	p.Rewrite = func(line []byte) []byte { return line }
	exit, err := p.Run(ctx, out)
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		return faultf(number, line, "%v", err)
	}
	if exit.Err != nil {
		return out.Stream("stderr", []byte(exit.Err.Error()+"\n"))
	}
	return nil
}

// writeFile does %%writefile.
func (s *session) writeFile(number int, f *cells.File, out *output) error {
	path := s.expand(f.Path)
	done := "written to"
	if f.Append {
		done = "appended to"
	}
	file, err := create(path, f.Append)
	if err == nil {
		_, err = file.WriteString(f.Text)
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		return faultf(number, 1, "%%%%writefile: %v", err)
	}
	s.forget()
	return out.Stream("stderr", fmt.Appendf(nil, "Cell contents %s %q.\n", done, s.expandName(f.Path)))
}

// expand is the file that a command names: with ~ and variables, in the kernel's
// folder.
func (s *session) expand(name string) string { return s.path(s.expandName(name)) }

func (s *session) expandName(name string) string { return os.Expand(tilde(name), s.getenv) }

func (s *session) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(s.cwd, name)
}

// tilde expands ~, the user's own folder. Those of others are not looked up: that
// needs cgo, which the interpreter must not have (see package display).
func tilde(name string) string {
	if rest, ok := strings.CutPrefix(name, "~"); ok && (rest == "" || rest[0] == '/') {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	return name
}
