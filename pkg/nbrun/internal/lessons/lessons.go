// Package lessons finds the lessons of this repository, for tests of everything that
// runs or shows them. It is the only list of them; if there are none it panics.
package lessons

import (
	"fmt"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// dir is the folder of the lessons.
func dir() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..", "..", "notebooks")
}

var numbered = regexp.MustCompile(`^\d\d-[a-z-]+\.ipynb$`)

// All are the paths of the lessons, in their order, without the index.
func All() []string {
	files, err := filepath.Glob(filepath.Join(dir(), "*.ipynb"))
	if err != nil || len(files) < 2 || files[0] != Index() {
		panic(fmt.Sprintf("no lessons: %v, %v", files, err))
	}
	for _, file := range files {
		if !numbered.MatchString(filepath.Base(file)) {
			panic(file + " is not named NN-topic.ipynb")
		}
	}
	return files[1:]
}

// Index is the path of the page that links to the lessons.
func Index() string { return filepath.Join(dir(), "00-index.ipynb") }

// Named is the path of the lesson on a topic, given its name without the number.
func Named(topic string) string {
	for _, file := range All() {
		if Topic(file) == topic {
			return file
		}
	}
	panic("there is no lesson named " + topic)
}

// Topic is the name of a lesson without its number.
func Topic(path string) string {
	_, topic, _ := strings.Cut(strings.TrimSuffix(filepath.Base(path), ".ipynb"), "-")
	return topic
}

// Interpreted reports whether the interpreter can run a lesson. Of those that it can't,
// one is checked with the race detector, one uses generic types, and one other
// processes.
func Interpreted(path string) bool {
	return !slices.Contains([]string{"the-package", "beyond-one-machine", "capstone"}, Topic(path))
}
