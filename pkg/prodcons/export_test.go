package prodcons

// Unmeasured makes a group that has not started measure no latencies.
func (g *Group[T]) Unmeasured() { g.unmeasured = true }
