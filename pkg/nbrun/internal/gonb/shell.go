package gonb

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cells"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/process"
)

// bash is where GoNB looks for it, or else where PATH has it.
var bash = func() string {
	const path = "/bin/bash"
	if _, err := os.Stat(path); err == nil {
		return path
	}
	return "bash"
}()

// goCommand is a line that changes a module or a workspace.
var goCommand = regexp.MustCompile(`(^|\|\||&&)\s*go\s+(get|mod|work)\b`)

// ChangesModule reports whether a ! line changes a module or a workspace. Such a line
// is not run where there is none.
func ChangesModule(cmd cells.Command) bool { return cmd.Temp && goCommand.MatchString(cmd.Shell) }

// shellLine runs a ! line with bash.
func (s *session) shellLine(ctx context.Context, cmd cells.Command, out *output) error {
	if !s.backend.Module() && ChangesModule(cmd) {
		return nil // there is none
	}
	if s.opts.BuildOnly && !ChangesModule(cmd) {
		return nil
	}
	p := &process.Process{Path: bash, Args: []string{"-c", cmd.Shell}, Dir: s.cwd}
	if cmd.Temp {
		p.Dir = s.backend.Dir()
	}
	return s.shell(ctx, cmd.Line, p, out)
}

// shell runs a command. As in GoNB, its exit status is reported and fails no cell,
// unless the session is strict.
func (s *session) shell(ctx context.Context, line int, p *process.Process, out *output) error {
	s.changed()
	p.Env = s.env
	p.Rewrite = func(line []byte) []byte { return line }
	exit, err := p.Run(ctx, out.onOurClock())
	s.autoTrack()
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		return out.failf(line, "%v", err)
	}
	if exit.Err != nil {
		err := out.say("stderr", "%v\n", exit.Err)
		if err == nil && s.opts.Strict {
			err = out.failf(line, "the shell command failed: %v", exit.Err)
		}
		return err
	}
	return nil
}

// writeFile does %%writefile.
func (s *session) writeFile(f *cells.File, out *output) error {
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
		return out.failf(1, "%%%%writefile: %v", err)
	}
	s.changed()
	return out.say("stderr", "Cell contents %s %q.\n", done, s.expandName(f.Path))
}

// expand returns the file that a command names, with ~ and variables, in the kernel's
// folder.
func (s *session) expand(name string) string { return s.path(s.expandName(name)) }

func (s *session) expandName(name string) string { return os.Expand(tilde(name), s.env.Get) }

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
