package show

// ForgetLate makes the package as it is in a program that has run nothing.
func ForgetLate() { latest.Store(0) }
