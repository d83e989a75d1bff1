// Package ipynb reads Jupyter notebooks (nbformat 4), gives access to what a
// runner needs of them, and writes them back so that everything it did not
// change stays as it was, byte for byte.
package ipynb

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/regular"
)

// MaxSize is the largest notebook that Read takes, in bytes.
const MaxSize = 1 << 30

var errTooLarge = fmt.Errorf("is larger than %d MiB: clear its outputs first", MaxSize>>20)

// Notebook is a notebook file.
type Notebook struct {
	Cells    []*Cell
	Language string // in small letters; "" when it is not given
	Minor    int    // 4.Minor is the format

	raw    []byte
	fields []field
	style  style
	edited bool // cells were added or removed
}

// Cell is a cell of a notebook.
type Cell struct {
	Type   string // code, markdown or raw
	Source string
	Tags   []string

	Outputs *Outputs // set by a Recorder: what the cell has output in its run
	Count   int      // execution_count, set with Outputs; 0 is null
	Times   *Times   // set with Outputs; nil if they should not be written
	Cleared bool     // its outputs were removed, and so the times of its execution will be

	raw    []byte // as it stands in the file; nil when that is no longer so
	fields []field
	edited bool // fields are no longer those in the file
}

// HasTag reports whether the cell has that tag.
func (c *Cell) HasTag(tag string) bool { return slices.Contains(c.Tags, tag) }

// field is a member of a JSON object, its value as it stands in the file.
type field struct {
	key   string
	value json.RawMessage
}

// ReadFile reads the notebook in a file, which must be a regular one. Its errors do not
// name the file.
func ReadFile(path string) (*Notebook, error) {
	data, err := Load(path)
	if err != nil {
		return nil, err
	}
	return Read(data)
}

