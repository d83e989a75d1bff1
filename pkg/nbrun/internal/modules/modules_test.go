package modules_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/modules"
)

func TestAModuleLiesAroundANotebookOrInItsWorkspace(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.work":       "go 1.26\n\nuse ./lib/v2\nuse (\n\t./app\n\t./gone\n)\n",
		"lib/v2/go.mod": "module example.com/lib/v2\n",
		"app/go.mod":    "module example.com/app\n",
		"app/sub/x.go":  "package sub\n",
		"own/go.mod":    "module example.com/app/more\n",
		"docs/x.txt":    "",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ folder, pkg, dir, own string }{
		{"docs", "example.com/lib/v2", "lib/v2", "example.com/lib/v2"},
		{"docs", "example.com/lib/v2/x", "lib/v2", "example.com/lib/v2"},
		{"docs", "example.com/lib", "", ""},
		{"docs", "example.com/app", "app", "example.com/app"},
		{"docs", "example.com/apps", "", ""},
		{"docs", "example.com/app/more", "app", "example.com/app"},
		{"own", "example.com/app/more", "own", "example.com/app/more"},
		{"own", "example.com/app/sub", "app", "example.com/app"},
		{"docs", "fmt", "", ""},
	} {
		dir, own := modules.Of(c.pkg, filepath.Join(root, c.folder))
		want := ""
		if c.dir != "" {
			want = filepath.Join(root, c.dir)
		}
		if dir != want || own != c.own {
			t.Errorf("%s, from %s: %s in %q, want %s in %q", c.pkg, c.folder, own, dir, c.own, want)
		}
	}
}
