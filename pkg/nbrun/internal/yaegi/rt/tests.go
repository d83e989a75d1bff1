package rt

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

var (
	tests      []testing.InternalTest
	benchmarks []testing.InternalBenchmark
)

// Testing makes the process one of package testing, with its flags. It comes before
// the program's variables are set.
func Testing() {
	if flag.Lookup("test.v") == nil {
		flag.CommandLine = flag.NewFlagSet(os.Args[0], flag.ExitOnError)
		testing.Init()
	}
}

// Test registers a test of the program.
func Test(name string, f func(*testing.T)) {
	tests = append(tests, testing.InternalTest{Name: name, F: OfT(f)})
}

// Benchmark registers a benchmark of the program.
func Benchmark(name string, f func(*testing.B)) {
	benchmarks = append(benchmarks, testing.InternalBenchmark{Name: name, F: OfB(f)})
}

// RunTests runs those that the arguments ask for, and ends the process.
func RunTests() { testing.Main(regexp.MatchString, tests, benchmarks, nil) }

// OfT is a function of the program that package testing calls: a panic in it has its
// place.
func OfT(f func(*testing.T)) func(*testing.T) {
	return func(t *testing.T) {
		defer placed()
		f(t)
	}
}

// OfB is OfT for benchmarks.
func OfB(f func(*testing.B)) func(*testing.B) {
	return func(b *testing.B) {
		defer placed()
		f(b)
	}
}

// placed says where the current panic comes from.
func placed() {
	if r := recover(); r != nil {
		Caught(r).writeFrame()
		panic(r)
	}
}

// TestLog logs a text for a test with the place of the call, and then does what the
// method with that name does.
func TestLog(t testing.TB, place, method, text string) {
	text = strings.TrimSuffix(text, "\n")
	_, _ = fmt.Fprintf(t.Output(), "%s: %s\n", place, strings.ReplaceAll(text, "\n", "\n    "))
	switch method {
	case "Error":
		t.Fail()
	case "Fatal":
		t.FailNow()
	case "Skip":
		t.SkipNow()
	}
}