// Load returns the contents of a file, which must be a regular one. Its errors do not
// name the file.
func Load(path string) ([]byte, error) {
	f, err := regular.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, trimPath(err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > MaxSize {
		return nil, errTooLarge
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	return data, trimPath(err)
}

// trimPath removes the path from a file error, as callers name the file.
func trimPath(err error) error {
	var none *regular.NotRegular
	if errors.As(err, &none) {
		return fmt.Errorf("is a %s, not a notebook", none.Kind)
	}
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// Read reads a notebook. It fails, with a line that says what is wrong and where,
// when data is not a notebook of format 4.
func Read(data []byte) (*Notebook, error) {
	if len(data) > MaxSize {
		return nil, errTooLarge
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, errors.New("is empty: a notebook is a JSON object")
	}
	if bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) {
		return nil, errors.New("begins with a byte order mark, which JSON forbids: save it as plain UTF-8")
	}
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("line %d: is not UTF-8: save it as UTF-8", 1+bytes.Count(data[:invalidAt(data)], []byte("\n")))
	}
	fields, err := object(data)
	if err != nil {
		return nil, err
	}
	nb := &Notebook{raw: data, fields: fields, style: styleOf(data)}
	if err := nb.readFormat(); err != nil {
		return nil, err
	}
	cells := nb.field("cells")
	if cells == nil {
		return nil, errors.New(`has no "cells": is it a notebook?`)
	}
	var raws []json.RawMessage
	if err := json.Unmarshal(cells, &raws); err != nil || isNull(cells) {
		return nil, errors.New(`"cells" is not a list: is it a notebook?`)
	}
	for i, raw := range raws {
		c, err := readCell(raw)
		if err != nil {
			return nil, fmt.Errorf("cell %d of %d: %w", i+1, len(raws), err)
		}
		nb.Cells = append(nb.Cells, c)
	}
	nb.Language = language(nb.field("metadata"))
	return nb, nil
}

// language is the language of a notebook with these metadata, "" if they don't say. A
// runner does not mind what is odd in them.
func language(metadata json.RawMessage) string {
	var meta struct {
		Kernelspec struct{ Name, Language string } `json:"kernelspec"`
		Info       struct{ Name string }           `json:"language_info"`
	}
	_ = json.Unmarshal(metadata, &meta)
	name := strings.ToLower(cmp.Or(meta.Kernelspec.Language, meta.Info.Name, kernels[strings.TrimRight(strings.ToLower(meta.Kernelspec.Name), "0123456789.-")]))
	if name == "golang" {
		return "go"
	}
	return name
}

// kernels are languages by the names of their kernels, without versions, for notebooks
// that say no more.
var kernels = map[string]string{
	"python": "python", "ir": "r", "julia": "julia", "bash": "bash", "javascript": "javascript",
	"deno": "typescript", "rust": "rust", "scala": "scala", "kotlin": "kotlin", "java": "java", "xcpp": "c++",
	"gonb": "go", "gophernotes": "go", "lgo": "go",
}

// LanguageOf is the language of what may be a notebook, or something like one, such as
// a notebook of another format; "" when it can't be told.
func LanguageOf(data []byte) string {
	fields, err := object(data)
	if err != nil {
		return ""
	}
	return language(get(fields, "metadata"))
}

func invalidAt(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(data)
}

func (nb *Notebook) readFormat() error {
	major := nb.field("nbformat")
	if major == nil {
		return errors.New(`has no "nbformat": is it a notebook?`)
	}
	var v int
	if err := json.Unmarshal(major, &v); err != nil || v != 4 {
		return fmt.Errorf("has nbformat %s, want 4: convert it with jupyter nbconvert --to notebook", brief(major))
	}
	if m := nb.field("nbformat_minor"); m != nil {
		if err := json.Unmarshal(m, &nb.Minor); err != nil {
			return fmt.Errorf("nbformat_minor is %s, not a number", brief(m))
		}
	}
	return nil
}

func readCell(raw json.RawMessage) (*Cell, error) {
	fields, err := object(raw)
	if err != nil {
		return nil, errors.New("is not a JSON object")
	}
	c := &Cell{raw: raw, fields: fields}
	kind := get(fields, "cell_type")
	if kind == nil {
		return nil, errors.New(`has no "cell_type"`)
	}
	if err := json.Unmarshal(kind, &c.Type); err != nil || !slices.Contains([]string{"code", "markdown", "raw"}, c.Type) {
		return nil, fmt.Errorf(`cell_type is %s, not "code", "markdown" or "raw"`, brief(kind))
	}
	source := get(fields, "source")
	if source == nil {
		return nil, errors.New(`has no "source"`)
	}
	var ok bool
	if c.Source, ok = multiline(source); !ok {
		return nil, errors.New(`"source" is neither text nor a list of lines`)
	}
	var meta struct{ Tags []string }
	if m := get(fields, "metadata"); m != nil {
		if err := json.Unmarshal(m, &meta); err != nil {
			return nil, errors.New(`"metadata" is not an object with "tags" that are a list of words`)
		}
	}
	c.Tags = meta.Tags
	return c, nil
}

// multiline reads what nbformat calls a multiline string: text, or a list of
// lines.
func multiline(raw json.RawMessage) (string, bool) {
	var text string
	var lines []string
	switch {
	case isNull(raw):
		return "", false
	case json.Unmarshal(raw, &text) == nil:
		return text, true
	case json.Unmarshal(raw, &lines) == nil:
		return strings.Join(lines, ""), true
	}
	return "", false
}

func isNull(raw []byte) bool { return bytes.Equal(bytes.TrimSpace(raw), []byte("null")) }

func (nb *Notebook) field(key string) json.RawMessage { return get(nb.fields, key) }

func get(fields []field, key string) json.RawMessage {
	for _, f := range fields {
		if f.key == key {
			return f.value
		}
	}
	return nil
}

// object splits a JSON object into its members. Of members with the same name the last
// one counts, as in Python.
func object(data []byte) ([]field, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	tok, err := dec.Token()
	if err != nil {
		return nil, notJSON(data, err)
	}
	if tok != json.Delim('{') {
		return nil, fmt.Errorf("is %s, not a JSON object: is it a notebook?", what(tok))
	}
	var fields []field
	at := map[string]int{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, notJSON(data, err)
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, notJSON(data, err)
		}
		name := key.(string)
		if i, twice := at[name]; twice {
			fields[i].value = value
			continue
		}
		at[name] = len(fields)
		fields = append(fields, field{name, value})
	}
	if _, err := dec.Token(); err != nil {
		return nil, notJSON(data, err)
	}
	if rest := bytes.TrimLeft(data[dec.InputOffset():], " \t\r\n"); len(rest) > 0 {
		return nil, fmt.Errorf("line %d: unexpected text after the JSON object", line(data, int64(len(data)-len(rest))))
	}
	return fields, nil
}

