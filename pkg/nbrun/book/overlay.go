package book

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// patch changes Go's sources for one build; the files themselves stay as they are.
type patch struct {
	file   string            // below GOROOT/src
	edits  []edit            // of its text
	bodies map[string]string // new bodies of its functions, by name
	gone   *regexp.Regexp    // if set, file is a folder, and these of its files are left out
}

// edit replaces what a pattern matches. If the number of matches is another, the file
// is not the one we know.
type edit struct {
	pattern *regexp.Regexp
	with    string
	times   int // 0: at least once
}

func re(pattern string) *regexp.Regexp { return regexp.MustCompile(pattern) }

const leftOut = `panic("the book's tools are for WebAssembly only")`

// tools reduces the compiler and the linker to what builds programs for WebAssembly.
// Left out are the other architectures' tables and code generators, the other systems'
// file formats, debug information and profiles: half of what a reader would have to
// load.
var tools = append([]patch{
	{file: "cmd/compile/main.go", edits: []edit{
		{re(`(?m)^\t"cmd/compile/internal/(amd64|arm|arm64|loong64|mips|mips64|ppc64|riscv64|s390x|x86)"\n`), "", 0},
		{re(`(?m)^\t"\w+": +(amd64|arm|arm64|loong64|mips|mips64|ppc64|riscv64|s390x|x86)\.Init,\n`), "", 0},
	}},
	{file: "cmd/compile/internal/ssa/config.go", edits: []edit{
		{re(`(?s)\tswitch arch \{\n\tcase "amd64":\n.*?(\tcase "wasm":\n\t\tc\.PtrSize = 8\n)`), "\tswitch arch {\n$1", 1},
	}},
	{file: "cmd/compile/internal/ssa", gone: re(`^rewrite(386|AMD64|ARM|ARM64|LOONG64|MIPS|MIPS64|PPC64|RISCV64|S390X)(latelower|splitload)?\.go$`)},
	{file: "cmd/compile/internal/ssa/opGen.go", edits: []edit{
		{re(`(?s)(\nvar opcodeTable = \[\.\.\.\]opInfo\{\n\t\{name: "OpInvalid"\},\n).*\n\t(\{\n\t\tname: +"LoweredStaticCall",\n)`), "$1\tOpWasmLoweredStaticCall: $2", 1},
	}},
	{file: "cmd/compile/internal/ssagen/simdintrinsics.go", bodies: map[string]string{"simdIntrinsics": leftOut}},
	{file: "cmd/compile/internal/base/flag.go", bodies: map[string]string{"readCoverageCfg": leftOut, "readEmbedCfg": leftOut}},
	{file: "cmd/compile/internal/devirtualize/pgo.go", bodies: map[string]string{"ProfileGuided": leftOut}},
	{file: "cmd/compile/internal/dwarfgen/dwarf.go", bodies: map[string]string{"Info": leftOut}},
	{file: "cmd/compile/internal/inline/inlheur/analyze.go", bodies: map[string]string{"AnalyzeFunc": leftOut, "DumpFuncProps": leftOut}},
	{file: "cmd/compile/internal/inline/inlheur/scoring.go", bodies: map[string]string{"ScoreCalls": leftOut}},
	{file: "cmd/compile/internal/logopt/log_opts.go", bodies: map[string]string{"FlushLoggedOpts": ""}},
	{file: "cmd/compile/internal/pgoir/irgraph.go", bodies: map[string]string{"New": leftOut}},
	{file: "cmd/compile/internal/ssa/html.go", bodies: map[string]string{"NewHTMLWriter": leftOut}},
	{file: "cmd/compile/internal/gc/obj.go", edits: []edit{
		{re(`"encoding/json"`), `"errors"`, 1},
		{re(`json\.NewEncoder\(bout\)\.Encode\(typecheck\.Target\.CgoPragmas\)`), `errors.New("no cgo")`, 1},
	}},
	{file: "cmd/compile/internal/gc/util.go", bodies: map[string]string{"startProfile": "runtime.MemProfileRate = 0"}},
	{file: "cmd/link/main.go", edits: []edit{
		{re(`(?m)^\t"cmd/link/internal/(amd64|arm|arm64|loong64|mips|mips64|ppc64|riscv64|s390x|x86)"\n`), "", 0},
		{re(`(?m)^\tcase [^\n]*:\n\t\tarch, theArch = (amd64|arm|arm64|loong64|mips|mips64|ppc64|riscv64|s390x|x86)\.Init\(\)\n`), "", 0},
	}},
	{file: "cmd/link/internal/wasm/asm.go", edits: []edit{ // programs have no section of names, so none are spelled
		{re(`"cmd/internal/obj/wasm"|"regexp"|\nvar nameRegexp = [^\n]*\n`), "", 3},
		{re(`wasm\.GojsModule`), `"gojs"`, 1},
		{re(`nameRegexp\.ReplaceAllString\(ldr\.SymName\(fn\), "_"\)`), `""`, 1},
	}},
	{file: "cmd/link/internal/benchmark/bench.go", bodies: map[string]string{"Start": "", "closeMark": ""}},
	{file: "cmd/link/internal/ld/target.go", bodies: map[string]string{
		"IsShared": "return false", "IsPlugin": "return false", "IsExternal": "return false", "IsPIE": "return false", "IsSharedGoLink": "return false",
		"CanUsePlugins": "return false", "IsElf": "return false", "IsDarwin": "return false", "IsWindows": "return false", "IsPlan9": "return false", "IsAIX": "return false",
	}},
	{file: "cmd/link/internal/ld/main.go", bodies: map[string]string{"startProfile": ""}},
	{file: "cmd/link/internal/ld/dwarf.go", bodies: map[string]string{"dwarfEnabled": "return false"}},
	{file: "cmd/link/internal/ld/go.go", bodies: map[string]string{"loadcgo": ""}}, // only the runtime has cgo directives, and programs for js don't use them
	{file: "cmd/link/internal/ld/lib.go", bodies: map[string]string{"hostlink": "", "ldshlibsyms": leftOut}},
	{file: "cmd/link/internal/ld/elf.go", bodies: map[string]string{"asmbElf": leftOut, "doelf": leftOut}},
	{file: "cmd/link/internal/ld/macho.go", bodies: map[string]string{"asmbMacho": leftOut}},
	{file: "cmd/link/internal/ld/pe.go", bodies: map[string]string{"asmbPe": leftOut}},
	{file: "cmd/link/internal/ld/xcoff.go", bodies: map[string]string{"asmbXcoff": leftOut}},
	{file: "cmd/link/internal/loadelf/ldelf.go", bodies: map[string]string{"Load": leftOut}},
	{file: "cmd/link/internal/loadmacho/ldmacho.go", bodies: map[string]string{"Load": leftOut}},
	{file: "cmd/link/internal/loadpe/ldpe.go", bodies: map[string]string{"Load": leftOut}},
	{file: "cmd/link/internal/loadxcoff/ldxcoff.go", bodies: map[string]string{"Load": leftOut}},
}, slices.Concat(instructions(), reuse)...)

