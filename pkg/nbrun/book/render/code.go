package render

import (
	"fmt"
	"go/scanner"
	"go/token"
	"html"
	"strings"
)

// Code returns a cell's source as HTML, with the classes that book.css and the editor
// use for highlighting. Command lines, which are not Go, have a class of their own.
func Code(source string) string {
	var b, golang strings.Builder
	flush := func() {
		highlight(&b, golang.String())
		golang.Reset()
	}
	for line := range strings.Lines(source) {
		if strings.HasPrefix(line, "%") || strings.HasPrefix(line, "!") {
			flush()
			span(&b, "command", line)
			continue
		}
		golang.WriteString(line)
	}
	flush()
	return b.String()
}

func span(b *strings.Builder, class, text string) {
	if text = html.EscapeString(text); class != "" {
		text = fmt.Sprintf(`<span class="%s">%s</span>`, class, text)
	}
	b.WriteString(text)
}

// highlight writes Go. Anything else stays as it is.
func highlight(b *strings.Builder, source string) {
	file := token.NewFileSet().AddFile("", -1, len(source))
	var s scanner.Scanner
	s.Init(file, []byte(source), func(token.Position, string) {}, scanner.ScanComments)
	done := 0
	for {
		pos, tok, text := s.Scan()
		at := file.Offset(pos)
		if tok == token.EOF {
			break
		}
		class := classOf(tok, text, source[min(at+len(text), len(source)):])
		if end := at + len(text); class != "" && at >= done && end <= len(source) {
			span(b, "", source[done:at])
			span(b, class, source[at:end])
			done = end
		}
	}
	span(b, "", source[done:])
}

// predeclared are the names that Go predeclares, with their classes.
var predeclared = map[string]string{"true": "kc", "false": "kc", "nil": "kc", "iota": "kc"}

func init() {
	for _, name := range strings.Fields("any bool byte comparable complex64 complex128 error float32 float64 int int8 int16 int32 int64 rune string uint uint8 uint16 uint32 uint64 uintptr") {
		predeclared[name] = "kt"
	}
}

// classOf returns the class of a token that is followed by rest, "" for none.
func classOf(tok token.Token, text, rest string) string {
	switch {
	case tok == token.COMMENT:
		return "c1"
	case tok.IsKeyword():
		return "k"
	case tok == token.STRING || tok == token.CHAR:
		return "s"
	case tok.IsLiteral() && tok != token.IDENT:
		return "m"
	case tok == token.IDENT && predeclared[text] != "":
		return predeclared[text]
	case tok == token.IDENT && strings.HasPrefix(rest, "("):
		return "nf"
	}
	return ""
}
