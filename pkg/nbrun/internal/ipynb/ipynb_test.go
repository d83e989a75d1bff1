package ipynb

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// notebook is a notebook with these cells.
func notebook(cells string) string {
	return `{"cells": [` + cells + `], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}`
}

func TestWhatIsNoNotebookIsSaidInOneLine(t *testing.T) {
	code := `"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": null, "id": "a"`
	for name, test := range map[string]struct{ text, want string }{
		"empty":             {"", "is empty: a notebook is a JSON object"},
		"blank":             {" \n\n", "is empty: a notebook is a JSON object"},
		"text":              {"hello\nthere", "line 1: is not JSON: invalid character 'h' looking for beginning of value"},
		"cut off":           {"{\n\"cells\": [\n", "line 3: is not JSON: unexpected end of JSON input"},
		"bad in the middle": {"{\n\"cells\": [\n}", "line 3: is not JSON: invalid character '}' looking for beginning of value"},
		"list":              {"[1]", "is a JSON list, not a JSON object: is it a notebook?"},
		"string":            {`"x"`, "is a JSON string, not a JSON object: is it a notebook?"},
		"number":            {"3", "is a JSON number, not a JSON object: is it a notebook?"},
		"null":              {"null", "is null, not a JSON object: is it a notebook?"},
		"two objects":       {"{}\n{}", "line 2: unexpected text after the JSON object"},
		"byte order mark":   {"\xef\xbb\xbf{}", "begins with a byte order mark, which JSON forbids: save it as plain UTF-8"},
		"broken UTF-8":      {"{\n\"a\": \"\xff\"}", "line 2: is not UTF-8: save it as UTF-8"},
		"no format":         {`{"cells": []}`, `has no "nbformat": is it a notebook?`},
		"format 3":          {`{"worksheets": [], "nbformat": 3}`, "has nbformat 3, want 4: convert it with jupyter nbconvert --to notebook"},
		"odd format":        {`{"nbformat": "4"}`, `has nbformat "4", want 4: convert it with jupyter nbconvert --to notebook`},
		"odd minor":         {`{"nbformat": 4, "nbformat_minor": []}`, `nbformat_minor is [], not a number`},
		"no cells":          {`{"nbformat": 4}`, `has no "cells": is it a notebook?`},
		"cells are none":    {`{"nbformat": 4, "cells": {}}`, `"cells" is not a list: is it a notebook?`},
		"cells are null":    {`{"nbformat": 4, "cells": null}`, `"cells" is not a list: is it a notebook?`},
		"cell is none":      {notebook(`3`), "cell 1 of 1: is not a JSON object"},
		"no cell type":      {notebook(`{}`), `cell 1 of 1: has no "cell_type"`},
		"unknown type":      {notebook(`{"cell_type": "heading"}`), `cell 1 of 1: cell_type is "heading", not "code", "markdown" or "raw"`},
		"type of lines":     {notebook("{\"cell_type\": [\n\t\"code\"]}"), `cell 1 of 1: cell_type is ["code"], not "code", "markdown" or "raw"`},
		"format of lines":   {"{\"nbformat\": [\n\"" + strings.Repeat("4", 50) + "\"]}", `has nbformat ["` + strings.Repeat("4", 38) + `…, want 4: convert it with jupyter nbconvert --to notebook`},
		"no source":         {notebook(`{` + code + `, "source": ""}, {` + code + `}`), `cell 2 of 2: has no "source"`},
		"odd source":        {notebook(`{` + code + `, "source": 3}`), `cell 1 of 1: "source" is neither text nor a list of lines`},
		"null source":       {notebook(`{` + code + `, "source": null}`), `cell 1 of 1: "source" is neither text nor a list of lines`},
		"odd lines":         {notebook(`{` + code + `, "source": [3]}`), `cell 1 of 1: "source" is neither text nor a list of lines`},
		"odd tags":          {notebook(`{"cell_type": "code", "source": "", "metadata": {"tags": 3}}`), `cell 1 of 1: "metadata" is not an object with "tags" that are a list of words`},
	} {
		_, err := Read([]byte(test.text))
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: %v\nwant %s", name, err, test.want)
		}
	}
}

