package book

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// patch changes a file of Go's sources, for one build. The files themselves stay as
// they are.
type patch struct {
	file  string // below GOROOT/src
	edits []edit
}

// edit replaces what a pattern matches. It must do so that often, or the file is not
// what we know.
type edit struct {
	pattern *regexp.Regexp
	with    string
	times   int // 0: at least once
}

func re(pattern string) *regexp.Regexp { return regexp.MustCompile(pattern) }

// tools makes compiler and linker ones for WebAssembly only, which spares a quarter of
// what a reader has to load.
var tools = []patch{
	{"cmd/compile/main.go", []edit{
		{re(`(?m)^\t"cmd/compile/internal/(amd64|arm|arm64|loong64|mips|mips64|ppc64|riscv64|s390x|x86)"\n`), "", 0},
		{re(`(?m)^\t"\w+": +(amd64|arm|arm64|loong64|mips|mips64|ppc64|riscv64|s390x|x86)\.Init,\n`), "", 0},
	}},
	{"cmd/compile/internal/ssa/config.go", []edit{
		{re(`(?s)\tswitch arch \{\n\tcase "amd64":\n.*?(\tcase "wasm":\n\t\tc\.PtrSize = 8\n)`), "\tswitch arch {\n$1", 1},
	}},
	{"cmd/link/main.go", []edit{
		{re(`(?m)^\t"cmd/link/internal/(amd64|arm|arm64|loong64|mips|mips64|ppc64|riscv64|s390x|x86)"\n`), "", 0},
		{re(`(?m)^\tcase [^\n]*:\n\t\tarch, theArch = (amd64|arm|arm64|loong64|mips|mips64|ppc64|riscv64|s390x|x86)\.Init\(\)\n`), "", 0},
	}},
}

// clock has a program ask the page at its start when its fake clock begins. 0 is for
// the real clock. On the fake one, time jumps to the next timer when all goroutines
// wait, as on other systems.
var clock = []patch{
	{"runtime/lock_js.go", []edit{
		{re(`(?m)^func beforeIdle\(now, pollUntil int64\) \(gp \*g, otherReady bool\) \{\n`), `${0}	answered := len(events) > 0 && events[len(events)-1].returned // a call of a file's
	if faketime != 0 && pollUntil != 0 && !answered {
		faketime = pollUntil
		return nil, true
	}
`, 1},
	}},
	// Without the thread that ends long time slices, the runtime does not let a goroutine
	// that was woken go on at once. It has to, for the order to be that of other systems;
	// so that two can't keep all others from running, it does so for a while.
	{"runtime/proc.go", []edit{
		{re(`(?m)^\tif !haveSysmon && next \{\n`), `	if !haveSysmon && next {
		if pp.schedtick != sliceTick {
			sliceTick, sliceWoken = pp.schedtick, 0
		}
		sliceWoken++
	}
	if !haveSysmon && next && (faketime <= 0 || sliceWoken > 100_000) {
`, 1},
		{re(`(?m)^// runqput tries to put g on the local runnable queue\.\n`), `// sliceWoken is how many goroutines were woken in the time slice sliceTick.
var sliceTick, sliceWoken uint32

$0`, 1},
	}},
	{"runtime/time_fake.go", []edit{
		{re(`(?m)^var faketime int64 = 1257894000000000000$`), `var faketime int64 = -1

//go:wasmimport gojs runtime.fakeStart
func fakeStart() int64

func realNow() int64 {
	sec, nsec := walltime()
	return sec*1e9 + int64(nsec)
}`, 1},
		{re(`(?m)^(func nanotime\(\) int64 \{\n)`), `${1}	if faketime < 0 {
		faketime = fakeStart()
	}
	if faketime == 0 {
		return nanotime1()
	}
`, 1},
		{re(`(?m)^(func time_now\(\) .*\{\n)`), `${1}	if faketime == 0 {
		sec, nsec = walltime()
		return sec, nsec, nanotime()
	}
`, 1},
		{re(`(?m)^\tif faketime > t \{\n\t\tt = faketime\n`), `	now := faketime
	if now == 0 {
		now = realNow()
	}
	if now > t {
		t = now
`, 1},
	}},
}

// apply writes the patched files to a folder, and returns what go build -overlay
// takes, by the files' paths. The Go at root is of that version, for the error.
func apply(patches []patch, root, version, dir string) (map[string]string, error) {
	replace := map[string]string{}
	for _, p := range patches {
		path := filepath.Join(root, "src", filepath.FromSlash(p.file))
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("the sources of %s are not complete: %w", version, err)
		}
		text, err := p.apply(string(data))
		if err != nil {
			return nil, fmt.Errorf("%s is not known to the book, which needs Go 1.26: %w", version, err)
		}
		to := filepath.Join(dir, strings.ReplaceAll(p.file, "/", "_"))
		if err := os.WriteFile(to, []byte(text), 0o644); err != nil {
			return nil, err
		}
		replace[path] = to
	}
	return replace, nil
}

func (p patch) apply(text string) (string, error) {
	for _, e := range p.edits {
		n := len(e.pattern.FindAllStringIndex(text, -1))
		if n == 0 || e.times > 0 && n != e.times {
			return "", fmt.Errorf("%s is of another shape (%d matches for %q)", p.file, n, e.pattern)
		}
		text = e.pattern.ReplaceAllString(text, e.with)
	}
	return text, nil
}
