package nbrun

import (
	"bytes"
	"fmt"
	"go/build"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/ipynb"
)

var (
	// A place in a generated file, with what GoNB writes before it.
	gonbPlace = regexp.MustCompile(`(\[\[ Cell (?:\[\d+\] )?Line \d+ \]\]\x1b\[0m )/\S*?/gonb_[0-9a-f]+/main(?:_test)?\.go:\d+`)
	// The kernel's temporary folder, wherever it is named.
	gonbFolder = regexp.MustCompile(`/[^\s"':]*?/gonb_[0-9a-f]+/`)
	modCache   = regexp.MustCompile(`/[^\s"':]*?/pkg/mod/`)
)

// scrubLine takes the machine out of a line of a stack trace or race report:
// places in cells are written as GoNB writes them, and paths begin where the
// module, the module cache or the standard library begins.
func scrubLine(line []byte, dir string) []byte {
	if bytes.IndexByte(line, '/') < 0 {
		return line
	}
	line = cellPlace.ReplaceAllFunc(line, func(m []byte) []byte {
		at := cellPlace.FindSubmatch(m)
		return fmt.Appendf(nil, " \x1b[7m[[ Cell [%s] Line %s ]]\x1b[0m ", at[1], at[2])
	})
	line = gonbPlace.ReplaceAll(line, []byte("$1"))
	if dir != "" {
		line = bytes.ReplaceAll(line, []byte(dir+string(filepath.Separator)), nil)
	}
	line = gonbFolder.ReplaceAll(line, nil)
	line = bytes.ReplaceAll(line, []byte(goroot+"/src/"), nil)
	line = modCache.ReplaceAll(line, nil)
	return line
}

var goroot = func() string {
	if root := build.Default.GOROOT; root != "" {
		return filepath.ToSlash(root)
	}
	if root := os.Getenv("GOROOT"); root != "" {
		return filepath.ToSlash(root)
	}
	return "/usr/local/go"
}()

// Scrub takes the paths of the machine out of the outputs stored in the notebook
// in a file and joins neighbouring pieces of one stream, as Run does with those it
// makes. A notebook that has neither is left as it is, byte for byte.
func Scrub(path string) error {
	nb, err := ipynb.ReadFile(path)
	if err != nil {
		return err
	}
	if !nb.EditOutputs(scrubText) {
		return nil
	}
	return nb.WriteFile(path)
}

// scrubText is scrubLine for a text of any number of lines.
func scrubText(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.Write(scrubLine([]byte(line), ""))
	}
	return b.String()
}
