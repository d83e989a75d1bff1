// Package testhome gives a test a home folder of its own.
package testhome

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// Own gives the test a home folder, and one for settings, that are removed with it. The
// go command's telemetry is off there: it leaves a process running that counts, and
// would write there while the folders are removed.
func Own(t testing.TB) {
	t.Helper()
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "AppData"} {
		t.Setenv(name, t.TempDir())
	}
	config, err := os.UserConfigDir()
	if err != nil {
		t.Fatal(err)
	}
	mode := filepath.Join(config, "go", "telemetry", "mode")
	if err := errors.Join(os.MkdirAll(filepath.Dir(mode), 0o755), os.WriteFile(mode, []byte("off"), 0o644)); err != nil {
		t.Fatal(err)
	}
}
