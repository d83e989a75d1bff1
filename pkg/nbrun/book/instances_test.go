package book

import (
	"encoding/json"
	"errors"
	"go/types"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/program"
)

// What is compiled for pages beforehand are the instances that cells name, of types that
// others can name as well, unless a package that they import has them.
func TestInstancesThatProgramsMake(t *testing.T) {
	archives := map[string]archive{}
	cmd := exec.CommandContext(t.Context(), "go", "list", "-export", "-deps", "-json=ImportPath,Export,Standard", "../../prodcons/story")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath, Export string
			Standard           bool
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		archives[p.ImportPath] = archive{Path: p.ImportPath, Export: p.Export, Standard: p.Standard}
	}
	const head = "package main\n\nimport (\n\t\"sync/atomic\"\n\t\"time\"\n\t\"github.com/b3771e63/prodcons/pkg/prodcons\"\n\t\"github.com/b3771e63/prodcons/pkg/prodcons/story\"\n)\n\n"
	for name, test := range map[string]struct{ source, want string }{
		"a type":                     {"var g prodcons.Group[[]*time.Duration]", "p.Group[[]*time.Duration]"},
		"a function's result":        {"var q = prodcons.NewBuffer[int](1, 0)", "p.Buffer[int]"},
		"an alias":                   {"type number = uint8; var g prodcons.Group[number]", "p.Group[uint8]"},
		"one inside another":         {"var g prodcons.Group[prodcons.Item[string]]", "p.Group[p.Item[string]]"},
		"two, one of them twice":     {"var g prodcons.Group[int]; var h *prodcons.Group[int]; var k prodcons.Keyed[int, string]", "p.Group[int] p.Keyed[int, string]"},
		"of a wrong program":         {"var g prodcons.Group[int]; var x int = undefined", "p.Group[int]"},
		"named by an import":         {"var g prodcons.Group[prodcons.Item[int]]; var b story.IntBuffer", ""},
		"with a type of the program": {"type order struct{}; var g prodcons.Group[[]order]", ""},
		"with a parameter":           {"func f[T any]() { var g prodcons.Group[T]; _ = &g }", ""},
		"without methods":            {"var f prodcons.Failure[int]", ""},
		"of the standard library":    {"var p atomic.Pointer[int]", ""},
		"no Go":                      {"func {", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, list := range instantiated([]*program.Program{{Source: head + test.source}}, archives) {
				for _, n := range list {
					got = append(got, strings.ReplaceAll(spell(n, (*types.Package).Path), "github.com/b3771e63/prodcons/pkg/prodcons", "p"))
				}
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
