package render

import (
	"encoding/base64"
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

func TestText(t *testing.T) {
	for name, test := range map[string]struct {
		pieces []string
		want   string
	}{
		"plain":          {[]string{"a < b & c\n"}, "a &lt; b &amp; c\n"},
		"coloured":       {[]string{"\x1b[33m -- made\x1b[0m\n"}, `<span class="ansi-yellow"> -- made</span>` + "\n"},
		"bold and on":    {[]string{"\x1b[1;31;44mx\x1b[22;39my\x1b[49mz"}, `<span class="ansi-red ansi-on-blue ansi-bold">x</span><span class="ansi-on-blue">y</span>z`},
		"256 colours":    {[]string{"\x1b[38;5;16;48;5;220;1mx\x1b[39my\x1b[0mz"}, `<span class="ansi-bold" style="background-color:#ffd700;color:#000000">x</span><span class="ansi-bold" style="background-color:#ffd700">y</span>z`},
		"all colours":    {[]string{"\x1b[38;2;1;2;255mx\x1b[38;5;9my\x1b[48;5;244mz"}, `<span style="color:#0102ff">x</span><span class="ansi-red">y</span><span class="ansi-red" style="background-color:#808080">z</span>`},
		"no such colour": {[]string{"\x1b[31;38;5;999mx\x1b[38;2;1my\x1b[38mz"}, `xyz`},
		"in two pieces":  {[]string{"\x1b[3", "6mx", "y"}, `<span class="ansi-cyan">x</span><span class="ansi-cyan">y</span>`},
		"half after all": {[]string{"\x1b[1mx\x1b[0m\x1b[3", "3my"}, `<span class="ansi-bold">x</span><span class="ansi-yellow">y</span>`},
		"half a letter":  {[]string{"a\xe2", "\x9c", "\x94b", "\xff", "c"}, "a✔b\uFFFDc"},
		"bright":         {[]string{"\x1b[92mx"}, `<span class="ansi-green">x</span>`},
		"other commands": {[]string{"a\x1b[2J\x1b[1;1H\x1b]0;title\x07b\x1b]8;;http://x\x1b\\c\rd\x07\x00e"}, "abcde"},
		"one of 256":     {[]string{"\x1b[38;5;200mx"}, `<span style="color:#ff00d7">x</span>`},
		"no number":      {[]string{"\x1b[31mx\x1b[my"}, `<span class="ansi-red">x</span>y`},
	} {
		t.Run(name, func(t *testing.T) {
			style, got := new(Style), ""
			for _, p := range test.pieces {
				got += style.Text(p)
			}
			if got != test.want {
				t.Errorf("got\n%q, want\n%q", got, test.want)
			}
		})
	}
}

var tag = regexp.MustCompile(`</?span(?: class="[a-z -]*")?>`)

// Whatever a program prints, the page gets spans with our classes and text.
func FuzzText(f *testing.F) {
	f.Add("\x1b[31mx\x1b[0m", "\x1b[1;4")
	f.Add("<script>\x1b]8;;javascript:x\x07", "\x1b")
	f.Fuzz(func(t *testing.T, a, b string) {
		style := new(Style)
		got := style.Text(a) + style.Text(b)
		rest := tag.ReplaceAllString(got, "")
		if strings.ContainsAny(rest, "<>\x1b") {
			t.Errorf("%q and %q became %q", a, b, got)
		}
		if strings.Count(got, "<span") != strings.Count(got, "</span>") {
			t.Errorf("%q and %q: spans that do not end: %q", a, b, got)
		}
		if !strings.Contains(a+b, "\x1b") && !strings.ContainsFunc(a+b, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r == '\uFFFD' }) && html.UnescapeString(got) != a+b {
			t.Errorf("%q became %q", a+b, got)
		}
	})
}

