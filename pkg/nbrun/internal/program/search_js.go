package program

import (
	"path"
	"regexp"
)

// standard are packages whose names no other package of the standard library has.
var standard = []string{
	"container/heap", "container/list", "container/ring", "crypto/md5", "crypto/sha256", "embed", "encoding/base64", "encoding/binary", "encoding/csv",
	"encoding/gob", "encoding/hex", "encoding/xml", "hash/fnv", "hash/maphash", "html", "image", "image/color", "image/png", "io/fs", "log", "log/slog",
	"math/big", "math/cmplx", "net", "net/http", "net/netip", "net/url", "os/signal", "path", "reflect", "syscall", "testing/fstest", "testing/iotest",
	"unicode/utf16", "unique", "weak",
}

var (
	secret = regexp.MustCompile(`\brand\.(Prime|Reader|Text)\b`)
	second = regexp.MustCompile(`\brand\.(\w*N|NewPCG|NewChaCha8|Uint)\b`)
)

// search chooses among the packages of the standard library. A page has no modules to
// search: the compiler reports other names as undefined.
func (m *Memory) search(used []imported, missing map[string]bool, body string, packages map[string]Place, _ string) ([]imported, error) {
	names := map[string]string{"rand": "math/rand"}
	switch {
	case secret.MatchString(body):
		names["rand"] = "crypto/rand"
	case second.MatchString(body):
		names["rand"] = "math/rand/v2"
	}
	for _, p := range standard {
		names[path.Base(p)] = p
	}
	for name := range missing {
		if p, ok := names[name]; ok {
			used = append(used, imported{path: p, at: packages[name]})
		}
	}
	sortImports(used)
	return used, nil
}
