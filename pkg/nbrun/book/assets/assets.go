// Package assets holds what runs in a browser: the templates, style sheet and scripts of
// the pages, as files for the book, and the two that reports use as well.
package assets

import "embed"

// Files are all of them.
//
//go:embed *.css *.html *.js *.txt
var Files embed.FS

// Style is the style sheet of all pages.
//
//go:embed book.css
var Style string

// Player is the module that replays output.
//
//go:embed player.js
var Player string
