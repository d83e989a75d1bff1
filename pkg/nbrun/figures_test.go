package nbrun_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/ipynb"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/lessons"
)

// The README, the index and the page for teachers give each lesson the same minutes,
// which are the sum of the parts on the page for teachers; and those for reading fit
// the words and lines that the lesson has now, within a factor of 1.25.
func TestTheMinutesAreThoseOfTheLessons(t *testing.T) {
	const drift = 1.25
	text := func(path string) string {
		source, err := prose(path)
		if err != nil || source == "" {
			t.Fatalf("%s: %v", path, err)
		}
		return source
	}
	notebooks := filepath.Dir(lessons.Index())
	readme, index, teaching := text("../../README.md"), text(lessons.Index()), text(filepath.Join(notebooks, "teaching.md"))
	minutes := func(document, pattern string) []float64 {
		var list []float64
		for _, text := range regexp.MustCompile(pattern).FindStringSubmatch(document) {
			if n, err := strconv.ParseFloat(text, 64); err == nil {
				list = append(list, n)
			}
		}
		return list
	}
	for i, path := range lessons.All() {
		link := `(?m)^\| \[.*` + regexp.QuoteMeta(filepath.Base(path)) + `\).*\| (\d+) \|$`
		first, second := minutes(readme, link), minutes(index, link)
		parts := minutes(teaching, fmt.Sprintf(`(?m)^\| %d \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$`, i+1))
		if len(first) != 1 || len(second) != 1 || len(parts) != 4 {
			t.Errorf("%s: its minutes are not found: %v, %v, %v", path, first, second, parts)
			continue
		}
		sum, all := parts[0]+parts[1]+parts[2], parts[3]
		if first[0] != all || second[0] != all {
			t.Errorf("%s: takes %v min in the README, %v in the index, and %v for teachers", path, first[0], second[0], all)
		}
		if off := sum - all; off < -3 || off > 3 {
			t.Errorf("%s: takes %v min for teachers, and the parts make %v", path, all, sum)
		}
		if now := reading(t, path); now > parts[0]*drift || now < parts[0]/drift {
			t.Errorf("%s: takes %.1f min to read, and %v for teachers", path, now, parts[0])
		}
	}
}

var folds = regexp.MustCompile(`(?s)<details>.*?</details>`)

// reading is the number of minutes it takes to read a lesson, without what is folded
// and without the checks: 200 words, or 20 lines of code, a minute.
func reading(t *testing.T, path string) float64 {
	t.Helper()
	nb, err := ipynb.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	words, lines := 0, 0
	for _, c := range nb.Cells {
		switch {
		case c.Type == "markdown":
			for _, field := range strings.Fields(folds.ReplaceAllString(c.Source, "")) {
				if strings.ContainsFunc(field, unicode.IsLetter) {
					words++
				}
			}
		case !c.HasTag("check"):
			for line := range strings.Lines(c.Source) {
				if strings.TrimSpace(line) != "" {
					lines++
				}
			}
		}
	}
	return float64(words)/200 + float64(lines)/20
}

// theREADMEsNumbers checks that the README gives the story's totals, and the mean wait
// of the first run, as they come out.
func theREADMEsNumbers(t *testing.T, table string) {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	runs := regexp.MustCompile(`Picture of the run "[^"]+": .* in ([\d.]+) s\.\n\s*An item waits ([\d.]+) s`).FindAllStringSubmatch(table, -1)
	if len(runs) != 3 {
		t.Fatalf("%d runs in\n%s", len(runs), table)
	}
	round := func(text string) string {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		return strconv.FormatFloat(n, 'f', 0, 64)
	}
	for _, want := range []string{
		"Synchronous: " + runs[0][1] + " s in all",
		"Polling: " + runs[1][1] + " s",
		"Channels: " + runs[2][1] + " s",
		"they take " + round(runs[0][1]) + " s, and an item waits " + round(runs[0][2]) + " s.",
		"they take " + round(runs[2][1]) + " s, and an item waits next to nothing.",
	} {
		if !strings.Contains(string(readme), want) {
			t.Errorf("the README does not say %q", want)
		}
	}
}

// nbrun's README gives the number of cells with the kernel's answers, within a tenth.
func TestTheTableOfAnswersIsAsLargeAsTheREADMESays(t *testing.T) {
	readme, err := os.ReadFile("../../scripts/nbrun/README.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/truth/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	cells := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		cells += len(regexp.MustCompile(`(?m)^-- .*\.out --`).FindAll(data, -1))
	}
	m := regexp.MustCompile(`table of some (\d+) cells`).FindSubmatch(readme)
	if m == nil {
		t.Fatal("the README does not say how many cells there are")
	}
	if says, _ := strconv.Atoi(string(m[1])); cells*10 > says*11 || cells*10 < says*9 {
		t.Errorf("there are %d cells, and the README says some %d", cells, says)
	}
}
