package browser_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/b3771e63/prodcons/pkg/nbrun/book"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/lessons"
)

// site is the folder of a book of the lessons and of the notebooks in testdata, made once.
var site string

func TestMain(m *testing.M) {
	status, err := withSite(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

func withSite(run func() int) (int, error) {
	if site = os.Getenv("BOOK_TEST_SITE"); site != "" { // made before, by the command book
		return run(), nil
	}
	var err error
	if site, err = os.MkdirTemp("", "book-"); err != nil {
		return 0, err
	}
	defer os.RemoveAll(site)
	own, err := filepath.Glob("testdata/*.ipynb")
	if err != nil {
		return 0, err
	}
	notebooks := append(append([]string{lessons.Index()}, lessons.All()...), own...)
	tell := func(text string) { fmt.Fprintln(os.Stderr, text) }
	if err := book.Make(context.Background(), book.Options{Notebooks: notebooks, Out: site, Tell: tell}); err != nil {
		return 0, err
	}
	return run(), nil
}

// missing is for what a test needs but this machine lacks: in CI that is a failure.
func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is missing; in CI that is a failure", what)
	}
	t.Skipf("%s is missing", what)
}
