package tidy

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

// tests reads the output of go test, to find out which test failed first, and where.
type tests struct {
	line string                  // not yet whole
	now  string                  // the test that speaks
	said map[string]*event.Fault // by test: what it has logged last
	fail []string                // tests that have failed, those within others after these
}

// Limits of what is read: a program can say that it is a test of any name.
const (
	longLine  = 4096
	mostTests = 10_000
)

var (
	testSpeaks = regexp.MustCompile(`^=== (?:RUN|NAME|CONT) +(\S+)`)
	testFails  = regexp.MustCompile(`^ *--- FAIL: (\S+)`)
	testLogs   = regexp.MustCompile(`^ +(?:cell(\d+)|[\w.-]+)\.go:(\d+): (.*)`)
)

// saw takes a piece of any stream.
func (t *tests) saw(text string) {
	for line := range strings.Lines(text) {
		t.line += line[:min(len(line), longLine-len(t.line))]
		if strings.HasSuffix(line, "\n") {
			t.read(strings.TrimRight(t.line, "\r\n"))
			t.line = ""
		}
	}
}

func (t *tests) read(line string) {
	switch m := testSpeaks.FindStringSubmatch(line); {
	case m != nil:
		t.now = m[1]
		return
	case t.now == "":
		return
	}
	if m := testFails.FindStringSubmatch(line); m != nil && len(t.fail) < mostTests {
		t.fail = append(t.fail, m[1])
	}
	if m := testLogs.FindStringSubmatch(line); m != nil && (len(t.said) < mostTests || t.said[t.now] != nil) {
		f := &event.Fault{Text: m[3]}
		if m[1] != "" {
			f.Cell, _ = strconv.Atoi(m[1])
			f.Line, _ = strconv.Atoi(m[2])
		}
		if t.said == nil {
			t.said = map[string]*event.Fault{}
		}
		t.said[t.now] = f
	}
}

// failed is the first test that failed, other than because of one within it, with what
// it has said; nil if none has.
func (t *tests) failed() *event.Fault {
	for i, name := range t.fail {
		if i+1 < len(t.fail) && strings.HasPrefix(t.fail[i+1], name+"/") {
			continue
		}
		if f := t.said[name]; f != nil {
			return &event.Fault{Cell: f.Cell, Line: f.Line, Text: name + ": " + f.Text}
		}
		return &event.Fault{Text: name + " failed"}
	}
	return nil
}
