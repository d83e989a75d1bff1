package rt

import "sync"

// In a bubble of testing/synctest time goes on when all goroutines wait for one
// another, but not while one waits for a lock: its holder could be outside. So on the
// virtual clock the program's locks are these, which wait for a condition.

// Mutex is a sync.Mutex.
type Mutex struct {
	mu     sync.Mutex
	free   *sync.Cond // made when somebody waits
	locked bool
}

// Lock waits until the mutex is free, and takes it.
func (m *Mutex) Lock() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.locked {
		if m.free == nil {
			m.free = sync.NewCond(&m.mu)
		}
		m.free.Wait()
	}
	m.locked = true
}

// TryLock takes the mutex if it is free.
func (m *Mutex) TryLock() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locked {
		return false
	}
	m.locked = true
	return true
}

// Unlock frees the mutex. If it is not locked, the runtime ends the process.
func (m *Mutex) Unlock() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.locked {
		new(sync.Mutex).Unlock()
	}
	m.locked = false
	if m.free != nil {
		m.free.Signal()
	}
}

// RWMutex is a sync.RWMutex.
type RWMutex struct {
	mu      sync.Mutex
	changed *sync.Cond // made when somebody waits
	readers int
	writing bool
	writers int // that wait: no reader comes before them
}

func (m *RWMutex) wait() {
	if m.changed == nil {
		m.changed = sync.NewCond(&m.mu)
	}
	m.changed.Wait()
}

func (m *RWMutex) wake() {
	if m.changed != nil {
		m.changed.Broadcast()
	}
}

// Lock waits until nobody reads or writes.
func (m *RWMutex) Lock() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.writing || m.readers > 0 {
		m.writers++
		m.wait()
		m.writers--
	}
	m.writing = true
}

// TryLock takes the mutex for writing, if nobody has it.
func (m *RWMutex) TryLock() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.writing || m.readers > 0 {
		return false
	}
	m.writing = true
	return true
}

// Unlock ends Lock.
func (m *RWMutex) Unlock() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.writing {
		new(sync.RWMutex).Unlock()
	}
	m.writing = false
	m.wake()
}

// RLock waits until nobody writes, or waits to do so.
func (m *RWMutex) RLock() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.writing || m.writers > 0 {
		m.wait()
	}
	m.readers++
}

// TryRLock takes the mutex for reading, if nobody writes.
func (m *RWMutex) TryRLock() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.writing || m.writers > 0 {
		return false
	}
	m.readers++
	return true
}

// RUnlock ends RLock.
func (m *RWMutex) RUnlock() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.readers == 0 {
		new(sync.RWMutex).RUnlock()
	}
	m.readers--
	m.wake()
}

// RLocker is the mutex for reading.
func (m *RWMutex) RLocker() sync.Locker { return rlocker{m} }

type rlocker struct{ *RWMutex }

func (r rlocker) Lock()   { r.RLock() }
func (r rlocker) Unlock() { r.RUnlock() }

// Once is a sync.Once.
type Once struct {
	mu   Mutex
	done bool
}

// Do calls f the first time, and waits until it has returned.
func (o *Once) Do(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.done {
		defer func() { o.done = true }()
		f()
	}
}
