package nbrun_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun"
	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

// The differential test runs whole programs, each as one cell, with the interpreter,
// and compares what they write and how they end with the go engine's answer. An answer
// is the same, or refused before the cell ran, or wrong; a missing one is wrong, too.
//
//	go test ./pkg/nbrun -run Differential -v           prints the table
//	go test ./pkg/nbrun -run Differential/go -v        of one corpus
//	go test ./pkg/nbrun -run Differential -update      asks the go engine again
//
// The go engine's answers are kept in testdata/differential, by the program's name,
// with sums of the program and of the answer.

var chosen = flag.String("program", "", "run only the programs of the differential test whose name matches, and show both answers")

// interpretedClock is the clock that the interpreter's programs run on.
var interpretedClock = flag.String("differential-clock", "real", "the interpreter's clock in differential tests: `real` or virtual")

// corpora are the programs that are compared, and how many of them must be the same.
var corpora = []struct {
	name  string
	files func(t *testing.T) []string
	same  int
}{
	{"go", func(t *testing.T) []string { return runnable(t, goTool(t, "env", "GOROOT"), "test", true) }, 82},
	{"yaegi", func(t *testing.T) []string {
		return runnable(t, goTool(t, "list", "-m", "-f", "{{.Dir}}", "github.com/traefik/yaegi"), "_test", false)
	}, 773},
	{"cells", func(t *testing.T) []string { return runnable(t, "testdata/differential", "cells", false) }, 4},
	{"tests", func(t *testing.T) []string { return standardTests(t, goTool(t, "env", "GOROOT")) }, 19},
}

func goTool(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// slow are programs that compute so much that the interpreter is still running when
// their time is over.
var slow = map[string]bool{"copy.go": true, "divmod.go": true, "maplinear.go": true, "fib.go": true, "fib0.go": true, "factor.go": true}

// notComparable are imports of programs on which two runs of Go need not agree, or
// which no cell can have.
var notComparable = regexp.MustCompile(`"(unsafe|C|net|net/http[\w/]*|math/rand[\w/]*|crypto/rand|os/exec|os/signal|plugin|testing|github\.com/.*|guthib\.com/.*)"`)

// runnable lists the programs in a folder: those marked as such, or all that have a
// main function.
func runnable(t *testing.T, root, dir string, marked bool) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Skipf("this installation has no %s", filepath.Join(root, dir))
	}
	var files []string
	for _, path := range all {
		if slow[filepath.Base(path)] {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		src := string(data)
		if marked && !strings.HasPrefix(src, "// run\n") && !strings.Contains(src, "\n// run\n") {
			continue
		}
		if strings.Contains(src, "package main\n") && strings.Contains(src, "func main()") && !notComparable.MatchString(src) && !strings.Contains(src, "\nfunc Test") {
			files = append(files, path)
		}
	}
	return files
}

// standardTests lists the tests of the standard library that are in a file of their
// own, outside of the package that they test.
func standardTests(t *testing.T, root string) []string {
	t.Helper()
	var files []string
	for _, pattern := range []string{"*", "*/*"} {
		all, err := filepath.Glob(filepath.Join(root, "src", pattern, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range all {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if src := string(data); outside.MatchString(src) && strings.Contains(src, "\nfunc Test") && !inside.MatchString(src) {
				files = append(files, path)
			}
		}
	}
	return files
}

var (
	outside = regexp.MustCompile(`(?m)^package \w+_test$`)
	inside  = regexp.MustCompile(`"(unsafe|C|net[\w/]*|os/exec|internal/.*|runtime.*|cmd/.*|go/.*|golang.org/.*|testing/\w*test|testing/quick)"|//go:build|\bos\.(Args|Getwd)\b|testdata|Benchmark\(`)
)

// expected is the go engine's answer to a program.
type expected struct{ program, answer string } // sums

func readExpected(t *testing.T, corpus string) map[string]expected {
	t.Helper()
	known := map[string]expected{}
	data, err := os.ReadFile(expectedFile(corpus))
	if err != nil && !(*update && os.IsNotExist(err)) {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) == 3 {
			known[f[0]] = expected{f[1], f[2]}
		}
	}
	return known
}

func expectedFile(corpus string) string {
	return filepath.Join("testdata", "differential", corpus+".txt")
}

func sum(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s)))[:16] }

