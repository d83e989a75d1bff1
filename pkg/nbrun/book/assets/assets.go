// Package assets has what runs in a browser: the pages' templates, style and scripts, as
// files for the book, and the two that every page stands on.
package assets

import "embed"

// Files are all of them.
//
//go:embed *.css *.html *.js *.txt
var Files embed.FS

// Style is the style of all pages.
//
//go:embed book.css
var Style string

// Player is the module that replays outputs.
//
//go:embed player.js
var Player string
