package nbrun_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/b3771e63/prodcons/pkg/nbrun"
	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/ipynb"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/lessons"
	"github.com/b3771e63/prodcons/pkg/nbrun/nbtest"
)

func TestMain(m *testing.M) {
	nbrun.Main()
	goleak.VerifyTestMain(m)
}

// execute runs a notebook and returns it as it was written, with its outputs.
func execute(t testing.TB, path string, opts nbrun.Options) (*nbrun.Result, *ipynb.Notebook, []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return executeData(t, path, data, opts)
}

// executeData is execute for a notebook that need not be in a file.
func executeData(t testing.TB, name string, data []byte, opts nbrun.Options) (*nbrun.Result, *ipynb.Notebook, []byte) {
	t.Helper()
	n, err := nbrun.Parse(t.Context(), name, data, opts)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	r, err := n.Run(t.Context())
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	defer r.Close()
	out := filepath.Join(t.TempDir(), "out.ipynb")
	if err := r.WriteFile(out); err != nil {
		t.Fatal(err)
	}
	done, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	nb, err := ipynb.Read(done)
	if err != nil {
		t.Fatal(err)
	}
	return r, nb, done
}

func TestLessonsPassOnEveryEngineAndClock(t *testing.T) {
	fast := map[string]string{"speed": "20"}
	for name, opts := range map[string]nbrun.Options{
		"go, virtual clock": {Clock: nbrun.Virtual},
		"go, real clock":    {Params: fast},
		// On the real clock the race detector, which may be in this binary, makes the
		// interpreter slow, and blind to the deadlock that a cell has on purpose.
		"yaegi": {Engine: nbrun.Yaegi, Clock: nbrun.Virtual},
	} {
		for _, path := range lessons.All() {
			t.Run(name+"/"+filepath.Base(path), func(t *testing.T) {
				if topic := lessons.Topic(path); topic != "synchronous" && topic != "channels" {
					takesLong(t)
				}
				r, nb, _ := execute(t, path, opts)
				if opts.Engine == nbrun.Yaegi && !lessons.Interpreted(path) {
					if f := r.Fault(); f == nil || f.Reason != event.Unsupported {
						t.Errorf("fault %v, want one that the interpreter refuses", f)
					}
					return
				}
				if f := r.Fault(); f != nil {
					t.Fatal(f)
				}
				for _, c := range nb.Cells {
					stdout, _, _ := c.Texts()
					if c.Type == "code" && !c.HasTag("check") && strings.Contains(stdout, "✘") {
						t.Errorf("a claim is false:\n%s\n%s", c.Source, stdout)
					}
					if opts.Clock == nbrun.Virtual && strings.Contains(stdout, "not measurable") {
						t.Errorf("a claim is left open on an exact clock:\n%s\n%s", c.Source, stdout)
					}
					open := strings.Contains(stdout, "Not yet") || opts.Clock != nbrun.Virtual && strings.Contains(stdout, "Not measurable")
					if c.HasTag("check") && !open {
						t.Errorf("an exercise is solved as it is given:\n%s", stdout)
					}
				}
			})
		}
	}
}

func TestTheNumbersOfTheStoryComeOut(t *testing.T) {
	_, nb, _ := execute(t, lessons.Named("channels"), nbrun.Options{Clock: nbrun.Virtual})
	table := ""
	for _, c := range nb.Cells {
		if stdout, _, _ := c.Texts(); strings.Contains(stdout, "│ empty polls") {
			table = stdout
		}
	}
	for _, want := range []string{
		`synchronous +20 +30\.91 s │ +20\.91 s +10\.47 s +10\.47 s +15\.89 s +20\.91 s │ +0\n`,
		`polling every 100 ms +20 +20\.50 s │ +0\.10 s .* 0\.05 s +0\.10 s │ +105\n`,
		`channels +20 +20\.91 s │ +0 s +0 s +0 s +0 s +0 s │ +0\n`,
	} {
		if !regexp.MustCompile(want).MatchString(table) {
			t.Errorf("no line like %s in\n%s", want, table)
		}
	}
	theREADMEsNumbers(t, table)
}

