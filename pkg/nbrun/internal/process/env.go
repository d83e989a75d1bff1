package process

import (
	"slices"
	"strings"
)

// Env is the environment of a process: NAME=VALUE each. If there are several entries
// with one name the last counts, as in package os/exec.
type Env []string

// Get returns the value of a variable, "" if there is none.
func (e Env) Get(name string) string {
	for _, entry := range slices.Backward(e) {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// With returns the environment with a variable set.
func (e Env) With(name, value string) Env {
	entry := name + "="
	with := slices.DeleteFunc(slices.Clone(e), func(s string) bool { return strings.HasPrefix(s, entry) })
	return append(with, entry+value)
}
