package inpage

import "bytes"

// withoutHandler removes from stack traces the goroutine that handles calls from the page:
// a program has it only in a page, and the reader has not started it. Line is applied to
// the other lines.
func withoutHandler(line func([]byte) []byte) func([]byte) []byte {
	var heading []byte // of a goroutine that may be that one
	places := 0        // lines still to be removed
	return func(p []byte) []byte {
		switch {
		case places > 0:
			places--
			return nil
		case heading != nil && bytes.Equal(p, []byte("syscall/js.handleEvent()\n")):
			heading, places = nil, 1
			return nil
		}
		var out []byte
		if heading != nil {
			out = bytes.Clone(line(heading))
			heading = nil
		}
		if bytes.HasPrefix(p, []byte("goroutine ")) && bytes.HasSuffix(p, []byte(" [select (no cases)]:\n")) {
			heading = bytes.Clone(p)
			return out
		}
		return append(out, line(p)...)
	}
}
