// Package browser tests package lab with JupyterLab, and the lessons in a headless
// Chromium. It is a module of its own, so that importers of ours don't get what
// drives a browser.
//
//	cd pkg/nbrun/lab/browser
//	go test -race ./...
package browser
