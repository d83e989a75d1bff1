package book

import (
	"fmt"
	"testing"
)

// The names of packages that the go command compiles are counted, and the error of one
// is told whatever comes after it.
func TestTheGoCommandIsHeard(t *testing.T) {
	told := ""
	l := lines{told: func(n int) { told += fmt.Sprint(n, " ") }}
	for _, said := range []string{"internal/a", "bc\nfmt\n", "# example.com/x\nx.go:3:4: undefined: y\nstrings\n"} {
		fmt.Fprint(&l, said)
	}
	if got, want := l.message(), "x.go:3:4: undefined: y"; got != want || told != "1 2 3 4 5 " {
		t.Errorf("the message is %q, want %q; told %s", got, want, told)
	}
}