// bad is what a notebook may hold to get at its reader.
var bad = []string{
	`<script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `<a href="javascript:alert(1)">x</a>`, `<iframe src="https://x"></iframe>`,
	`<svg><script>alert(1)</script></svg>`, `<style>@import "https://x"</style>`, `<form action="https://x"><input></form>`, `<object data="x">`,
	`<div style="background:url(https://x)" onclick="alert(1)">x</div>`, `[x](javascript:alert(1))`, `<meta http-equiv="refresh" content="0">`, `<base href="https://x">`, `<p id="cell~1" class="cell" data-at="1">x</p>`,
}

const attributes = `<\w+(?:\s+[\w-]+="[^"]*")*\s+`

var harmful = regexp.MustCompile(`(?i)<(script|iframe|svg|style|form|object|meta|base|input|link)|` + attributes + `(on\w+=|style=|(href|src)="?javascript:)`)

// posing is by what an output could pass for a part of the page.
var posing = regexp.MustCompile(attributes + `(id=|data-|class="cell)`)

func TestNothingBringsAScript(t *testing.T) {
	for _, source := range bad {
		outputs := []event.Output{
			{Kind: event.Stream, Name: source, Text: source},
			{Kind: event.Error, Traceback: []string{source}},
			{Kind: event.Display, Data: map[string]any{"text/html": source}},
			{Kind: event.Display, Data: map[string]any{"text/markdown": source}},
			{Kind: event.Display, Data: map[string]any{"text/plain": source}},
			{Kind: event.Display, Data: map[string]any{source: source}},
			{Kind: event.Display, Data: map[string]any{"image/png": `"` + source, "text/plain": `"` + source}},
			{Kind: event.Display, Data: map[string]any{"image/svg+xml": source}},
		}
		for _, o := range outputs {
			got := Output(o, new(Style))
			if harmful.MatchString(got) || posing.MatchString(got) {
				t.Errorf("%v became %s", o, got)
			}
		}
		if got := Markdown(source, nil); harmful.MatchString(got) {
			t.Errorf("%s became %s", source, got)
		}
	}
}

func TestMarkdown(t *testing.T) {
	link := func(to string) string { return strings.Replace(to, ".ipynb", ".html", 1) }
	got := Markdown("# A title\n\nSee [two](02.ipynb), `x := 1`.\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n", link)
	for _, want := range []string{`<h1 id="a-title">A title</h1>`, `href="02.html"`, "<code>x := 1</code>", "<td>2</td>"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

// gonbui sends a picture as HTML, from which no more than a picture comes into the page.
func TestPictureOfGonbui(t *testing.T) {
	got := Output(event.Output{Kind: event.Display, Data: map[string]any{"text/html": "<div><svg onload='alert(1)'></svg></div>"}}, new(Style))
	want := `<figure><img alt="" src="data:image/svg+xml;base64,` + base64.StdEncoding.EncodeToString([]byte(`<svg xmlns="http://www.w3.org/2000/svg" onload='alert(1)'></svg>`)) + `"></figure>`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPictures(t *testing.T) {
	got := Output(event.Output{Kind: event.Display, Data: map[string]any{"image/svg+xml": "<svg/>", "image/png": "AAAA", "text/plain": "A \"line\"."}}, new(Style))
	want := `<figure><img alt="A &#34;line&#34;." src="data:image/svg+xml;base64,PHN2Zy8+"><figcaption>A &#34;line&#34;.</figcaption></figure>`
	if got != want {
		t.Errorf("got %s", got)
	}
}

func TestCode(t *testing.T) {
	got := Code("%%\n!*go mod tidy\nfor i := range 3 { // <three>\n\tfmt.Println(\"é\", i)\n}")
	for _, want := range []string{"<span class=\"command\">%%\n</span>", `<span class="k">for</span>`, `// &lt;three&gt;`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	plain := html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(got, ""))
	if plain != "%%\n!*go mod tidy\nfor i := range 3 { // <three>\n\tfmt.Println(\"é\", i)\n}" {
		t.Errorf("the text became %q", plain)
	}
}