// instructions leaves out what encodes and spells the instructions of other
// architectures. The compiler's tables name them.
func instructions() []patch {
	patches := []patch{ // whose generated names lie beside what encodes them
		{file: "cmd/internal/obj/ppc64", gone: re(`^(anames|obj9)\.go$`)},
		{file: "cmd/internal/obj/ppc64/list9.go", bodies: map[string]string{"init": ""}},
	}
	for _, arch := range []string{"arm", "arm64", "loong64", "mips", "riscv", "s390x", "x86"} {
		patches = append(patches, patch{file: "cmd/internal/obj/" + arch, gone: re(`^(anames|asm|avx|cnames|evex|list|obj|seh|specialoperand|sysReg|vector|ytab)\w*\.go$`)})
	}
	return patches
}

// clock makes a program ask the page, when it starts, at what time its fake clock
// begins; 0 means the real clock. On the fake one, time jumps to the next timer when
// all goroutines wait, as on other systems.
var clock = []patch{
	{file: "runtime/lock_js.go", edits: []edit{
		{re(`(?m)^func beforeIdle\(now, pollUntil int64\) \(gp \*g, otherReady bool\) \{\n`), `${0}	answered := len(events) > 0 && events[len(events)-1].returned // a call of a file's
	if faketime != 0 && pollUntil != 0 && !answered {
		faketime = pollUntil
		return nil, true
	}
`, 1},
	}},
	// Without the thread that ends long time slices, the runtime does not let a woken
	// goroutine go on at once. It has to, so that the order is that of other systems,
	// but only for a while, so that two can't keep all others from running.
	{file: "runtime/proc.go", edits: []edit{
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

// tried notes that a select took its default. A goroutine that does nothing else lets
// others run now and then: they may be what it tries for.
func tried() {
	if pp := getg().m.p.ptr(); pp.schedtick != tryTick {
		tryTick, tries = pp.schedtick, 0
	}
	if tries++; tries >= 10_000 {
		tries = 0
		Gosched()
	}
}

var tryTick, tries uint32

$0`, 1},
	}},
	{file: "runtime/chan.go", bodies: map[string]string{
		"selectnbsend": "if !chansend(c, elem, false, sys.GetCallerPC()) { tried(); return false }; return true",
		"selectnbrecv": "if selected, received = chanrecv(c, elem, false); !selected { tried() }; return",
	}},
	{file: "runtime/select.go", edits: []edit{{re(`\n\tif !block \{\n\t\tselunlock\(scases, lockorder\)\n`), "${0}\t\ttried()\n", 1}}},
	{file: "runtime/time_fake.go", edits: []edit{
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

// apply writes the patched files to a folder, and returns their paths by those of the
// originals, as go build -overlay takes them. The version is that of the Go at root;
// errors name it.
func apply(patches []patch, root, version, dir string) (map[string]string, error) {
	replace := map[string]string{}
	for _, p := range patches {
		path := filepath.Join(root, "src", filepath.FromSlash(p.file))
		if p.gone != nil {
			found, err := p.files(path)
			if err != nil {
				return nil, fmt.Errorf("the sources of %s are not complete: %w", version, err)
			}
			if len(found) == 0 {
				return nil, unknown(version, fmt.Errorf("%s has another shape (no file matches %q)", p.file, p.gone))
			}
			for _, file := range found {
				replace[file] = ""
			}
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("the sources of %s are not complete: %w", version, err)
		}
		text, err := p.apply(string(data))
		if err != nil {
			return nil, unknown(version, err)
		}
		to := filepath.Join(dir, strings.ReplaceAll(p.file, "/", "_"))
		if err := os.WriteFile(to, []byte(text), 0o644); err != nil {
			return nil, err
		}
		replace[path] = to
	}
	return replace, nil
}

// knows is the Go whose sources the patches fit.
const knows = "Go 1.26"

// unknown says why a Go of that version can't make the book.
func unknown(version string, err error) error {
	return fmt.Errorf("%s is not known to the book, which needs %s: %w", version, knows, err)
}

// files returns the files of a folder that are left out.
func (p patch) files(dir string) (paths []string, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if p.gone.MatchString(e.Name()) {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	return paths, err
}

func (p patch) apply(text string) (string, error) {
	for _, e := range p.edits {
		n := len(e.pattern.FindAllStringIndex(text, -1))
		if n == 0 || e.times > 0 && n != e.times {
			return "", fmt.Errorf("%s has another shape (%d matches for %q)", p.file, n, e.pattern)
		}
		text = e.pattern.ReplaceAllString(text, e.with)
	}
	if p.bodies == nil {
		return text, nil
	}
	text, done, err := replaceBodies(text, p.bodies)
	if err == nil && done != len(p.bodies) {
		err = fmt.Errorf("%s has another shape (%d of %d functions)", p.file, done, len(p.bodies))
	}
	return text, err
}

// replaceBodies gives the named functions new bodies, and returns how many it has
// found. Imports that are no longer used are removed.
func replaceBodies(text string, bodies map[string]string) (_ string, done int, err error) {
	file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
	if err != nil {
		return "", 0, err
	}
	at := func(p token.Pos) int { return int(p - file.FileStart) }
	for _, d := range slices.Backward(file.Decls) {
		if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
			if body, ok := bodies[f.Name.Name]; ok {
				text = text[:at(f.Body.Lbrace)+1] + " " + body + " " + text[at(f.Body.Rbrace):]
				done++
			}
		}
	}
	if file, err = parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution); err != nil {
		return "", 0, err
	}
	used := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok {
				used[x.Name] = true
			}
		}
		return true
	})
	for _, spec := range slices.Backward(file.Imports) {
		name := path.Base(strings.Trim(spec.Path.Value, `"`))
		if spec.Name != nil {
			name = spec.Name.Name
		}
		if !used[name] && name != "_" {
			text = text[:at(spec.Pos())] + text[at(spec.End()):]
		}
	}
	return text, done, nil
}
