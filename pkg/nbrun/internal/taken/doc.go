// Package taken makes a compiled program wait, after each display, until the
// runner has taken it. A pipe can't say which of two pipes was written to first;
// a program that waits can't have printed anything more before its display was
// taken.
//
// Programs display through gonbui, which writes to the pipe in GONB_PIPE with an
// encoder of encoding/gob and does not wait. So they are built with a gob whose
// encoders do, on that pipe only: Patch changes one line of gob's encoder.go, and of
// its decoder.go, and Files are added to gob beside it, by go build -overlay. The
// module cache, where gonbui is, can't be overlaid; the standard library can. So it
// does not matter which version of gonbui a program has, nor where it got it.
//
// After each piece that the runner has read from GONB_PIPE and handled, it writes Count
// of the piece's length to the named pipe in Env. A program that does not know of it
// leaves it unread.
//
// On the fake clock a goroutine that waits for an answer in GONB_PIPE_BACK, as one of
// gonbui always does, would look asleep. There it looks for answers each time that
// something was taken, as the runner answers before it says so.
package taken

import (
	"embed"
	"encoding/binary"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"strings"
)

// Count is what the runner writes when it has taken n bytes.
func Count(n int) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(n)) }

//go:embed wait*.go
var sources embed.FS

// Files are the files to be added to gob, by name.
func Files() map[string]string {
	entries, err := sources.ReadDir(".")
	if err != nil {
		panic(err) // they are embedded
	}
	files := map[string]string{}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		text, err := sources.ReadFile(e.Name())
		if err != nil {
			panic(err)
		}
		files["nbrun_"+path.Base(e.Name())] = strings.Replace(string(text), "\npackage taken\n", "\npackage gob\n", 1)
	}
	return files
}

// Patched are the files of gob that Patch changes, and what it has them call.
var Patched = map[string]struct{ function, parameter, calls string }{
	"encoder.go": {"NewEncoder", "io.Writer", "takenWriter"},
	"decoder.go": {"NewDecoder", "io.Reader", "takenReader"},
}

// Patch changes one of the files of gob in Patched so that NewEncoder passes its writer
// through takenWriter, and NewDecoder its reader through takenReader. All lines stay
// where they are. It returns an error if the file is not of the expected shape.
func Patch(name, text string) (string, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	want := Patched[name]
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv != nil || f.Name.Name != want.function || f.Body == nil {
			continue
		}
		if params := f.Type.Params.List; len(params) == 1 && len(params[0].Names) == 1 && params[0].Names[0].Name != "_" {
			t := fset.Position(params[0].Type.Pos()).Offset
			if strings.HasPrefix(text[t:], want.parameter+")") {
				p := params[0].Names[0].Name
				at := fset.Position(f.Body.Lbrace).Offset + 1
				return text[:at] + fmt.Sprintf(" %s = %s(%[1]s);", p, want.calls) + text[at:], nil
			}
		}
	}
	return "", fmt.Errorf("encoding/gob has no func %s(%s)", want.function, want.parameter)
}
