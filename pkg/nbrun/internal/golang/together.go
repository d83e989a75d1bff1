package golang

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

// together builds programs of one kind by one command. When that fails, the programs at
// fault are left out, and the command is run again for the rest.
//
// What the go command has said about a program is what it would say if that program
// were built alone, and is kept. Programs that are at fault by other signs, or may not
// be at fault, are left for binaryOf to build. If there are no signs, all are.
func (w *Workspace) together(ctx context.Context, group []*build) {
	for len(group) > 0 {
		output, err := w.goBuild(ctx, group, readonly)
		if err == nil {
			for _, b := range group {
				w.built[w.binary(b)] = nil
			}
			return
		}
		var ee *exec.ExitError
		if !errors.As(err, &ee) {
			w.alone = ctx.Err() == nil
			return
		}
		said, others := blame(output)
		n := len(group)
		group = slices.DeleteFunc(slices.Clone(group), func(b *build) bool {
			text, named := said[b.Name()]
			if !named {
				return false
			}
			// One that has a binary may only have warnings, or the binary is old; one
			// that needs a module may fetch it when its turn comes.
			if _, err := os.Stat(w.binary(b)); err == nil || slices.ContainsFunc(b.Flags, talks) || missing.MatchString(text) {
				w.apart[w.binary(b)] = true
			} else {
				w.built[w.binary(b)] = failure(b, text, ee)
			}
			return true
		})
		if len(group) < n {
			continue
		}
		suspects := w.suspects(ctx, group, others)
		group = slices.DeleteFunc(group, func(b *build) bool {
			if suspects[b.Name()] {
				w.apart[w.binary(b)] = true
			}
			return suspects[b.Name()]
		})
		if len(group) == n {
			w.alone = ctx.Err() == nil
			return
		}
	}
}

var (
	// missing is what the go command, and go test below a heading, says about a program
	// whose module is not there, or not in go.mod or go.sum.
	missing = regexp.MustCompile(`-mod=readonly|no required module provides|missing go\.sum entry|updates to go\.mod needed`)
	// heading precedes what is said about a package; a second one, of go vet, belongs
	// to it.
	heading = regexp.MustCompile(`^# ([^\s\[]\S*)`)
	// ourPackage is the import path of a program.
	ourPackage = regexp.MustCompile(`^\S+/p/(p[0-9a-f]{20})(?:\.test)?(?: |$)`)
)

// talks reports whether a build flag makes the go command say more than errors.
func talks(flag string) bool {
	return slices.Contains([]string{"v", "x", "n", "work", "json"}, flagName(flag))
}

// blame splits what the go command has said by the programs that it is about, and
// returns the other packages that it is about.
func blame(output string) (said map[string]string, others map[string]bool) {
	said, others = map[string]string{}, map[string]bool{}
	lines := map[string][]string{} // joined in the end, as there may be very many
	program := ""
	for line := range strings.Lines(output) {
		if m := heading.FindStringSubmatch(line); m != nil {
			program = ""
			if ours := ourPackage.FindStringSubmatch(m[1]); ours != nil {
				program = ours[1]
			} else {
				others[m[1]] = true
			}
		}
		if program != "" {
			lines[program] = append(lines[program], line)
		}
	}
	for program, text := range lines {
		said[program] = strings.Join(text, "")
	}
	return said, others
}

// suspects are the programs that have something wrong with what they import, or
// import one of the packages.
func (w *Workspace) suspects(ctx context.Context, group []*build, packages map[string]bool) map[string]bool {
	first := group[0]
	args := []string{"list", "-e", readonly, "-f", "{{.ImportPath}}\t{{.Incomplete}}{{range .Deps}}\t{{.}}{{end}}"}
	if first.Test {
		args = append(args, "-test")
	}
	args = append(args, flags(first)...)
	for _, b := range group {
		args = append(args, "./p/"+b.Name())
	}
	output, err := w.goCommand(ctx, w.overlay(ctx, first), first, args)
	if err != nil {
		return nil
	}
	suspects := map[string]bool{}
	for line := range strings.Lines(output) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if ours := ourPackage.FindStringSubmatch(fields[0]); ours != nil && len(fields) > 1 {
			if fields[1] == "true" || slices.ContainsFunc(fields[2:], func(dep string) bool { return packages[dep] }) {
				suspects[ours[1]] = true
			}
		}
	}
	return suspects
}
