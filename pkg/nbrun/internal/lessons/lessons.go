// Package lessons finds the lessons of this repository, for tests of all that runs
// or shows them. It is the one list of them.
package lessons

import (
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// dir is the folder of the lessons.
func dir() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..", "..", "notebooks")
}

var numbered = regexp.MustCompile(`^\d\d-[a-z-]+\.ipynb$`)

// All are the paths of the lessons, in their order, without the index.
func All(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir(), "*.ipynb"))
	if err != nil || len(files) < 2 || files[0] != Index() {
		t.Fatalf("no lessons: %v, %v", files, err)
	}
	for _, file := range files {
		if !numbered.MatchString(filepath.Base(file)) {
			t.Fatalf("%s: is not named NN-topic.ipynb", file)
		}
	}
	return files[1:]
}

// Index is the path of the page that links the lessons.
func Index() string { return filepath.Join(dir(), "00-index.ipynb") }

// Named is the path of the lesson on a topic, by its name without the number.
func Named(t testing.TB, topic string) string {
	t.Helper()
	for _, file := range All(t) {
		if Topic(file) == topic {
			return file
		}
	}
	t.Fatalf("there is no lesson named %s", topic)
	return ""
}

// Topic is the name of a lesson without its number.
func Topic(path string) string {
	_, topic, _ := strings.Cut(strings.TrimSuffix(filepath.Base(path), ".ipynb"), "-")
	return topic
}
