package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

// JUnit writes runs as the XML that Jenkins and GitLab read: a suite for each notebook,
// and in it a case for each cell, with its text. What a cell writes has no colours or
// control characters, and is at most 64 KiB long. It can't name a file that these
// systems would attach to the case.
type JUnit struct {
	out    io.Writer
	mu     sync.Mutex
	suites []*suite
}

// NewJUnit returns an observer that writes to out when it is closed.
func NewJUnit(out io.Writer) *JUnit { return &JUnit{out: out} }

type suite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"`
	Stamp    string      `xml:"timestamp,attr,omitempty"`
	Cases    []*testCase `xml:"testcase"`
}

type testCase struct {
	Name    string   `xml:"name,attr"`
	Class   string   `xml:"classname,attr"`
	Time    string   `xml:"time,attr"`
	Skipped *message `xml:"skipped"`
	Error   *message `xml:"error"`
	Failure *message `xml:"failure"`
	Out     string   `xml:"system-out,omitempty"`

	out strings.Builder
}

type message struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// textAtMost is how much of a cell's text is written, in bytes.
const textAtMost = 64 << 10

// Observe takes an event in.
func (j *JUnit) Observe(e event.Event) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if e.Action == event.Start {
		j.suites = append(j.suites, &suite{Name: Line(e.Notebook), Stamp: e.Time.UTC().Format("2006-01-02T15:04:05")})
		return nil
	}
	s := j.suite(e.Notebook)
	if s == nil {
		return fmt.Errorf("report: %s has not begun", e.Notebook)
	}
	switch e.Action {
	case event.Begin:
		s.add(caseName(e.Cell))
	case event.Out:
		if c := s.named(caseName(e.Cell)); e.Output.Kind == event.Stream && c.out.Len() < textAtMost {
			c.out.WriteString(e.Output.Text[:min(len(e.Output.Text), textAtMost-c.out.Len())])
		}
	case event.Skip:
		s.add(caseName(e.Cell)).Skipped = &message{Message: Line(e.Text)}
		s.Skipped++
	case event.Pass, event.Fail:
		c := s.named(caseName(e.Cell))
		c.Time = seconds(e.Elapsed)
		if f := e.Fault; f != nil && !f.Expected {
			c.Failure = &message{Message: Line(f.Error()), Type: string(f.Reason), Text: Plain(strings.Join(f.Traceback, "\n"))}
			s.Failures++
		}
	case event.End:
		s.Time = seconds(e.Elapsed)
		if e.Text != "" {
			s.add("notebook").Error = &message{Message: Line(e.Text)}
			s.Errors++
		}
	}
	return nil
}

func (j *JUnit) suite(name string) *suite {
	for _, s := range j.suites {
		if s.Name == Line(name) {
			return s
		}
	}
	return nil
}

// add adds a case, in place of an earlier run of the same cell.
func (s *suite) add(name string) *testCase {
	c := &testCase{Name: name, Class: s.Name, Time: seconds(0)}
	for i, old := range s.Cases {
		if old.Name == name {
			s.Cases[i] = c
			return c
		}
	}
	s.Cases = append(s.Cases, c)
	return c
}

// named returns the case with that name, adding it if there is none.
func (s *suite) named(name string) *testCase {
	for _, c := range s.Cases {
		if c.Name == name {
			return c
		}
	}
	return s.add(name)
}

func caseName(c *event.Cell) string {
	name := fmt.Sprintf("cell %d", c.Number)
	if c.Number == 0 {
		name = fmt.Sprintf("index %d", c.Index)
	}
	if c.ID != "" {
		name += " (" + Line(c.ID) + ")"
	}
	return name
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

// Close writes all that was observed.
func (j *JUnit) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	all := struct {
		XMLName xml.Name `xml:"testsuites"`
		Suites  []*suite `xml:"testsuite"`
	}{Suites: j.suites}
	for _, s := range j.suites {
		s.Tests = len(s.Cases)
		for _, c := range s.Cases {
			c.Out = strings.ReplaceAll(Plain(c.out.String()), "[[ATTACHMENT|", "[ [ATTACHMENT|")
		}
	}
	text, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	_, err = io.WriteString(j.out, xml.Header+string(text)+"\n")
	return err
}
