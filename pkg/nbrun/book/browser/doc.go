// Package browser tests package book: the lessons run whole under node, and their
// pages in a headless Chromium. It is a module of its own, so that importers of ours
// don't get what drives a browser.
//
//	cd pkg/nbrun/book/browser
//	go test ./...
package browser
