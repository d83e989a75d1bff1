// Package lastwords finds, in the output of a Go process, the words that explain its
// end.
package lastwords

import "strings"

// IsFatal reports whether a line begins the message of a panic or of a fatal error
// of the runtime.
func IsFatal(line string) bool {
	return strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ")
}

// Of returns the line that says most about a process's end: the message of a panic,
// which is followed by a stack trace, or else the last one; "" if there are no lines.
func Of(lines []string) string {
	for _, line := range lines {
		if IsFatal(line) {
			return line
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return lines[len(lines)-1]
}
