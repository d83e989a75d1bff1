//go:build !js

package prodcons_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Importing the package brings the standard library and what is below the package, and
// nothing else.
func TestImportsTheStandardLibraryOnly(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	const ours = "github.com/b3771e63/prodcons/pkg/prodcons"
	if got := strings.Fields(string(out)); !slices.Equal(got, []string{ours + "/histogram", ours}) {
		t.Errorf("the build has %v", got)
	}
}
