package story

import "time"

// ForgetLate makes the package as it is in a program that has run nothing.
func ForgetLate() { latest.Store(0) }

// Woken notes by how much a sleep was too long.
func (p *Pace) Woken(late time.Duration) { p.woken(late) }