var address = regexp.MustCompile(`0x[0-9a-f]+`)

// Two runs on the virtual clock write the same, except for cells that have to run on
// the real one, or run other programs, and for addresses in stack traces.
func TestVirtualRunsAreTheSameByteForByte(t *testing.T) {
	takesLong(t)
	for _, path := range lessons.All() {
		a, one, first := execute(t, path, nbrun.Options{Clock: nbrun.Virtual})
		_, two, second := execute(t, path, nbrun.Options{Clock: nbrun.Virtual})
		mask := func(data []byte) []byte { return address.ReplaceAll(data, nil) }
		real := onRealClock(a)
		if len(real) == 0 && !bytes.Equal(mask(first), mask(second)) {
			t.Errorf("%s: two runs differ", path)
		}
		for i := range one.Cells {
			if slices.Contains(real, one.Cells[i].StoredCount()) || strings.HasPrefix(one.Cells[i].Source, "!") {
				continue
			}
			if x, y := mask(one.Cells[i].Raw()), mask(two.Cells[i].Raw()); !bytes.Equal(x, y) {
				t.Errorf("%s, cell %d: two runs differ:\n%.2000s\n%.2000s", path, i+1, x, y)
			}
		}
	}
}

// On the virtual clock the interpreter says what compiled programs say, at the same
// times, except in stack traces.
func TestTheInterpretersVirtualClockIsThatOfGo(t *testing.T) {
	takesLong(t)
	notUnderRace(t) // with which the scheduler orders what goes on at the same instant by chance
	compared := 0
	for _, path := range lessons.All() {
		if !lessons.Interpreted(path) {
			continue
		}
		compiled, want, _ := execute(t, path, nbrun.Options{Clock: nbrun.Virtual, Times: true})
		interpreted, got, _ := execute(t, path, nbrun.Options{Engine: nbrun.Yaegi, Clock: nbrun.Virtual, Times: true})
		real := append(onRealClock(compiled), onRealClock(interpreted)...)
		for i, c := range want.Cells {
			if c.Type != "code" || slices.Contains(real, c.StoredCount()) || c.HasTag("raises-exception") {
				continue
			}
			stdout, stderr, _ := c.Texts()
			gotOut, gotErr, _ := got.Cells[i].Texts()
			if stdout != gotOut || stderr != gotErr {
				t.Errorf("%s, cell %d: compiled it says\n%s%s\nand interpreted\n%s%s", path, i+1, stdout, stderr, gotOut, gotErr)
			}
			compared++
		}
		for i, c := range compiled.Cells {
			// Goroutines that go on at the same instant may do so in another order, so
			// that a loop that checks every millisecond whether they have ended checks
			// once more; and the interpreter does not know when a deadlock occurred.
			took, tookToo := c.End.Sub(c.Begin), interpreted.Cells[i].End.Sub(interpreted.Cells[i].Begin)
			if len(real) == 0 && c.Fault == nil && (took-tookToo).Abs() > 10*time.Millisecond {
				t.Errorf("%s, cell %d: compiled it takes %v, and interpreted %v", path, c.Number, took, tookToo)
			}
		}
	}
	if compared < 40 {
		t.Errorf("only %d cells were compared", compared)
	}
}

// onRealClock are the numbers of the cells that ran on the real clock.
func onRealClock(r *nbrun.Result) (numbers []int) {
	for _, c := range r.Cells {
		if c.Clock == nbrun.Real {
			numbers = append(numbers, c.Number)
		}
	}
	return numbers
}

// measured is where lessons recorded in the kernel differ from the virtual clock:
// numbers, the positions of columns, pictures, and the race detector's reports.
var measured = []string{
	`(?s)\Astderr:\n.*?\n(stdout:\n|ERROR: )`,
	`image/png: .*`, `(?s)image/svg\+xml: .*?</svg>`,
	`\x1b\[[\d;]*m`, `\d[\d.]*( ?(s|ms|µs|ns)\b)?`, ` +`,
}