// noAnswer stands for the answer to a program that does not compile, or that answers
// differently each time.
const noAnswer = "-"

func TestDifferential(t *testing.T) {
	takesLong(t)
	notUnderRace(t)
	for _, corpus := range corpora {
		t.Run(corpus.name, func(t *testing.T) {
			known := readExpected(t, corpus.name)
			var verdicts []verdict
			var mu sync.Mutex
			each(corpus.files(t), func(path string) {
				name := strings.TrimSuffix(filepath.Base(path), ".go")
				if corpus.name == "tests" {
					name = filepath.Base(filepath.Dir(path)) + "." + name
				}
				if *chosen != "" && !regexp.MustCompile("^("+*chosen+")$").MatchString(name) {
					return
				}
				src := asCell(t, path)
				mu.Lock()
				want, ok := known[name]
				mu.Unlock()
				if *update && (!ok || want.program != sum(src)) {
					want = expected{sum(src), goAnswer(t, src)}
					mu.Lock()
					known[name] = want
					mu.Unlock()
				}
				if want.program != sum(src) || want.answer == noAnswer {
					return // of another version, or nothing to compare
				}
				v := compare(t, name, src, want.answer)
				mu.Lock()
				defer mu.Unlock()
				verdicts = append(verdicts, v)
			})
			if *update {
				writeExpected(t, corpus.name, known)
			}
			if *chosen == "" {
				judge(t, verdicts, corpus.same)
			}
		})
	}
}

// takesLong skips a test that takes long under go test -short.
func takesLong(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes long")
	}
}

// notUnderRace skips a test where the interpreter would be ten times as slow, and
// would notice no deadlocks.
func notUnderRace(t *testing.T) {
	t.Helper()
	if raceEnabled {
		t.Skip("the race detector is in this binary")
	}
}

// each calls f for all paths, as many at once as there are processors.
func each(paths []string, f func(path string)) {
	work := make(chan string)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for path := range work {
				f(path)
			}
		})
	}
	for _, path := range paths {
		work <- path
	}
	close(work)
	wg.Wait()
}

// verdict is the result of comparing a program.
type verdict struct {
	name, is string // same, refused or wrong
	text     string // of the refusal
	took     time.Duration
}

// judge prints the table and fails when it is worse than it was.
func judge(t *testing.T, verdicts []verdict, same int) {
	t.Helper()
	slices.SortFunc(verdicts, func(a, b verdict) int { return cmp.Compare(a.name, b.name) })
	count, reasons := map[string]int{}, map[string]int{}
	for _, v := range verdicts {
		count[v.is]++
		switch v.is {
		case "wrong":
			t.Errorf("%s: wrong (%v)", v.name, v.took.Round(time.Millisecond))
		case "refused":
			reasons[construct(v.text)]++
		}
	}
	t.Logf("%d programs: %d same, %d refused, %d wrong", len(verdicts), count["same"], count["refused"], count["wrong"])
	most := make([]string, 0, len(reasons))
	for text := range reasons {
		most = append(most, text)
	}
	slices.SortFunc(most, func(a, b string) int { return cmp.Or(reasons[b]-reasons[a], strings.Compare(a, b)) })
	for _, text := range most[:min(len(most), 10)] {
		t.Logf("%4d refused: %s", reasons[text], text)
	}
	if count["same"] < same {
		t.Errorf("%d are the same, and %d were", count["same"], same)
	}
}

// construct is a refusal without what is special to a program.
func construct(text string) string {
	text = regexp.MustCompile(`^cell 1(, line \d+)?: `).ReplaceAllString(text, "")
	return strings.TrimSuffix(text, ": the interpreter can't do this")
}

// compare runs a program by the interpreter.
func compare(t *testing.T, name, src, want string) verdict {
	began := time.Now()
	got := answerOf(t, src, nbrun.Yaegi, time.Minute)
	v := verdict{name: name, text: got.text, took: time.Since(began)}
	switch {
	case got.refused:
		v.is = "refused"
	case slices.ContainsFunc(endings(got.text), func(text string) bool { return sum(text) == want }):
		v.is = "same"
	default:
		v.is = "wrong"
	}
	if *chosen != "" {
		t.Logf("%s: %s\n%s", name, v.is, got.text)
		if v.is == "wrong" {
			t.Logf("%s: go says\n%s", name, answerOf(t, src, nbrun.Go, time.Minute).text)
		}
	}
	return v
}

