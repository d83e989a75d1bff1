package cache

import "testing"

// The system does not let programs be started from its own list of processes.
func TestNoProgramIsStartedFromSomeFolders(t *testing.T) {
	if !noExec("/proc") {
		t.Skip("/proc is mounted in another way here")
	}
	if noExec(t.TempDir()) {
		t.Error("nor from the temporary folder")
	}
}
