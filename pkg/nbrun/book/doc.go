// Package book makes pages of GoNB notebooks that need no server and nothing
// installed: they can be read without JavaScript, and with it their cells are edited,
// compiled and run in the page, by Go's own compiler and linker as WebAssembly, on
// Go's fake clock. What they put out is replayed at the times of the cells' own clock.
//
// The parts: toolchain.go and overlay.go make compiler, linker and package archives of
// the user's Go; page.go makes the pages, with package render; assets is what runs in
// the browser, with the programs core and inpage, which drive the cells there.
package book
