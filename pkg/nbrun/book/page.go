package book

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/module"

	"github.com/b3771e63/prodcons/pkg/nbrun/book/assets"
	"github.com/b3771e63/prodcons/pkg/nbrun/book/render"
	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cache"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/ipynb"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/modules"
)

// pageData is what the template of a page needs.
type pageData struct {
	Title, Name   string
	Prev, Next    *link
	Index, Source string // addresses; Source is "" if the notebook is not on GitHub
	Cells         []cellData
	Notebook      template.JS // for the script
	HasCode       bool
}

type link struct{ Title, File string }

type cellData struct {
	ID       string
	Prose    template.HTML
	Code     template.HTML
	Number   int // of a cell that can be run
	Folded   bool
	Tags     []string
	Fault    string // what a page can't run of it
	Outputs  template.HTML
	HasProse bool
}

// writePages writes a page for each notebook, and the files that all pages need.
func writePages(pages []*page, out string) error {
	for _, name := range []string{"book.css", "book.js", "player.js", "living.js", "editor.js", "editor.LICENSE.txt", "offline.js"} {
		if err := copyAsset(name, filepath.Join(out, name)); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Join(out, "img"), 0o755); err != nil {
		return err
	}
	for i, p := range pages {
		data := p.data()
		if i > 0 {
			data.Prev = pages[i-1].link()
		}
		if i+1 < len(pages) {
			data.Next = pages[i+1].link()
		}
		cells, err := p.render(out, pages)
		if err != nil {
			return fmt.Errorf("%s: %w", p.path, err)
		}
		data.Cells = cells
		if err := write(filepath.Join(out, p.name+".html"), "page", data); err != nil {
			return err
		}
		raw, err := os.ReadFile(p.path)
		if err := errors.Join(err, os.WriteFile(filepath.Join(out, p.name+".ipynb"), raw, 0o644)); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(pages, func(p *page) bool { return p.name == "index" }) {
		return nil
	}
	var links []*link
	for _, p := range pages {
		links = append(links, p.link())
	}
	return write(filepath.Join(out, "index.html"), "index", map[string]any{"Pages": links})
}

func copyAsset(name, to string) error {
	data, err := assets.Files.ReadFile(name)
	return errors.Join(err, os.WriteFile(to, data, 0o644))
}

var templates = template.Must(template.ParseFS(assets.Files, "*.html"))

func write(path, name string, data any) error {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, name+".html", data); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

func (p *page) link() *link { return &link{Title: p.title(), File: p.name + ".html"} }

var heading = regexp.MustCompile(`(?m)^#\s+(.+?)\s*#*$`)

// title is the first heading of the notebook, or its name.
func (p *page) title() string {
	for _, c := range p.notebook.Cells {
		if m := heading.FindStringSubmatch(c.Source); c.Type == "markdown" && m != nil {
			return strings.NewReplacer("`", "", "*", "").Replace(m[1])
		}
	}
	return p.name
}

func (p *page) data() pageData {
	type cell struct {
		ID        string `json:",omitempty"`
		Source    string
		RealClock bool
		Sliders   []slider `json:",omitempty"`
	}
	cells := []cell{}
	for i, c := range p.cells {
		cells = append(cells, cell{p.notebook.Cells[p.at[i]].ID(), c.Source, c.RealClock, sliders(p.notebook.Cells[p.at[i]])})
	}
	text, _ := json.Marshal(map[string]any{"dir": "/home/" + p.name, "name": p.name, "at": p.at, "cells": cells}) // plain data
	return pageData{Title: p.title(), Name: p.name, Index: "index.html", Source: repository(p.path), Notebook: template.JS(text), HasCode: len(p.cells) > 0}
}

// repository returns the address on GitHub of a file in a module, "" if the module is
// not there.
func repository(file string) string {
	root := modules.Find(filepath.Dir(file), "go.mod")
	m, err := modules.Read(root)
	if root == "" || err != nil {
		return ""
	}
	own, _, _ := module.SplitPathVersion(m.Module.Mod.Path)
	parts := strings.SplitN(own, "/", 4) // github.com, owner, repository, and the module's folder there
	rel, err := filepath.Rel(root, file)
	if parts[0] != "github.com" || len(parts) < 3 || err != nil {
		return ""
	}
	return "https://" + path.Join(strings.Join(parts[:3], "/"), "blob/HEAD", path.Join(parts[3:]...), filepath.ToSlash(rel))
}

// destination returns where a link of the notebook leads from its page: to another page
// or, for any other file, to the repository.
func (p *page) destination(pages []*page, to string) string {
	u, err := url.Parse(to)
	if err != nil || u.IsAbs() || u.Host != "" || u.Path == "" {
		return to
	}
	file := filepath.Join(filepath.Dir(p.path), filepath.FromSlash(u.Path))
	for _, other := range pages {
		if other.path == file {
			u.Path = other.name + ".html"
			return u.String()
		}
	}
	if source := repository(file); source != "" {
		return source
	}
	return to
}

// render renders the notebook's cells.
func (p *page) render(out string, pages []*page) ([]cellData, error) {
	var cells []cellData
	number := 0
	for i, c := range p.notebook.Cells {
		data := cellData{ID: fmt.Sprintf("cell-%d", i+1), Tags: c.Tags, Folded: c.HasTag("solution")}
		switch c.Type {
		case "markdown":
			data.HasProse = true
			data.Prose = template.HTML(render.Markdown(c.Source, func(to string) string { return p.destination(pages, to) })) // sanitised
		case "code":
			data.Code = template.HTML(render.Code(c.Source)) // escaped
			if number < len(p.at) && p.at[number] == i {
				data.Fault = p.faults[number]
				number++
				data.Number = number
			}
			var err error
			if data.Outputs, err = outputs(c, out); err != nil {
				return nil, fmt.Errorf("cell %d: %w", i+1, err)
			}
		default:
			continue
		}
		cells = append(cells, data)
	}
	return cells, nil
}

// outputs returns the recorded outputs of a cell as HTML. Pictures go into files of
// their own, which are loaded when they come into view.
func outputs(c *ipynb.Cell, out string) (template.HTML, error) {
	list, err := c.Stored()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	style := new(render.Style)
	text, said := false, false
	for i, o := range list {
		said = said || o.Kind == event.Stream && o.Name == "stderr"
		if said && i+1 < len(list) && list[i+1].Kind == event.Error && o.Data["text/html"] != nil {
			continue // the kernel's error page repeats what the program has said
		}
		if (o.Kind == event.Stream) != text {
			if text {
				b.WriteString("</pre>")
			} else {
				b.WriteString(`<pre class="text" tabindex="0">`)
			}
			text = !text
		}
		b.WriteString(render.Output(o, style))
	}
	if text {
		b.WriteString("</pre>")
	}
	html, err := picturesApart(b.String(), out)
	return template.HTML(html), err // escaped or sanitised
}

var inline = regexp.MustCompile(`<img alt="([^"]*)" src="data:image/(svg\+xml|png|jpeg|gif|webp);base64,([A-Za-z0-9+/=]+)">`)

func picturesApart(html, out string) (string, error) {
	var failed error
	html = inline.ReplaceAllStringFunc(html, func(tag string) string {
		m := inline.FindStringSubmatch(tag)
		data, err := base64.StdEncoding.DecodeString(m[3])
		if err != nil {
			return tag
		}
		name := path.Join("img", cache.ID(string(data))+"."+strings.TrimSuffix(m[2], "+xml"))
		failed = errors.Join(failed, os.WriteFile(filepath.Join(out, name), data, 0o644))
		return fmt.Sprintf(`<img alt="%s" src="%s" loading="lazy">`, m[1], name)
	})
	return html, failed
}
