package prodcons_test

import (
	"os/exec"
	"strings"
	"testing"
)

// Who imports the package gets the standard library and nothing else.
func TestImportsTheStandardLibraryOnly(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Fields(string(out)); len(got) != 1 || !strings.HasSuffix(got[0], "pkg/prodcons") {
		t.Errorf("the build has %v", got)
	}
}
