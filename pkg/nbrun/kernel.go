package nbrun

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/jupyter"
)

func (s *session) startKernel(ctx context.Context) error {
	defer s.opts.Observer.Progress("")
	tools, err := jupyter.BuildTools(ctx, s.opts.Observer.Progress)
	if err != nil {
		return err
	}
	spec := tools.GoNB()
	if s.opts.Kernel != "" {
		if spec, err = jupyter.FindSpec(s.opts.Kernel); err != nil {
			return err
		}
	}
	p := spec.Process(s.cwd, s.env, tools)
	p.Within = min(p.Within, s.opts.Timeout)
	s.opts.Observer.Progress("starting the kernel")
	s.kernel, err = jupyter.Start(ctx, tools.Link, p, func(m jupyter.Message) error {
		return s.remotes[m.Cell-1].message(m)
	})
	return err
}

// remote runs a cell in the kernel.
func (s *session) remote(ctx context.Context, c *codeCell, out *output) error {
	r := &remote{output: out}
	s.remotes = append(s.remotes, r)
	reply, err := s.kernel.Execute(ctx, c.Source)
	if err := r.flush(); err != nil {
		return err
	}
	var dead *jupyter.Dead
	switch {
	case err != nil && ctx.Err() != nil:
		return err
	case errors.As(err, &dead):
		f := faultf(c.number, 0, "%s", scrubText(dead.Error()))
		for _, line := range dead.Last {
			f.traceback = append(f.traceback, scrubText(line))
		}
		return f
	case errors.Is(err, jupyter.ErrRefused), err != nil && s.kernel.Dead():
		return faultf(c.number, 0, "%v", err)
	case err != nil:
		return err
	case reply.Status == "ok":
		return nil
	}
	return r.fault(c.number, reply)
}

// remote takes what a kernel publishes while it runs a cell.
type remote struct {
	*output
	line   []byte // of stderr, not yet whole
	clear  bool   // before the next output
	errors []CellError
}

// message takes a message, as nbclient does.
func (r *remote) message(m jupyter.Message) error {
	var c struct {
		Name      string
		Text      string
		Data      map[string]any
		Metadata  map[string]any
		Transient struct {
			ID string `json:"display_id"`
		}
		Count     int `json:"execution_count"`
		Wait      bool
		Ename     string
		Evalue    string
		Traceback []string
	}
	switch m.Type {
	case "stream", "display_data", "update_display_data", "execute_result", "clear_output", "error":
	default:
		return nil // of no meaning to a notebook's file
	}
	dec := json.NewDecoder(bytes.NewReader(m.Content))
	dec.UseNumber() // metadata are to be kept as they are
	if dec.Decode(&c) != nil {
		return nil // such a message has no meaning
	}
	if m.Type != "stream" || c.Name != "stderr" {
		if err := r.flush(); err != nil {
			return err
		}
	}
	if m.Type == "clear_output" {
		if r.clear = c.Wait; r.clear {
			return nil
		}
		return r.cell.Outputs.Clear()
	}
	if r.clear {
		r.clear = false
		if err := r.cell.Outputs.Clear(); err != nil {
			return err
		}
	}
	if c.Metadata == nil {
		c.Metadata = map[string]any{}
	}
	for mime, content := range c.Data {
		if text, ok := content.(string); ok && strings.HasPrefix(mime, "text/") {
			c.Data[mime] = scrubText(text)
		}
	}
	switch m.Type {
	case "stream":
		if c.Name == "stderr" {
			return r.stderr([]byte(c.Text))
		}
		return r.Stream(c.Name, []byte(c.Text))
	case "display_data":
		if page, ok := c.Data["text/html"].(string); ok && len(c.Data) == 1 {
			if errs, ok := reported(page); ok {
				r.errors = append(r.errors, errs...)
				r.cell.Outputs.Display(c.Data, c.Metadata) // not shown: the fault will be
				return nil
			}
		}
		return r.display(c.Data, c.Metadata, c.Transient.ID)
	case "update_display_data":
		return r.update(c.Data, c.Metadata, c.Transient.ID)
	case "execute_result":
		r.cell.Outputs.Result(c.Count, c.Data, c.Metadata)
		return r.show(c.Data)
	case "error":
		for i, line := range c.Traceback {
			c.Traceback[i] = scrubText(line)
		}
		r.cell.Outputs.Error(c.Ename, scrubText(c.Evalue), c.Traceback)
	}
	return nil
}

