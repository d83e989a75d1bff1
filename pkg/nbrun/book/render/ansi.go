package render

import (
	"fmt"
	"html"
	"regexp"
	"strconv"
	"strings"
)

// Style is how text is shown, as escape sequences have said. The zero Style is plain.
type Style struct {
	fg, bg                         string // class names, or "" for the default
	bold, faint, italic, underline bool
	reverse                        bool
	pending                        string // an escape sequence whose end is still to come
}

var (
	colours = []string{"black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"}
	escape  = regexp.MustCompile(`\x1b(?:\[([0-9;]*)([@-~])|\[[0-9;:<=>?!"#$%&'()*+,\-./ ]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])`)
	begun   = regexp.MustCompile(`\x1b(?:\[[0-9;:<=>? ]{0,32}|\][^\x07\x1b]{0,999})?$`)
)

// Text is a text as HTML. Escape sequences become spans with classes; those that do
// anything but colour are left out, and so are other control characters.
func (s *Style) Text(text string) string {
	text = s.pending + text
	s.pending = ""
	if i := begun.FindStringIndex(text); i != nil {
		s.pending, text = text[i[0]:], text[:i[0]]
	}
	var b strings.Builder
	for {
		m := escape.FindStringSubmatchIndex(text)
		if m == nil {
			s.span(&b, text)
			return b.String()
		}
		s.span(&b, text[:m[0]])
		if m[4] >= 0 && text[m[4]:m[5]] == "m" {
			s.set(text[m[2]:m[3]])
		}
		text = text[m[1]:]
	}
}

func (s *Style) span(b *strings.Builder, text string) {
	text = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, text)
	if text == "" {
		return
	}
	class := s.class()
	if class == "" {
		b.WriteString(html.EscapeString(text))
		return
	}
	fmt.Fprintf(b, `<span class="%s">%s</span>`, class, html.EscapeString(text))
}

func (s *Style) class() string {
	var list []string
	add := func(on bool, name string) {
		if on {
			list = append(list, name)
		}
	}
	add(s.fg != "", "ansi-"+s.fg)
	add(s.bg != "", "ansi-on-"+s.bg)
	add(s.bold, "ansi-bold")
	add(s.faint, "ansi-faint")
	add(s.italic, "ansi-italic")
	add(s.underline, "ansi-underline")
	add(s.reverse, "ansi-reverse")
	return strings.Join(list, " ")
}

// set takes in the parameters of one SGR sequence.
func (s *Style) set(params string) {
	words := strings.Split(params, ";")
	for i := 0; i < len(words); i++ {
		n, _ := strconv.Atoi(words[i]) // none is 0
		switch {
		case n == 0:
			*s = Style{}
		case n == 1:
			s.bold = true
		case n == 2:
			s.faint = true
		case n == 3:
			s.italic = true
		case n == 4:
			s.underline = true
		case n == 7:
			s.reverse = true
		case n == 22:
			s.bold, s.faint = false, false
		case n == 23:
			s.italic = false
		case n == 24:
			s.underline = false
		case n == 27:
			s.reverse = false
		case n >= 30 && n <= 37:
			s.fg = colours[n-30]
		case n == 39:
			s.fg = ""
		case n >= 40 && n <= 47:
			s.bg = colours[n-40]
		case n == 49:
			s.bg = ""
		case n >= 90 && n <= 97:
			s.fg = colours[n-90]
		case n >= 100 && n <= 107:
			s.bg = colours[n-100]
		case n == 38 || n == 48: // of more colours than there are classes
			i = len(words)
		}
	}
}