// endings are the possible texts of an answer, with the last line of either stream as
// the last words of a program that has ended with a status: which of two pipes was
// written to last can't be known.
func endings(text string) []string {
	stdout, rest, _ := strings.Cut(strings.TrimPrefix(text, "1> "), "\n2> ")
	stderr, _, ended := strings.Cut(rest, "\n✘ ")
	if !ended {
		return []string{text}
	}
	all := []string{text}
	for _, stream := range []string{stdout, stderr} {
		stream = regexp.MustCompile(`exit status \d+\s*$`).ReplaceAllString(stream, "")
		lines := strings.Split(strings.TrimSpace(stream), "\n")
		last := strings.TrimSpace(lines[len(lines)-1])
		all = append(all, exited.ReplaceAllStringFunc(text, func(s string) string { return exited.ReplaceAllString(s, "$1") + ": " + last }))
	}
	return all
}

// goAnswer is the sum of what the go engine says, if it says so twice.
func goAnswer(t *testing.T, src string) string {
	first := answerOf(t, src, nbrun.Go, time.Minute)
	if first.unfit || first != answerOf(t, src, nbrun.Go, time.Minute) {
		return noAnswer
	}
	return sum(first.text)
}

func writeExpected(t *testing.T, corpus string, known map[string]expected) {
	t.Helper()
	names := make([]string, 0, len(known))
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintln(&b, name, known[name].program, known[name].answer)
	}
	if err := os.MkdirAll(filepath.Dir(expectedFile(corpus)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(expectedFile(corpus), []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// asCell is a program or a test as the text of a cell, line by line the same.
func asCell(t *testing.T, path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	}
	src := string(data)
	if place := outside.FindStringIndex(src); place != nil {
		return "%test -test.v\n" + src[:place[0]] + src[place[1]:]
	}
	return regexp.MustCompile(`(?m)^package main$`).ReplaceAllString(src, "")
}

// said is an engine's answer to a program.
type programAnswer struct {
	text    string
	refused bool // before it ran
	unfit   bool // it does not compile, or does not end
}

// answerOf runs a program as one cell.
func answerOf(t *testing.T, src string, e nbrun.Engine, timeout time.Duration) programAnswer {
	a := programAnswer{}
	clock := nbrun.Real
	if e == nbrun.Yaegi {
		clock = nbrun.Clock(*interpretedClock)
	}
	n, err := nbrun.Parse(t.Context(), "program.ipynb", notebook(t, []string{src}), nbrun.Options{Engine: e, Clock: clock, Timeout: timeout, AllowErrors: true})
	if err != nil {
		t.Error(err)
		return a
	}
	r, err := n.Run(t.Context())
	if err != nil {
		t.Error(err)
		return a
	}
	defer r.Close()
	outputs, err := r.Cells[0].Outputs()
	if err != nil {
		t.Error(err)
	}
	streams := map[string]string{}
	ran := false
	for _, o := range outputs {
		streams[o.Name] += o.Text
		ran = ran || o.Kind == event.Stream
	}
	stderr := traces.ReplaceAllString(streams["stderr"], "")
	a.text = "1> " + elapsed.ReplaceAllString(streams["stdout"], "(T)") + "\n2> " + varying.ReplaceAllString(stderr, "0xN") + "\n"
	if f := r.Cells[0].Fault; f != nil {
		a.refused = f.Reason == event.Unsupported && !ran
		a.unfit = f.Reason != "" || !ran && !strings.HasPrefix(f.Text, "exit status ")
		if a.refused {
			a.text = f.Error()
			return a
		}
		a.text += "✘ " + varying.ReplaceAllString(f.Error(), "0xN") + "\n"
	}
	return a
}

var (
	traces  = regexp.MustCompile(`(?s)\n?(goroutine \d+ |\[signal ).*`)
	exited  = regexp.MustCompile(`(✘ cell 1: exit status \d+): .*`)
	varying = regexp.MustCompile(`0x[0-9a-f]+|\d{4}/\d\d/\d\d \d\d:\d\d:\d\d`)
	elapsed = regexp.MustCompile(`\(\d+\.\d\ds\)`)
)

var (
	seed   = flag.Uint64("seed", 14, "what the differential test draws its random programs from; 0 stands for the time")
	random = flag.Int("random", 60, "the number of random programs")
)

// TestRandomPrograms compiles random programs as one, and compares what each does with
// what the interpreter does.
func TestRandomPrograms(t *testing.T) {
	takesLong(t)
	notUnderRace(t)
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed %d", *seed)
	// Some of the types contain themselves in ways that the interpreter can't lay out.
	t.Run("cells", func(t *testing.T) { compareRandom(t, generate, 90) })
	t.Run("types", func(t *testing.T) { compareRandom(t, generateTypes, 30) })
}

// compareRandom requires that percentage of the programs to be the same, and none to be wrong.
func compareRandom(t *testing.T, generate func(seed uint64, n int) string, percent int) {
	programs := make([]string, *random)
	for n := range programs {
		programs[n] = generate(*seed, n)
	}
	binary := compileTogether(t, programs)
	var verdicts []verdict
	var mu sync.Mutex
	names := make([]string, len(programs))
	for n := range names {
		names[n] = fmt.Sprint(n)
	}
	each(names, func(name string) {
		n, err := strconv.Atoi(name)
		if err != nil || *chosen != "" && *chosen != name {
			return
		}
		src := fmt.Sprintf("%s\nfunc main() { run%d() }\n", programs[n], n)
		began := time.Now()
		got := answerOf(t, src, nbrun.Yaegi, time.Minute)
		v := verdict{name: name, is: "same", text: got.text, took: time.Since(began)}
		want := compiledAnswer(t, binary, name)
		switch {
		case got.refused:
			v.is = "refused"
		case exited.ReplaceAllString(got.text, "$1") != want:
			v.is = "wrong"
			t.Errorf("program %d of -seed %d:\n%s\nthe interpreter:\n%s\nGo:\n%s", n, *seed, different(got.text, want), got.text, want)
		}
		mu.Lock()
		defer mu.Unlock()
		verdicts = append(verdicts, v)
	})
	judge(t, verdicts, len(verdicts)*percent/100)
}

// different is the first line that differs.
func different(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("line %d: %q, want %q", i+1, g[i], w[i])
		}
	}
	return "one is longer"
}