// stderr takes a piece of stderr, which is handed on by whole lines, as the paths
// of the machine are taken out of it.
func (r *remote) stderr(p []byte) error {
	r.line = append(r.line, p...)
	n := bytes.LastIndexByte(r.line, '\n') + 1
	if len(r.line)-n > 64<<10 {
		n = len(r.line)
	}
	whole := r.line[:n]
	r.line = append([]byte(nil), r.line[n:]...)
	for line := range bytes.Lines(whole) {
		if err := r.Stream("stderr", r.output.line(line)); err != nil {
			return err
		}
	}
	return nil
}

// flush hands on a line of stderr that has not ended.
func (r *remote) flush() error {
	p := r.line
	r.line = nil
	if len(p) == 0 {
		return nil
	}
	return r.Stream("stderr", r.output.line(p))
}

// reportLine is a line, with a place, of the page that GoNB displays for the errors
// of the go command and for stack traces. Nothing is escaped in its text.
var (
	reportLine = regexp.MustCompile(`(?s)<span class="gonb-err-hover-area">(?:<span class="gonb-cell-line-info">Cell\[(\d+)\]: Line (\d+)</span> )?<span class="gonb-err-location">(.*?)</span></span>(.*)`)
	moreErrors = regexp.MustCompile(` \(and \d+ more errors?\)$`)
)

// reported reads the errors from the page that GoNB displays; ok tells that page is
// one. Errors of no known place come last. Lines that begin with a tab belong to
// the one before.
func reported(page string) (errs []CellError, ok bool) {
	if !strings.Contains(page, ".gonb-err-location {") {
		return nil, false
	}
	var other []CellError
	last := &errs
	for _, line := range strings.Split(page, `<div style="white-space: pre-wrap;">`)[1:] {
		line, _, _ = strings.Cut(line, `<div class="gonb-err-context">`)
		line, _, _ = strings.Cut(line, "</div>\n")
		if m := reportLine.FindStringSubmatch(line); m != nil {
			e := CellError{atoi([]byte(m[1])), atoi([]byte(m[2])), strings.TrimSpace(moreErrors.ReplaceAllString(m[4], ""))}
			if strings.HasPrefix(m[3], "\t") && len(errs) > 0 {
				errs[len(errs)-1].Text += "; " + e.Error()
				continue
			}
			if e.Cell == 0 {
				other, last = append(other, e), &other
			} else {
				errs, last = append(errs, e), &errs
			}
			continue
		}
		line = strings.TrimPrefix(line, " ") // of the page
		switch text := strings.TrimSpace(line); {
		case text == "" || strings.HasPrefix(text, "#"):
		case strings.HasPrefix(line, "\t") && len(*last) > 0:
			(*last)[len(*last)-1].Text += "; " + text
		default:
			other, last = append(other, CellError{Text: text}), &other
		}
	}
	return append(errs, other...), true
}

// fault says why the kernel failed a cell.
func (r *remote) fault(number int, reply jupyter.Reply) *fault {
	f := faultf(number, 0, "%s", scrubText(reply.Value))
	f.value = "" // the kernel has said it
	switch place := len(r.errors) > 0 && r.errors[0].Cell > 0; {
	case exitStatus.MatchString(f.Text):
		if place { // the kernel misses places when a line comes in two pieces
			r.at.Cell, r.at.Line = r.errors[0].Cell, r.errors[0].Line
		}
		r.explain(f)
	case place:
		f.CellError = r.errors[0]
	case len(r.errors) > 0:
		f.Text = r.errors[0].Text
	case f.Text == "":
		f.Text = fmt.Sprintf("the kernel says %s, and nothing else", reply.Status)
	}
	return f
}
