// Package browser tests package book: lessons, exercises and the table of truth are run
// under node as in pages, and the pages in a headless Chromium, where axe-core checks
// them as well. It is a module of its own, so that those who import ours don't get what
// drives a browser.
//
//	cd pkg/nbrun/book/browser
//	go test -short ./...       # one lesson, one exercise, one table, and the pages
//	go test -timeout 1h ./...  # all of them
//	go test -run '^$' -bench Readers -benchtime 5x ./...  # beside JupyterLite
//	go test -run '^$' -bench Edits -benchtime 3x -timeout 1h ./...  # cell by cell
package browser