// brief is a JSON value in one short line, for errors.
func brief(value json.RawMessage) string {
	var b bytes.Buffer
	_ = json.Compact(&b, value) // never fails: a decoder split value off
	if text := []rune(b.String()); len(text) > 40 {
		return string(text[:40]) + "…"
	}
	return b.String()
}

func line(data []byte, offset int64) int {
	return 1 + bytes.Count(data[:min(offset, int64(len(data)))], []byte("\n"))
}

func notJSON(data []byte, err error) error {
	// The decoder's own offsets count from the value it was reading, so the place is
	// searched for anew.
	var syntax *json.SyntaxError
	var v json.RawMessage
	if errors.As(json.Unmarshal(data, &v), &syntax) {
		return fmt.Errorf("line %d: is not JSON: %w", line(data, syntax.Offset), syntax)
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("line %d: is not JSON: %w", line(data, int64(len(data))), err)
}

func what(tok json.Token) string {
	switch tok.(type) {
	case json.Delim:
		return "a JSON list"
	case string:
		return "a JSON string"
	case float64:
		return "a JSON number"
	case nil:
		return "null"
	default:
		return "true or false"
	}
}

// Insert puts a new code cell with these tags before cell i.
func (nb *Notebook) Insert(i int, source string, tags ...string) *Cell {
	c := &Cell{Type: "code", Source: source, Tags: tags}
	if nb.Minor >= 5 {
		c.fields = append(c.fields, field{"id", nb.newID()})
	}
	nb.Cells = slices.Insert(nb.Cells, i, c)
	nb.edited = true
	return c
}

// Remove removes cell i.
func (nb *Notebook) Remove(i int) {
	nb.Cells = slices.Delete(nb.Cells, i, i+1)
	nb.edited = true
}

// newID returns a cell id that the notebook does not have yet. It is the same
// every time, so that two runs write the same file.
func (nb *Notebook) newID() json.RawMessage {
	for n := 0; ; n++ {
		id, _ := json.Marshal("injected-parameters")
		if n > 0 {
			id, _ = json.Marshal(fmt.Sprintf("injected-parameters-%d", n))
		}
		if !slices.ContainsFunc(nb.Cells, func(c *Cell) bool { return bytes.Equal(get(c.fields, "id"), id) }) {
			return id
		}
	}
}

// Close frees what the outputs of a run hold outside memory.
func (nb *Notebook) Close() error {
	var errs []error
	for _, c := range nb.Cells {
		if c.Outputs != nil {
			errs = append(errs, c.Outputs.store.close())
		}
	}
	return errors.Join(errs...)
}

// StoredCount is the execution_count that the file has, 0 for none.
func (c *Cell) StoredCount() int {
	var n int
	_ = json.Unmarshal(get(c.fields, "execution_count"), &n) // null leaves it 0
	return n
}

// ID is the cell's id, "" if it has none.
func (c *Cell) ID() string {
	var id string
	_ = json.Unmarshal(get(c.fields, "id"), &id) // of another type it doesn't count
	return id
}

// Clone returns a copy of the notebook that can be run without changing this one. What
// was read is shared, as it does not change.
func (nb *Notebook) Clone() *Notebook {
	c := *nb
	c.Cells = make([]*Cell, len(nb.Cells))
	for i, old := range nb.Cells {
		cell := *old
		cell.Outputs, cell.Count, cell.Times = nil, 0, nil
		c.Cells[i] = &cell
	}
	return &c
}

// Metadata are those of the notebook.
func (nb *Notebook) Metadata() json.RawMessage { return nb.field("metadata") }

// Raw is the cell as it stands in the file.
func (c *Cell) Raw() []byte { return c.raw }