func TestCommittedOutputsAreThoseOfTheCode(t *testing.T) {
	takesLong(t)
	nbtest.Run(t, filepath.Join(filepath.Dir(lessons.Index()), "[0-9]*.ipynb"), nbrun.Options{Clock: nbrun.Virtual, Compare: true, Mask: measured})
}

var machine = regexp.MustCompile(`/(tmp|root|home|usr/local|var/folders|Users)/`)

func TestLessonsAreRecordedInOneRun(t *testing.T) {
	for _, path := range lessons.All() {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		nb, err := ipynb.Read(data)
		if err != nil {
			t.Fatal(err)
		}
		if m := machine.Find(data); m != nil {
			t.Errorf("%s: has a path of a machine in it: %s", path, m)
		}
		if nb.Minor != 5 || nb.Language != "go" {
			t.Errorf("%s: nbformat 4.%d, language %q", path, nb.Minor, nb.Language)
		}
		count := 0
		for i, c := range nb.Cells {
			if c.Type != "code" {
				continue
			}
			if count++; c.StoredCount() != count {
				t.Errorf("%s, cell %d: execution count %d, want %d: record the lesson anew, in one run: go run ./scripts/nbrun -engine gonb -w notebooks/%s", path, i+1, c.StoredCount(), count, filepath.Base(path))
			}
		}
	}
}

