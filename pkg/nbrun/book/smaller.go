package book

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
