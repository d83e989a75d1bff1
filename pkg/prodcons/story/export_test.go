package story

import "time"

// ForgetLate makes the package as it is in a program that has run nothing.
func ForgetLate() { clocks.of, clocks.worst = nil, measure{} }

// Uncertain is how far a time may be off.
func Uncertain(length time.Duration) time.Duration { return uncertain(length) }

// Styles are those of text on a ground of its own, by their names.
var Styles = map[string]string{"yellow": string(yellow), "cyan": string(cyan), "green": string(green), "red": string(red), "grey": string(grey)}

// Woken notes by how much a sleep was too long.
func (p *Pace) Woken(late time.Duration) { p.woken(late) }