// What answers a question is folded, and not in the text of a cell that isn't. Somebody
// who only reads unfolds it.
func TestAnswersAreOutOfSight(t *testing.T) {
	keys := regexp.MustCompile(`\{"(close|send|wait|add|fewer consumers)",`)
	for _, path := range append(lessons.All(), lessons.Index()) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var nb struct {
			Cells []struct {
				Type     string `json:"cell_type"`
				Metadata struct {
					Tags    []string
					Jupyter struct {
						Hidden bool `json:"outputs_hidden"`
					}
				}
				Source  []string
				Outputs []json.RawMessage
			}
			Metadata struct {
				Info struct {
					Lexer string `json:"pygments_lexer"`
				} `json:"language_info"`
			}
		}
		if err := json.Unmarshal(data, &nb); err != nil {
			t.Fatal(err)
		}
		if nb.Metadata.Info.Lexer != "go" {
			t.Errorf("%s: pygments_lexer is %q, want go", path, nb.Metadata.Info.Lexer)
		}
		asked := false // a prediction is open
		for i, c := range nb.Cells {
			source := strings.Join(c.Source, "")
			solution := slices.Contains(c.Metadata.Tags, "solution")
			if solution && (c.Type != "markdown" || !strings.HasPrefix(source, "<details><summary>") || !strings.HasSuffix(source, "</details>")) {
				t.Errorf("%s, cell %d: the solution is not folded", path, i+1)
			}
			if !solution && keys.MatchString(source) {
				t.Errorf("%s, cell %d: holds the key: %s", path, i+1, keys.FindString(source))
			}
			switch {
			case c.Type == "markdown":
				asked = strings.Contains(source, "Predict")
			case asked && len(c.Outputs) > 0 && !c.Metadata.Jupyter.Hidden && !slices.Contains(c.Metadata.Tags, "exercise") && !slices.Contains(c.Metadata.Tags, "check"):
				t.Errorf("%s, cell %d: the output stands open below the question", path, i+1)
			}
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)]+\.ipynb)\)`)

func TestLessonsAreLaidOutAlike(t *testing.T) {
	files := lessons.All()
	for i, path := range files {
		nb, err := ipynb.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		tags := map[string]int{}
		links := map[string]bool{}
		for n, c := range nb.Cells {
			for _, tag := range c.Tags {
				tags[tag]++
			}
			for _, m := range link.FindAllStringSubmatch(c.Source, -1) {
				links[m[1]] = true
				if _, err := os.Stat(filepath.Join(filepath.Dir(path), m[1])); err != nil {
					t.Errorf("%s: link to %s: %v", path, m[1], err)
				}
			}
			if lines := strings.Count(c.Source, "\n") + 1; c.Type == "code" && lines > 35 {
				t.Errorf("%s, cell %d: %d lines", path, n+1, lines)
			}
		}
		if tags["setup"] != 1 || tags["parameters"] != 1 {
			t.Errorf("%s: tags %v", path, tags)
		}
		for _, neighbour := range []int{i - 1, i + 1} {
			if neighbour >= 0 && neighbour < len(files) && !links[filepath.Base(files[neighbour])] {
				t.Errorf("%s: has no link to %s", path, filepath.Base(files[neighbour]))
			}
		}
	}
}

func TestEveryWrongSpeedIsSaidInOneLine(t *testing.T) {
	for _, speed := range []string{"0", "-1"} {
		r, _, _ := execute(t, lessons.Named("synchronous"), nbrun.Options{Engine: nbrun.Yaegi, Params: map[string]string{"speed": speed}})
		want := fmt.Sprintf("panic: speed must be a number above 0, not %s: 1 is real time, 10 is ten times as fast; set it in the parameters cell", speed)
		if f := r.Fault(); f == nil || f.Text != want {
			t.Errorf("speed %s: %v", speed, f)
		}
	}
}

func TestTooFewItemsAreSaidInOneLine(t *testing.T) {
	takesLong(t)
	for _, path := range lessons.All() {
		for _, n := range []string{"0", "1"} {
			r, _, _ := execute(t, path, nbrun.Options{Clock: nbrun.Virtual, Params: map[string]string{"n": n}})
			want := fmt.Sprintf("the claims are about runs of 15 items or more, and n is %s: set it in the parameters cell", n)
			if f := r.Fault(); f == nil || !strings.Contains(f.Text, want) {
				t.Errorf("%s, n = %s: %v", path, n, f)
			}
		}
	}
}

var update = flag.Bool("update", false, "write the README's picture anew")

// The README's picture is that of lesson 3: its three runs, one below the other.
func TestPictureOfTheREADME(t *testing.T) {
	_, nb, _ := execute(t, lessons.Named("channels"), nbrun.Options{Clock: nbrun.Virtual})
	var parts []image.Image
	for _, c := range nb.Cells {
		var cell struct {
			Outputs []struct{ Data map[string]any }
		}
		if err := json.Unmarshal(c.Raw(), &cell); err != nil || !strings.Contains(c.Source, "picture.Play(first, second, third)") {
			continue
		}
		for _, o := range cell.Outputs {
			if text, ok := o.Data["image/png"].(string); ok {
				img, err := png.Decode(base64.NewDecoder(base64.StdEncoding, strings.NewReader(text)))
				if err != nil {
					t.Fatal(err)
				}
				parts = append(parts, img)
			}
		}
	}
	if len(parts) != 3 {
		t.Fatalf("%d pictures", len(parts))
	}
	size := image.Point{}
	for _, p := range parts {
		size = image.Pt(max(size.X, p.Bounds().Dx()), size.Y+p.Bounds().Dy())
	}
	all := image.NewRGBA(image.Rectangle{Max: size})
	y := 0
	for _, p := range parts {
		draw.Draw(all, p.Bounds().Add(image.Pt(0, y)), p, image.Point{}, draw.Src)
		y += p.Bounds().Dy()
	}
	path := "../../.github/three-versions.png"
	if *update {
		var b bytes.Buffer
		if err := errors.Join((&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, all), os.WriteFile(path, b.Bytes(), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	committed, err := png.Decode(f)
	if err != nil || committed.Bounds() != all.Bounds() {
		t.Fatalf("%s: %v: draw it anew with go test -run PictureOfTheREADME ./pkg/nbrun -update", path, err)
	}
	differ := 0
	for y := range size.Y {
		for x := range size.X {
			r, g, b, _ := all.At(x, y).RGBA()
			r2, g2, b2, _ := committed.At(x, y).RGBA()
			if r>>12 != r2>>12 || g>>12 != g2>>12 || b>>12 != b2>>12 {
				differ++
			}
		}
	}
	if differ > size.X*size.Y/200 {
		t.Errorf("%s: %d pixels are no longer those of the lesson: draw it anew with go test -run PictureOfTheREADME ./pkg/nbrun -update", path, differ)
	}
}
