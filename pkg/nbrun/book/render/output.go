// Package render turns what notebooks hold into HTML: prose, code and outputs. Nothing
// that it is given can bring a script, a style or a form of its own into the page, nor
// load anything from elsewhere.
package render

import (
	"encoding/base64"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/microcosm-cc/bluemonday"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

// prose lets through what bluemonday allows in users' texts, and pictures in data URLs.
var prose = sync.OnceValue(func() *bluemonday.Policy {
	p := bluemonday.UGCPolicy()
	p.AllowDataURIImages()
	return p
})

// shown lets through what it takes to read a display, and no attribute that could make
// it pass for a part of the page: no class, no style, no id.
var shown = sync.OnceValue(func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowStandardURLs()
	p.AllowImages()
	p.AllowDataURIImages()
	p.AllowLists()
	p.AllowTables()
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("open").OnElements("details")
	p.AllowAttrs("value", "min", "max").Matching(bluemonday.Number).OnElements("meter", "progress")
	p.AllowAttrs("title").Globally()
	p.AllowElements(strings.Fields(`abbr article aside b bdi blockquote br cite code del details dfn div em figcaption figure
		h1 h2 h3 h4 h5 h6 hr i ins kbd mark p pre q rp rt ruby s samp section small span strong sub summary sup time tt u var wbr`)...)
	return p
})

// Output returns an output as HTML. The text of a stream begins in the style in which
// the text before it has ended.
func Output(o event.Output, style *Style) string {
	switch o.Kind {
	case event.Stream:
		return fmt.Sprintf(`<span class="%s">%s</span>`, stream(o.Name), style.Text(o.Text))
	case event.Error:
		return `<pre class="error">` + new(Style).Text(strings.Join(o.Traceback, "\n")) + `</pre>`
	case event.Display, event.Update, event.Result:
		return bundle(o)
	}
	return ""
}

func stream(name string) string {
	if name == "stderr" {
		return "stderr"
	}
	return "stdout"
}

// gonbuiSVG is how gonbui sends a picture, as HTML.
var gonbuiSVG = regexp.MustCompile(`^\s*<div>\s*(?s:(<svg\b.*</svg>))\s*</div>\s*$`)

// bundle is the richest representation of a display that a page can show.
func bundle(o event.Output) string {
	alt, _ := o.Data["text/plain"].(string)
	if svg, ok := o.Data["image/svg+xml"].(string); ok {
		return picture("image/svg+xml", base64.StdEncoding.EncodeToString([]byte(svg)), alt)
	}
	for _, mime := range []string{"image/png", "image/jpeg", "image/gif", "image/webp"} {
		if data, ok := o.Data[mime].(string); ok {
			return picture(mime, strings.Join(strings.Fields(data), ""), alt)
		}
	}
	if text, ok := o.Data["text/html"].(string); ok {
		if m := gonbuiSVG.FindStringSubmatch(text); m != nil {
			svg := m[1]
			if !strings.Contains(svg, "xmlns=") { // HTML does without it, an image doesn't
				svg = `<svg xmlns="http://www.w3.org/2000/svg"` + strings.TrimPrefix(svg, "<svg")
			}
			return picture("image/svg+xml", base64.StdEncoding.EncodeToString([]byte(svg)), alt)
		}
		return `<div class="html">` + shown().Sanitize(text) + `</div>`
	}
	if text, ok := o.Data["text/markdown"].(string); ok {
		return `<div class="markdown">` + markdownWith(text, nil, shown()) + `</div>`
	}
	if alt != "" {
		return `<pre>` + new(Style).Text(alt) + `</pre>`
	}
	kinds := make([]string, 0, len(o.Data))
	for mime := range o.Data {
		kinds = append(kinds, mime)
	}
	slices.Sort(kinds)
	return `<p class="note">A display that a page can't show: ` + html.EscapeString(strings.Join(kinds, ", ")) + `</p>`
}

// picture shows a picture as an image, in which no script runs, with a sentence below.
func picture(mime, data, sentence string) string {
	caption := ""
	if sentence != "" {
		caption = `<figcaption>` + html.EscapeString(sentence) + `</figcaption>`
	}
	return fmt.Sprintf(`<figure><img alt="%s" src="data:%s;base64,%s">%s</figure>`, html.EscapeString(sentence), mime, html.EscapeString(data), caption)
}