func TestAFileThatCanNotBeRead(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadFile(dir); err == nil || err.Error() != "is a folder, not a notebook" {
		t.Errorf("a folder: %v", err)
	}
	if _, err := ReadFile(filepath.Join(dir, "none.ipynb")); err == nil || err.Error() != "no such file or directory" {
		t.Errorf("no file: %v", err)
	}
	big := filepath.Join(dir, "big.ipynb")
	f, err := os.Create(big)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(MaxSize + 2); err != nil { // a sparse file takes no room
		t.Fatal(err)
	}
	f.Close()
	if _, err := ReadFile(big); err == nil || err.Error() != "is larger than 1024 MiB: clear its outputs first" {
		t.Errorf("a huge file: %v", err)
	}
}

func TestSourceIsTextOrLines(t *testing.T) {
	nb, err := Read([]byte(notebook(`{"cell_type": "code", "source": "a\nb"}, {"cell_type": "raw", "source": ["a\n", "b"], "metadata": {"tags": ["x"]}}`)))
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range nb.Cells {
		if c.Source != "a\nb" {
			t.Errorf("cell %d is %q", i, c.Source)
		}
	}
	if !nb.Cells[1].HasTag("x") || nb.Cells[0].HasTag("x") {
		t.Error("tags are wrong")
	}
}

// theirs are notebooks that nobody here wrote, as Jupyter saved them.
func theirs(t testing.TB) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/janpfeifer/gonb").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	files, _ := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), "examples", "*.ipynb"))
	more, _ := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), "examples", "tests", "*.ipynb"))
	ours, _ := filepath.Glob("../../../../notebooks/*.ipynb")
	if len(files) == 0 || len(more) == 0 || len(ours) == 0 {
		t.Fatal("no notebooks found")
	}
	return append(append(files, more...), ours...)
}

func TestAnUnchangedNotebookKeepsEveryByte(t *testing.T) {
	for _, path := range theirs(t) {
		nb, err := ReadFile(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		var b bytes.Buffer
		if _, err := nb.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		if want, _ := os.ReadFile(path); !bytes.Equal(b.Bytes(), want) {
			t.Errorf("%s: changed", path)
		}
	}
}

// replay outputs a cell's stored outputs again.
func replay(t *testing.T, c *Cell) {
	t.Helper()
	var stored []map[string]any
	dec := json.NewDecoder(bytes.NewReader(get(c.fields, "outputs")))
	dec.UseNumber()
	if err := dec.Decode(&stored); err != nil {
		t.Fatal(err)
	}
	c.Outputs = new(Outputs)
	_ = json.Unmarshal(get(c.fields, "execution_count"), &c.Count)
	for _, o := range stored {
		switch o["output_type"] {
		case "stream":
			text, _ := joined(o["text"])
			if err := c.Outputs.stream(o["name"].(string), text); err != nil {
				t.Fatal(err)
			}
		case "error":
			var lines []string
			for _, l := range o["traceback"].([]any) {
				lines = append(lines, l.(string))
			}
			c.Outputs.add(&output{kind: "error", name: o["ename"].(string), value: o["evalue"].(string), traceback: lines})
		case "display_data":
			data := o["data"].(map[string]any)
			for k, v := range data {
				if text, ok := joined(v); ok {
					data[k] = text
				}
			}
			metadata, _ := o["metadata"].(map[string]any)
			c.Outputs.add(&output{kind: "display_data", data: data, metadata: metadata})
		default:
			t.Skipf("output of type %v", o["output_type"])
		}
	}
}

func TestTheSameOutputsGiveTheSameBytes(t *testing.T) {
	compared := 0
	for _, path := range theirs(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			nb, err := ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want, _ := os.ReadFile(path)
			if bytes.Contains(want, []byte(`"colab"`)) {
				t.Skip("written by Colab, which lays JSON out in its own way")
			}
			streams := 0
			for _, c := range nb.Cells {
				if c.Type == "code" {
					replay(t, c)
					var stored []any
					_ = json.Unmarshal(get(c.fields, "outputs"), &stored)
					streams += len(stored) - len(c.Outputs.list)
				}
			}
			if streams > 0 {
				t.Skip("has neighbouring pieces of one stream, which are joined here")
			}
			var b bytes.Buffer
			if _, err := nb.WriteTo(&b); err != nil {
				t.Fatal(err)
			}
			compared++
			if !bytes.Equal(b.Bytes(), want) {
				t.Errorf("changed at byte %d", firstDifference(b.Bytes(), want))
			}
		})
	}
	if compared < 5 {
		t.Errorf("only %d notebooks could be compared", compared)
	}
}

