package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun"
)

// condition is one that a notebook may meet: its name, or its metadata.
type condition struct {
	not   bool
	glob  string   // of its name, "" if it is about metadata
	keys  []string // the path of an entry of the metadata
	value string
}

// parseCondition parses GLOB, KEY.KEY=VALUE, or either after an exclamation mark.
func parseCondition(text string) (condition, error) {
	var c condition
	text, c.not = strings.CutPrefix(text, "!")
	if keys, value, ok := strings.Cut(text, "="); ok {
		c.keys, c.value = strings.Split(keys, "."), value
		return c, nil
	}
	c.glob = text
	if _, err := path.Match(text, ""); err != nil || text == "" {
		return c, errors.New("is neither a pattern of names, such as 0*.ipynb or !slow*, nor an entry of metadata, such as course.level=2")
	}
	return c, nil
}

// met reports whether a notebook meets a condition, leaving aside its exclamation mark.
func (c *condition) met(n notebook) bool {
	if c.keys != nil {
		return entry(n.Metadata(), c.keys) == c.value
	}
	for _, name := range []string{n.path, n.rel, filepath.Base(n.path)} {
		if ok, _ := path.Match(c.glob, filepath.ToSlash(name)); ok {
			return true
		}
	}
	return false
}

// entry is a JSON value in words: a string as it is, anything else as JSON; "" if it is
// missing.
func entry(data json.RawMessage, keys []string) string {
	for _, key := range keys {
		var object map[string]json.RawMessage
		if json.Unmarshal(data, &object) != nil {
			return ""
		}
		data = object[key]
	}
	var text string
	if json.Unmarshal(data, &text) == nil {
		return text
	}
	return string(data)
}

// chosen reports whether a notebook should be run: it meets one of the conditions
// without an exclamation mark, if there are any, and none of those with one. Before it
// is opened, its metadata are not known, and may still meet them.
func (c *command) chosen(n notebook) bool {
	some, wanted := false, false
	for _, cond := range c.only {
		some = some || !cond.not
		if cond.keys != nil && n.Notebook == nil {
			wanted = wanted || !cond.not
			continue
		}
		if met := cond.met(n); met && cond.not {
			return false
		} else if met {
			wanted = true
		}
	}
	return wanted || !some
}

// choose finds the notebooks to be run, by what is known before they are opened.
func (c *command) choose(paths []string) ([]notebook, error) {
	notebooks, err := find(paths)
	if err != nil {
		return nil, err
	}
	chosen := slices.DeleteFunc(slices.Clone(notebooks), func(n notebook) bool { return !c.chosen(n) })
	if len(chosen) == 0 {
		return nil, fmt.Errorf("-only matches none of the notebooks (%d)", len(notebooks))
	}
	if !c.failed {
		return chosen, nil
	}
	return slices.DeleteFunc(chosen, func(n notebook) bool { return !nbrun.FailedLast(n.path) }), nil
}

// remember notes for the next run whether a notebook has failed. One that was not run
// as a whole has not passed; where there is no cache, nothing is remembered.
func (c *command) remember(n notebook, err error) {
	if c.pipe || err == nil && (c.opts.BuildOnly || c.opts.Select != nil) {
		return
	}
	_ = nbrun.SetFailed(n.path, err != nil)
}

// alwaysRun are the tags of cells that -tag runs, too: others need them.
var alwaysRun = []string{"parameters", "injected-parameters", "setup"}

// tagged finds the tags of -tag that no cell has.
func (c *command) tagged(notebooks []notebook) (errs []error) {
	there := map[string]bool{}
	for _, n := range notebooks {
		for _, cell := range n.Cells() {
			for _, tag := range cell.Tags {
				there[tag] = true
			}
		}
	}
	for _, tag := range c.tags {
		if there[tag] {
			continue
		}
		hint := ", or any"
		if len(there) > 0 {
			hint = "; there are " + strings.Join(slices.Sorted(maps.Keys(there)), ", ")
		}
		errs = append(errs, fmt.Errorf("-tag %s: no cell has that tag%s", tag, hint))
	}
	return errs
}
