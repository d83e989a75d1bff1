package render

import (
	"bytes"
	"sync"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
)

var markdown = sync.OnceValue(func() goldmark.Markdown {
	return goldmark.New(
		goldmark.WithExtensions(extension.GFM),
		goldmark.WithParserOptions(parser.WithAutoHeadingID()),
		goldmark.WithRendererOptions(html.WithUnsafe()), // what comes out is sanitised
	)
})

// Markdown returns Markdown as HTML. If link is not nil, it returns where a link to a
// destination is to lead.
func Markdown(source string, link func(string) string) string {
	return markdownWith(source, link, prose())
}

func markdownWith(source string, link func(string) string, policy *bluemonday.Policy) string {
	data := []byte(source)
	doc := markdown().Parser().Parse(text.NewReader(data))
	if link != nil {
		_ = ast.Walk(doc, func(n ast.Node, enter bool) (ast.WalkStatus, error) {
			if l, ok := n.(*ast.Link); ok && enter {
				l.Destination = []byte(link(string(l.Destination)))
			}
			return ast.WalkContinue, nil
		})
	}
	var b bytes.Buffer
	if err := markdown().Renderer().Render(&b, data, doc); err != nil {
		return "" // memory does not fail
	}
	return policy.Sanitize(b.String())
}
