package render

import (
	"fmt"
	"html"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// Style is how text is shown, after the escape sequences so far. The zero Style is
// plain.
type Style struct {
	fg, bg                         string // class names, or colours that begin with #, or "" for the default
	bold, faint, italic, underline bool
	reverse                        bool
	pending                        string // an escape sequence, or a character, whose end is still to come
}

var colours = []string{"black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"}

// The sequences, whole and begun. Compiling them takes longer than a program's start
// should.
var (
	escape = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`\x1b(?:\[([0-9;]*)([@-~])|\[[0-9;:<=>?!"#$%&'()*+,\-./ ]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])`)
	})
	begun = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`\x1b(?:\[[0-9;:<=>? ]{0,32}|\][^\x07\x1b]{0,999})?$`)
	})
)

// Text returns a text as HTML. Escape sequences become spans with classes; those that
// do anything but colour are left out, and so are other control characters.
func (s *Style) Text(text string) string {
	text = s.pending + text
	s.pending = ""
	if i := begun().FindStringIndex(text); i != nil {
		s.pending, text = text[i[0]:], text[:i[0]]
	} else if i := len(text) - 1; i >= 0 {
		for i > 0 && i > len(text)-utf8.UTFMax && !utf8.RuneStart(text[i]) {
			i--
		}
		if !utf8.FullRuneInString(text[i:]) { // the rest of it is in the next piece
			s.pending, text = text[i:], text[:i]
		}
	}
	var b strings.Builder
	for {
		m := escape().FindStringSubmatchIndex(text)
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
	attributes := ""
	if class := s.class(); class != "" {
		attributes = fmt.Sprintf(` class="%s"`, class)
	}
	if style := s.style(); style != "" {
		attributes += fmt.Sprintf(` style="%s"`, style)
	}
	if attributes == "" {
		b.WriteString(html.EscapeString(text))
		return
	}
	fmt.Fprintf(b, `<span%s>%s</span>`, attributes, html.EscapeString(text))
}

// style returns the attribute for colours that have no class.
func (s *Style) style() string {
	var list []string
	for property, colour := range map[string]string{"color": s.fg, "background-color": s.bg} {
		if strings.HasPrefix(colour, "#") {
			list = append(list, property+":"+colour)
		}
	}
	slices.Sort(list)
	return strings.Join(list, ";")
}

func (s *Style) class() string {
	var list []string
	add := func(on bool, name string) {
		if on {
			list = append(list, name)
		}
	}
	add(s.fg != "" && s.fg[0] != '#', "ansi-"+s.fg)
	add(s.bg != "" && s.bg[0] != '#', "ansi-on-"+s.bg)
	add(s.bold, "ansi-bold")
	add(s.faint, "ansi-faint")
	add(s.italic, "ansi-italic")
	add(s.underline, "ansi-underline")
	add(s.reverse, "ansi-reverse")
	return strings.Join(list, " ")
}

// set applies the parameters of one SGR sequence.
func (s *Style) set(params string) {
	words := strings.Split(params, ";")
	for i := 0; i < len(words); i++ {
		n, _ := strconv.Atoi(words[i]) // a missing one is 0
		switch {
		case n == 0:
			*s = Style{pending: s.pending}
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
		case n == 38 || n == 48:
			colour, used := extended(words[i+1:])
			if i += used; n == 38 {
				s.fg = colour
			} else {
				s.bg = colour
			}
		}
	}
}

// extended reads one of 256 colours, or any RGB colour, and returns how many words it
// took: all of them if they mean something else.
func extended(words []string) (colour string, used int) {
	byteAt := func(i int) int {
		if i >= len(words) {
			return -1
		}
		n, err := strconv.Atoi(words[i])
		if err != nil || n > 255 {
			return -1
		}
		return n
	}
	switch byteAt(0) {
	case 5:
		return of256(byteAt(1)), min(2, len(words))
	case 2:
		if r, g, b := byteAt(1), byteAt(2), byteAt(3); r >= 0 && g >= 0 && b >= 0 {
			return fmt.Sprintf("#%02x%02x%02x", r, g, b), 4
		}
	}
	return "", len(words)
}

// of256 returns a colour of xterm's palette.
func of256(n int) string {
	switch {
	case n < 0:
		return ""
	case n < 16:
		return colours[n%8]
	case n < 232:
		level := func(i int) int {
			if i == 0 {
				return 0
			}
			return 55 + 40*i
		}
		n -= 16
		return fmt.Sprintf("#%02x%02x%02x", level(n/36), level(n/6%6), level(n%6))
	}
	grey := 8 + 10*(n-232)
	return fmt.Sprintf("#%02x%02x%02x", grey, grey, grey)
}
