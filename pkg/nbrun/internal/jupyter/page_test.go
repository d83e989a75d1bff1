package jupyter

import (
	"fmt"
	"strings"
	"testing"
)

// page is a page as GoNB v0.11.4 makes it (internal/goexec/errorpublish.go), of
// lines that are a place, if any, and a text.
func page(lines ...string) string {
	return "<style>\n.gonb-err-location {\n\tbackground: var(--jp-err-color2);\n}\n</style>\n<div class=\"lm-Widget\">\n" + strings.Join(lines, "\n") + "\n</div>\n"
}

func placed(cell, line int, location, text string) string {
	return fmt.Sprintf(`<div style="white-space: pre-wrap;"><span class="gonb-err-hover-area"><span class="gonb-cell-line-info">Cell[%d]: Line %d</span> <span class="gonb-err-location">%s</span></span>%s<div class="gonb-err-context"><div class="gonb-err-line">x</div></div></div>`, cell, line, location, text)
}

func plain(text string) string {
	return `<div style="white-space: pre-wrap;"> ` + text + "</div>"
}

func TestThePageOfErrors(t *testing.T) {
	for name, test := range map[string]struct {
		page string
		want []string
	}{
		"one":                  {page(plain("# gonb_1"), placed(3, 4, "./main.go:7:5: ", "undefined: x")), []string{"cell 3, line 4: undefined: x"}},
		"two":                  {page(placed(1, 2, "./main.go:7:5: ", "a"), placed(2, 3, "./main.go:9:5: ", "b")), []string{"cell 1, line 2: a", "cell 2, line 3: b"}},
		"one with more lines":  {page(placed(1, 2, "./main.go:7:5: ", "not enough arguments"), plain("\thave (int)"), plain("\twant (int, int)")), []string{"cell 1, line 2: not enough arguments; have (int); want (int, int)"}},
		"one and its place":    {page(placed(1, 2, "./main.go:7:5: ", "duplicate case"), placed(1, 1, "\t./main.go:6:5: ", "previous case")), []string{"cell 1, line 2: duplicate case; cell 1, line 1: previous case"}},
		"one of no place last": {page(plain("go: module not found"), placed(1, 2, "./main.go:7:5: ", "a")), []string{"cell 1, line 2: a", "go: module not found"}},
		"and more":             {page(placed(1, 2, "./main.go:7:5: ", "a (and 3 more errors)")), []string{"cell 1, line 2: a"}},
		"text like markup":     {page(placed(1, 2, "./main.go:7:5: ", "cannot use <-ch & </b>")), []string{"cell 1, line 2: cannot use <-ch & </b>"}},
		"a page of nothing":    {page(), nil},
	} {
		faults, ok := parsePage(test.page)
		var got []string
		for _, f := range faults {
			got = append(got, f.Error())
		}
		if !ok || fmt.Sprint(got) != fmt.Sprint(test.want) {
			t.Errorf("%s: %q, %v; want %q", name, got, ok, test.want)
		}
	}
	if _, ok := parsePage("<b>what a cell displays</b>"); ok {
		t.Error("any page is taken for GoNB's")
	}
}

// Whatever is in a page, its faults have possible places, and those without come last.
func FuzzPage(f *testing.F) {
	f.Add(page(placed(3, 4, "./main.go:7:5: ", "undefined: x"), plain("\tmore")))
	f.Add(page(placed(1, 1, "\t./main.go:6:5: ", "previous case"), plain("# x"), plain("")))
	f.Add(page(`<div style="white-space: pre-wrap;"><span class="gonb-err-hover-area"><span class="gonb-err-location">main.go:1</span></span>a</div>`))
	f.Add(page(placed(99999999, 1, "", "")))
	f.Fuzz(func(t *testing.T, page string) {
		faults, ok := parsePage(page)
		if !ok && len(faults) > 0 {
			t.Errorf("%d faults of what is no page", len(faults))
		}
		placeless := false
		for _, fault := range faults {
			if fault.Cell < 0 || fault.Line < 0 || fault.Cell == 0 && fault.Line > 0 {
				t.Errorf("cell %d, line %d", fault.Cell, fault.Line)
			}
			if placeless && fault.Cell > 0 {
				t.Error("a fault with a place comes after one without")
			}
			placeless = fault.Cell == 0
		}
	})
}
