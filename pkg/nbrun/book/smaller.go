package book

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun/book/inpage"
)

// smaller makes packages import less, as a reader has to load what they import: what
// story seals answers with would bring ciphers along, and what runs tests a fuzzer with
// a parser of Go, and profiles.
var smaller = []patch{
	{file: "crypto/sha256/sha256.go", edits: []edit{
		{re(`(?m)^\t"crypto/internal/boring"\n`), "", 1},
		{re(`(?m)^\tif boring\.Enabled \{\n\t\treturn [^\n]*\n\t\}\n`), "", 4},
	}},
	{file: "testing/internal/testdeps/deps.go", edits: []edit{
		{re(`fuzz\.CorpusEntry`), "corpusEntry", 0},
		{re(`(?m)^\t"context"\n`), "${0}\t\"errors\"\n\t\"fmt\"\n\t\"slices\"\n", 1},
		{re(`(?m)^var Cover bool\n`), `$0
// corpusEntry is that of package testing.
type corpusEntry = struct {
	Parent     string
	Path       string
	Data       []byte
	Values     []any
	Generation int
	IsSeed     bool
}

var (
	errFuzz    = errors.New("a page can't fuzz: it has no child processes")
	errProfile = errors.New("a page has no profiles")
)
`, 1},
	}, bodies: map[string]string{
		"StartCPUProfile": "return errProfile", "StopCPUProfile": "", "WriteProfileTo": "return errProfile",
		"CoordinateFuzzing": "return errFuzz", "RunFuzzWorker": "return errFuzz", "ResetCoverage": "", "SnapshotCoverage": "",
		"ReadCorpus": "return nil, nil",
		"CheckCorpus": `
	have := make([]reflect.Type, len(vals))
	for i, v := range vals {
		have[i] = reflect.TypeOf(v)
	}
	if !slices.Equal(have, types) {
		return fmt.Errorf("mismatched types in corpus entry: %v, want %v", have, types)
	}
	return nil
`,
	}},
}

// load reads an archive, without the export data if no cell may import the package.
func (a archive) load() ([]byte, error) {
	data, err := os.ReadFile(a.Export)
	elements := strings.Split(a.Path, "/")
	if err != nil || !a.Standard || slices.Contains(inpage.TestImports, a.Path) || !slices.Contains(elements, "internal") && elements[0] != "vendor" {
		return data, err
	}
	if data, err = withoutExports(data); err != nil {
		return nil, fmt.Errorf("package %s: %w", a.Path, err)
	}
	return data, nil
}

// withoutExports leaves out the first file of an archive, which only importers of its
// package need.
func withoutExports(archive []byte) ([]byte, error) {
	const magic, name, head, size = "!<arch>\n", "__.PKGDEF ", 60, 48 // size is where it is in the head
	begin := len(magic) + head
	if !bytes.HasPrefix(archive, []byte(magic+name)) || len(archive) < begin {
		return nil, errors.New("an archive does not begin with its export data")
	}
	n, err := strconv.Atoi(string(bytes.TrimSpace(archive[len(magic)+size:][:10])))
	if err != nil || n < 0 || n > len(archive)-begin {
		return nil, errors.New("an archive is damaged")
	}
	return append([]byte(magic), archive[begin+n+n%2:]...), nil
}
