package nbtest_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/b3771e63/prodcons/pkg/nbrun"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/lessons"
	"github.com/b3771e63/prodcons/pkg/nbrun/nbtest"
)

func TestMain(m *testing.M) {
	nbrun.Main()
	goleak.VerifyTestMain(m)
}

// The notebooks of testdata pass, on each engine that needs no kernel.
func TestGood(t *testing.T) {
	for name, opts := range map[string]nbrun.Options{
		"virtual": {Clock: nbrun.Virtual},
		"real":    {},
		"yaegi":   {Engine: nbrun.Yaegi},
	} {
		t.Run(name, func(t *testing.T) { nbtest.Run(t, "testdata/good*.ipynb", opts) })
	}
}

// Lessons of this repository pass as subtests.
func TestLessons(t *testing.T) {
	nbtest.Run(t, filepath.Join(filepath.Dir(lessons.Index()), "0[13]-*.ipynb"), nbrun.Options{Clock: nbrun.Virtual})
}

// TestBad is not a test by itself: TestVerdicts looks at how it fails.
func TestBad(t *testing.T) {
	if os.Getenv("NBTEST_BAD") == "" {
		t.Skip("run by TestVerdicts")
	}
	nbtest.Run(t, os.Getenv("NBTEST_BAD"), nbrun.Options{Engine: nbrun.Yaegi})
}

// verdicts runs TestBad as go test would, and returns the last action of each test and
// everything that was written.
func verdicts(t *testing.T, pattern, run string, flags ...string) (verdict map[string]string, output string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"tool", "test2json", self, "-test.v=test2json", "-test.run", run}, flags...)
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "NBTEST_BAD="+pattern)
	out, _ := cmd.Output() // its status is that of the tests
	verdict = map[string]string{}
	for line := range strings.Lines(string(out)) {
		var e struct{ Action, Test, Output string }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		output += e.Output
		if slices.Contains([]string{"pass", "fail", "skip"}, e.Action) {
			verdict[e.Test] = e.Action
		}
	}
	return verdict, output
}

func TestVerdicts(t *testing.T) {
	for name, test := range map[string]struct {
		pattern, run string
		want         map[string]string
		says         string
	}{
		"a failing cell stops those after it": {
			"testdata/bad.ipynb", "TestBad",
			map[string]string{"cell_1_declare": "pass", "cell_2_may-fail": "pass", "cell_3_fail": "fail", "cell_4_after": "skip", "index_4_never": "skip"},
			`testdata/bad.ipynb: cell 3, line 2: undefined: nothing`,
		},
		"why the others were skipped": {
			"testdata/bad.ipynb", "TestBad", nil, `not run, as an earlier cell failed: cell 3, line 2: undefined: nothing`,
		},
		"what a cell wrote is logged": {"testdata/bad.ipynb", "TestBad", nil, `base is 3`},
		"by number": {
			"testdata/good.ipynb", "TestBad/good.ipynb/cell_2_",
			map[string]string{"cell_2_use": "pass"},
			"twice is 6",
		},
		"by id": {
			"testdata/good.ipynb", "TestBad/good.ipynb/_use",
			map[string]string{"cell_2_use": "pass"},
			"twice is 6",
		},
		"one whose predecessor fails": {
			"testdata/bad.ipynb", "TestBad/bad.ipynb/cell_4",
			map[string]string{"cell_4_after": "fail"},
			"cell 3, line 2: undefined: nothing",
		},
		"no notebook": {"testdata/none*.ipynb", "TestBad", nil, "testdata/none*.ipynb: matches no notebook"},
		"none at all": {"testdata/broken.ipynb", "TestBad", nil, "testdata/broken.ipynb: line 1: is not JSON"},
	} {
		verdict, output := verdicts(t, test.pattern, test.run)
		for cell, want := range test.want {
			notebook := "TestBad/" + filepath.Base(test.pattern) + "/"
			if got := verdict[notebook+cell]; got != want {
				t.Errorf("%s: %s: %q, want %s\n%s", name, cell, got, want, output)
			}
		}
		if len(test.want) > 0 {
			ran := 0
			for test := range verdict {
				ran += strings.Count(test, "/") / 2
			}
			if ran != len(test.want) {
				t.Errorf("%s: %d cells, want %d: %v", name, ran, len(test.want), verdict)
			}
		}
		if !regexp.MustCompile(regexp.QuoteMeta(test.says)).MatchString(output) {
			t.Errorf("%s: nothing says %q:\n%s", name, test.says, output)
		}
	}
}

// A cell that hangs fails before go test's own deadline ends everything, and leaves no
// process behind.
func TestAHangEndsBeforeTheDeadline(t *testing.T) {
	verdict, output := verdicts(t, "testdata/hang.ipynb", "TestBad", "-test.timeout", "4s")
	if verdict["TestBad/hang.ipynb/cell_1_sleeps"] != "fail" || verdict["TestBad/hang.ipynb/cell_2_after"] != "skip" {
		t.Errorf("%v", verdict)
	}
	if !strings.Contains(output, "testdata/hang.ipynb: cell 1: stopped, as go test is about to reach its deadline") || strings.Contains(output, "panic: test timed out") {
		t.Error(output)
	}
}

func ExampleRun() {
	// In a file docs_test.go, of any repository:
	//
	//	func TestDocs(t *testing.T) {
	//		nbtest.Run(t, "docs/*.ipynb", nbrun.Options{Clock: nbrun.Virtual})
	//	}
	_ = func(t *testing.T) {
		nbtest.Run(t, "docs/*.ipynb", nbrun.Options{Clock: nbrun.Virtual})
	}
	// Output:
}
