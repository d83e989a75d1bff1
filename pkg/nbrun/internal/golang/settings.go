package golang

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"regexp"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/process"
)

// settings are what the go command depends on in a folder.
type settings struct{ GOVERSION, GOWORK, GOFLAGS, GOROOT, GOMODCACHE string }

// askGo asks the go command.
func askGo(ctx context.Context, dir string, env process.Env) (settings, error) {
	var s settings
	cmd := exec.CommandContext(ctx, "go", "env", "-json", "GOVERSION", "GOWORK", "GOFLAGS", "GOROOT", "GOMODCACHE")
	cmd.Dir, cmd.Env = dir, env
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if text := strings.TrimSpace(said.String()); err != nil && text != "" {
		err = fmt.Errorf("go env: %s", text[strings.LastIndexByte(text, '\n')+1:])
	}
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(out, &s)
}

// release is the release named in the version of a Go that may have been built from a
// branch, or with an experiment.
var release = regexp.MustCompile(`go(\d+\.\d+(?:\.\d+|rc\d+)?)`)

// version is the version for the go line of a go.mod.
func (s settings) version() string {
	if m := release.FindStringSubmatch(s.GOVERSION); m != nil {
		return m[1]
	}
	return "1.21"
}