func firstDifference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

func TestStyleOfTheFileIsKept(t *testing.T) {
	cell := `{"cell_type":"code","source":"x","metadata":{},"outputs":[],"execution_count":null}`
	plain := `{"cells":[` + cell + `],"metadata":{},"nbformat":4,"nbformat_minor":4}`
	var four bytes.Buffer
	if err := json.Indent(&four, []byte(plain), "", "    "); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"on one line":         plain,
		"python, on one line": strings.NewReplacer(`":`, `": `, `,"`, `, "`).Replace(plain),
		"four blanks, CRLF":   strings.ReplaceAll(four.String(), "\n", "\r\n") + "\r\n",
	} {
		nb, err := Read([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		nb.Cells[0].Outputs, nb.Cells[0].Count = new(Outputs), 0
		var b bytes.Buffer
		if _, err := nb.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		if b.String() != text {
			t.Errorf("%s: got\n%s\nwant\n%s", name, b.String(), text)
		}
	}
}

func TestOutputsAreWrittenAsJupyterWritesThem(t *testing.T) {
	nb, err := Read([]byte("{\n \"cells\": [\n  {\n   \"cell_type\": \"code\",\n   \"execution_count\": null,\n   \"id\": \"a\",\n   \"metadata\": {\n    \"tags\": [\n     \"x\"\n    ]\n   },\n   \"outputs\": [],\n   \"source\": []\n  }\n ],\n \"metadata\": {},\n \"nbformat\": 4,\n \"nbformat_minor\": 5\n}\n"))
	if err != nil {
		t.Fatal(err)
	}
	c := nb.Cells[0]
	c.Outputs, c.Count = new(Outputs), 3
	c.Times = &Times{time.Date(2009, 11, 10, 23, 0, 0, 0, time.UTC), time.Date(2009, 11, 10, 23, 0, 1, 500_000_000, time.UTC)}
	for _, s := range []string{"one\n", "tw", "o \"q\" \\ \x1b[1m\u2028é<&>\x00\xff\r\n", "last"} {
		if err := c.Outputs.stream("stdout", s); err != nil {
			t.Fatal(err)
		}
	}
	_ = c.Outputs.stream("stderr", "e")
	shown := c.Outputs.add(&output{kind: "display_data", data: map[string]any{"text/html": "old"}, metadata: map[string]any{}})
	c.Outputs.add(&output{kind: "error", name: "ERROR", value: "exit status 2", traceback: []string{"a", "b"}})
	shown.data = map[string]any{"text/html": "<b>\nnew", "image/png": "AAAA\n", "application/json": map[string]any{"b": 1, "a": nil}}
	shown.metadata = map[string]any{"image/png": map[string]any{"width": 3}}
	var b bytes.Buffer
	if _, err := nb.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	want := `{
 "cells": [
  {
   "cell_type": "code",
   "execution_count": 3,
   "id": "a",
   "metadata": {
    "execution": {
     "iopub.execute_input": "2009-11-10T23:00:00.000000Z",
     "iopub.status.busy": "2009-11-10T23:00:00.000000Z",
     "iopub.status.idle": "2009-11-10T23:00:01.500000Z",
     "shell.execute_reply": "2009-11-10T23:00:01.500000Z"
    },
    "tags": [
     "x"
    ]
   },
   "outputs": [
    {
     "name": "stdout",
     "output_type": "stream",
     "text": [
      "one\n",
      "two \"q\" \\ \u001b[1m` + "\u2028" + `",
      "é<&>\u0000` + "\ufffd" + `\n",
      "last"
     ]
    },
    {
     "name": "stderr",
     "output_type": "stream",
     "text": [
      "e"
     ]
    },
    {
     "data": {
      "application/json": {
       "a": null,
       "b": 1
      },
      "image/png": "AAAA\n",
      "text/html": [
       "<b>\n",
       "new"
      ]
     },
     "metadata": {
      "image/png": {
       "width": 3
      }
     },
     "output_type": "display_data"
    },
    {
     "ename": "ERROR",
     "evalue": "exit status 2",
     "output_type": "error",
     "traceback": [
      "a",
      "b"
     ]
    }
   ],
   "source": []
  }
 ],
 "metadata": {},
 "nbformat": 4,
 "nbformat_minor": 5
}
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	if _, err := Read(b.Bytes()); err != nil {
		t.Error(err)
	}
}

func TestInsertAndRemove(t *testing.T) {
	nb, err := Read([]byte(notebook(`{"cell_type": "markdown", "source": "a", "metadata": {}, "id": "injected-parameters"}`)))
	if err != nil {
		t.Fatal(err)
	}
	nb.Insert(1, "var x = 1", "injected-parameters")
	var b bytes.Buffer
	if _, err := nb.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	back, err := Read(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	c := back.Cells[1]
	if c.Type != "code" || c.Source != "var x = 1" || !c.HasTag("injected-parameters") || string(get(c.fields, "id")) != `"injected-parameters-1"` {
		t.Errorf("inserted %+v", c)
	}
	back.Remove(1)
	if len(back.Cells) != 1 || back.Cells[0].Type != "markdown" {
		t.Errorf("after removal: %d cells", len(back.Cells))
	}
}

func TestWriteFileLeavesNothingHalfWritten(t *testing.T) {
	if os.Getuid() == 0 {
		t.Log("root may write anywhere; a full disk stands for a file that can't be written")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "a.ipynb")
	text := []byte(notebook(`{"cell_type": "code", "source": "", "metadata": {}, "outputs": [], "execution_count": null, "id": "a"}`))
	if err := os.WriteFile(path, text, 0o640); err != nil {
		t.Fatal(err)
	}
	nb, err := ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	nb.Cells[0].Outputs = new(Outputs)
	// An output that can't be read back fails the writing half way.
	broken := &Text{store: new(store)}
	if _, err := broken.Write(bytes.Repeat([]byte("x"), inMemory+1)); err != nil {
		t.Fatal(err)
	}
	broken.store.file.Close()
	nb.Cells[0].Outputs.list = append(nb.Cells[0].Outputs.list, &output{kind: "stream", name: "stdout", text: broken})
	if err := nb.WriteFile(path); err == nil {
		t.Error("writing should have failed")
	}
	if now, _ := os.ReadFile(path); !bytes.Equal(now, text) {
		t.Error("the file has changed")
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("left behind: %v", files)
	}
	nb.Cells[0].Outputs = new(Outputs)
	link := filepath.Join(dir, "link.ipynb")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := nb.WriteFile(link); err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Lstat(link); !info.Mode().IsRegular() {
		t.Error("the link was not replaced")
	}
	if now, _ := os.ReadFile(path); !bytes.Equal(now, text) {
		t.Error("what the link names has changed")
	}
	if err := nb.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o640 {
		t.Errorf("the mode has become %v", info.Mode())
	}
	folder := filepath.Join(dir, "folder.ipynb")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := nb.WriteFile(folder); err == nil || err.Error() != "exists and is not a file" {
		t.Errorf("over a folder: %v", err)
	}
}

// What a killed writer has left is removed when a notebook is written beside it; what
// another one is writing stays.
func TestLongTextLiesInAFileAndIsWrittenWhole(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	text := Text{store: new(store)}
	var want bytes.Buffer
	for i := range 200_000 {
		line := fmt.Appendf(nil, "line %d\n", i)
		want.Write(line)
		if _, err := text.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	if text.store.file == nil || text.buf.Len() > inMemory || text.Len() != int64(want.Len()) {
		t.Errorf("%d bytes in memory of %d", text.buf.Len(), text.Len())
	}
	for range 2 { // it can be read again
		r, err := text.Reader()
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if _, err := got.ReadFrom(r); err != nil || !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Fatalf("%d bytes read, %v", got.Len(), err)
		}
	}
	if err := text.store.close(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(os.TempDir()); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// One file and little memory are enough, however many texts there are, and however they
// are mixed.
func TestTheTextsOfANotebookShareAFile(t *testing.T) {
	s := new(store)
	defer s.close()
	texts := make([]Text, 100)
	for i := range texts {
		texts[i].store = s
	}
	half := bytes.Repeat([]byte("0123456789abcde\n"), inMemory/32)
	for range 4 {
		for i := range texts {
			if _, err := texts[i].Write(half); err != nil {
				t.Fatal(err)
			}
		}
	}
	if s.held > allInMemory {
		t.Errorf("%d bytes are in memory", s.held)
	}
	for i := range texts {
		r, err := texts[i].Reader()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, bytes.Repeat(half, 4)) {
			t.Fatalf("text %d: %d bytes, %v", i, len(got), err)
		}
	}
	o := &Outputs{store: s}
	held := s.held
	s.held = 0
	_ = o.stream("stdout", "12345")
	o.clear()
	if s.held != 0 {
		t.Errorf("%d bytes are held for what was cleared", s.held)
	}
	s.held = held
}

func TestEditOutputs(t *testing.T) {
	path := "../../../../notebooks/01-synchronous.ipynb"
	nb, err := ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if nb.EditOutputs(func(s string) string { return s }) {
		t.Error("editing nothing has changed something")
	}
	nb, err = Read([]byte(notebook(`{"cell_type": "code", "source": "", "metadata": {}, "id": "a", "execution_count": 1, "outputs": [
		{"output_type": "stream", "name": "stderr", "text": ["at /tmp/x\n", "b"]},
		{"output_type": "display_data", "data": {"text/html": "/tmp/x", "image/png": "/tmp/x"}, "metadata": {}},
		{"output_type": "error", "ename": "E", "evalue": "/tmp/x", "traceback": ["/tmp/x"]}]}`)))
	if err != nil {
		t.Fatal(err)
	}
	if !nb.EditOutputs(func(s string) string { return strings.ReplaceAll(s, "/tmp/x", "here") }) {
		t.Error("nothing was changed")
	}
	var b bytes.Buffer
	if _, err := nb.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "here"); n != 4 || strings.Count(b.String(), "/tmp/x") != 1 {
		t.Errorf("%d places changed:\n%s", n, b.String())
	}
	if _, err := Read(b.Bytes()); err != nil {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	for _, path := range theirs(f) {
		if data, err := os.ReadFile(path); err == nil && len(data) < 20_000 {
			f.Add(data)
		}
	}
	f.Add([]byte(notebook(`{"cell_type": "code", "source": ["a\n"], "metadata": {"tags": ["x"]}}`)))
	f.Add([]byte(notebook(`{"cell_type": "code", "source": "", "source": ["twice"]}`)))
	f.Add([]byte(notebook("{\"cell_type\": [\n]}")))
	f.Fuzz(func(t *testing.T, data []byte) {
		nb, err := Read(data)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
			return
		}
		for _, c := range nb.Cells {
			c.Outputs = new(Outputs)
			_ = c.Outputs.stream("stdout", string(data))
		}
		var b bytes.Buffer
		if _, err := nb.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		back, err := Read(b.Bytes())
		if err != nil {
			t.Fatalf("what was written can't be read: %v\n%s", err, b.Bytes())
		}
		for i, c := range back.Cells {
			if c.Source != nb.Cells[i].Source {
				t.Errorf("source %q became %q", nb.Cells[i].Source, c.Source)
			}
		}
	})
}

func BenchmarkThousandCells(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			cell := `{"cell_type": "code", "source": "fmt.Println(1)", "metadata": {}, "outputs": [], "execution_count": null, "id": "a"}`
			data := []byte(notebook(cell + strings.Repeat(","+cell, n-1)))
			for b.Loop() {
				nb, err := Read(data)
				if err != nil {
					b.Fatal(err)
				}
				for _, c := range nb.Cells {
					c.Outputs = new(Outputs)
				}
				if _, err := nb.WriteTo(new(bytes.Buffer)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/cell")
		})
	}
}
