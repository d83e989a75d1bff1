//go:build linux

package nbrun_test

import (
	"strings"
	"testing"

	"github.com/b3771e63/prodcons/pkg/nbrun"
	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

// A cell that uses more memory than allowed is stopped, in each engine, even one that
// may fail; the next one runs. One that somebody else has killed says what that may
// mean.
func TestTheMemoryOfCellsHasALimit(t *testing.T) {
	const (
		hog = `%%
var kept [][]byte
for len(kept) < 4000 {
	b := make([]byte, 1<<20)
	for i := 0; i < len(b); i += 512 { b[i] = 1 }
	kept = append(kept, b)
	time.Sleep(time.Millisecond)
}
println(len(kept))`
		shell  = "!head -c 3000000000 /dev/zero | tail >/dev/null"
		killed = "import (\"fmt\"; \"os\"; \"os/exec\"; \"time\")\n%%\nexec.Command(\"kill\", \"-9\", fmt.Sprint(os.Getpid())).Run()\ntime.Sleep(time.Minute)"
	)
	for name, opts := range map[string]nbrun.Options{
		"go":             {},
		"go, virtual":    {Clock: nbrun.Virtual},
		"yaegi":          {Engine: nbrun.Yaegi},
		"yaegi, virtual": {Engine: nbrun.Yaegi, Clock: nbrun.Virtual},
		"gonb":           {Engine: nbrun.GoNB},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opts.AllowErrors, opts.MaxMemory = true, 1<<30
			data := string(notebook(t, []string{"import \"time\"\n" + hog, shell, killed, "%%\nprintln(\"after\")"}))
			data = strings.Replace(data, `"metadata":{}`, `"metadata":{"tags":["raises-exception"]}`, 1)
			data = data[:strings.LastIndex(data, `"metadata":{}`)] + `"metadata":{"nbrun":{"max_memory":419430400}}` + data[strings.LastIndex(data, `"metadata":{}`)+len(`"metadata":{}`):]
			r, _, _ := executeData(t, "memory.ipynb", []byte(data), opts)
			for i, want := range []string{
				"cell 1: used more than 400 MiB of memory and was stopped",
				"cell 2: used more than 400 MiB of memory and was stopped",
				"cell 3: signal: killed; it may have run out of memory",
			} {
				if f := r.Cells[i].Fault; f == nil || f.Error() != want || f.Expected || (f.Reason == event.Memory) != (i < 2) {
					t.Errorf("%v, want %s", f, want)
				}
			}
			if c := r.Cells[3]; c.Verdict != event.Pass {
				t.Errorf("the next cell: %s, %v", c.Verdict, c.Fault)
			}
		})
	}
}
