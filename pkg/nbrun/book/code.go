package book

import (
	"html"
	"strings"

	"github.com/alecthomas/chroma/v2"
	chtml "github.com/alecthomas/chroma/v2/formatters/html"
	"github.com/alecthomas/chroma/v2/lexers"
	"github.com/alecthomas/chroma/v2/styles"
)

var formatter = chtml.New(chtml.WithClasses(true), chtml.PreventSurroundingPre(true))

// code is a cell's source as HTML, with classes for highlighting. Lines of commands,
// which are no Go, have a class of their own.
func code(source string) string {
	var b strings.Builder
	var golang []string
	flush := func() {
		if len(golang) > 0 {
			b.WriteString(highlight(strings.Join(golang, "")))
			golang = nil
		}
	}
	for line := range strings.Lines(source) {
		if strings.HasPrefix(line, "%") || strings.HasPrefix(line, "!") {
			flush()
			b.WriteString(`<span class="command">` + html.EscapeString(line) + `</span>`)
			continue
		}
		golang = append(golang, line)
	}
	flush()
	return b.String()
}

func highlight(source string) string {
	var b strings.Builder
	tokens, err := chroma.Coalesce(lexers.Get("go")).Tokenise(&chroma.TokeniseOptions{State: "root"}, source)
	if err == nil {
		err = formatter.Format(&b, styles.Fallback, tokens)
	}
	if err != nil {
		return html.EscapeString(source)
	}
	return b.String()
}