// compileTogether makes a binary that does the program that its argument names.
func compileTogether(t *testing.T, programs []string) string {
	t.Helper()
	dir := t.TempDir()
	var main strings.Builder
	main.WriteString("package main\nimport \"os\"\nfunc main() {\nn := os.Args[1]\nos.Args = os.Args[:1]\nswitch n {\n")
	for n, src := range programs {
		// The cell has no package clause: its first line stands on the same line.
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("p%d.go", n)), []byte("package main; "+src), 0o644); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&main, "case \"%d\": run%d()\n", n, n)
	}
	main.WriteString("}\n}\n")
	for name, text := range map[string]string{"main.go": main.String(), "go.mod": "module main\n\ngo 1.26.0\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	binary := filepath.Join(dir, "programs")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// compiledAnswer is what a program of the binary says, in the words of answerOf.
func compiledAnswer(t *testing.T, binary, name string) string {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, name)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	said := traces.ReplaceAllString(stderr.String(), "")
	var exit *exec.ExitError
	if err == nil || !errors.As(err, &exit) {
		return "1> " + stdout.String() + "\n2> " + varying.ReplaceAllString(said, "0xN") + "\n"
	}
	place := "cell 1"
	if m := regexp.MustCompile(`(?m)/p\d+\.go:(\d+)`).FindStringSubmatch(stderr.String()); m != nil {
		place += ", line " + m[1]
	}
	first := fmt.Sprintf("exit status %d", exit.ExitCode())
	if said == "" {
		said = first + "\n"
	} else {
		first, _, _ = strings.Cut(strings.TrimSuffix(said, "\n"), "\n")
	}
	return "1> " + stdout.String() + "\n2> " + varying.ReplaceAllString(said, "0xN") + "\n✘ " + varying.ReplaceAllString(place+": "+first, "0xN") + "\n"
}
