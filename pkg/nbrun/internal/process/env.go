package process

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"
)

// Env is the environment of a process: NAME=VALUE each. Of several entries of one
// name the last counts, as in package os/exec.
type Env []string

// Get is the value of a variable, "" if there is none.
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

// Mark is an environment variable by which to know the processes of one run, and
// those that they have started.
type Mark string

// NewMark returns a mark that nobody else has.
func NewMark() Mark {
	id := make([]byte, 8)
	_, _ = rand.Read(id) // never fails
	return Mark(hex.EncodeToString(id))
}

const markName = "NBRUN_SESSION"

// On returns the environment with the mark.
func (m Mark) On(env Env) Env { return env.With(markName, string(m)) }

// Kill kills all processes that have the mark, and returns how many there were.
// They are what cells have left running.
func (m Mark) Kill() int { return killMarked(markName + "=" + string(m)) }
