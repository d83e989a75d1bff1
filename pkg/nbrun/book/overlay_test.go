package book

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The overlays fit the Go that tests are run with.
func TestOverlaysFitThisGo(t *testing.T) {
	root, err := exec.CommandContext(context.Background(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	for name, patches := range map[string][]patch{"tools": tools, "clock": clock, "smaller": smaller} {
		dir := t.TempDir()
		replace, err := apply(patches, strings.TrimSpace(string(root)), "this Go", dir)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for path, to := range replace {
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if to == "" { // it is left out
				continue
			}
			after, err := os.ReadFile(to)
			if err != nil {
				t.Fatal(err)
			}
			if string(before) == string(after) {
				t.Errorf("%s is as it was", path)
			}
			for _, word := range []string{"s390x.Init", "rewriteValueARM64", "mips.Init"} {
				if strings.Contains(string(after), word) {
					t.Errorf("%s still has %s", to, word)
				}
			}
		}
	}
}

func TestAnotherGoIsRefused(t *testing.T) {
	root := t.TempDir()
	for file, text := range map[string]string{"runtime/lock_js.go": "package runtime\n", "runtime/time_fake.go": "package runtime\n"} {
		path := filepath.Join(root, "src", file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, err := apply(clock, root, "go1.99", t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "go1.99 is not known to the book, which needs Go 1.26: runtime/lock_js.go has another shape") {
		t.Errorf("%v", err)
	}
	if _, err := apply(tools, root, "go1.99", t.TempDir()); err == nil || !strings.Contains(err.Error(), "the sources of go1.99 are not complete") {
		t.Errorf("%v", err)
	}
}

// A function gets another body, and what it alone has used is imported no more.
func TestFunctionsGetOtherBodies(t *testing.T) {
	const source = "package p\n\nimport (\n\t\"fmt\"\n\tx \"os\"\n\t_ \"embed\"\n\t\"strings\"\n)\n\nfunc f() { fmt.Println(x.Args) }\n\nfunc (t T) g() string { return strings.ToUpper(\"}\") }\n"
	got, n, err := replaceBodies(source, map[string]string{"f": "", "none": ""})
	want := "package p\n\nimport (\n\t\n\t\n\t_ \"embed\"\n\t\"strings\"\n)\n\nfunc f() {  }\n\nfunc (t T) g() string { return strings.ToUpper(\"}\") }\n"
	if got != want || n != 1 || err != nil {
		t.Errorf("%d, %v:\n%s", n, err, got)
	}
	p := patch{file: "f.go", bodies: map[string]string{"f": "", "none": ""}}
	if _, err := p.apply(source); err == nil || err.Error() != "f.go has another shape (1 of 2 functions)" {
		t.Error(err)
	}
}
