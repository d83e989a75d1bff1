package symbols

import (
	"log"
	"os"
)

// Yaegi's extract puts restricted forms in the place of what would end the
// process. Ours is a process of the cell's own, which may end when it likes.
var (
	osExit        = os.Exit
	osFindProcess = os.FindProcess
	logFatal      = log.Fatal
	logFatalf     = log.Fatalf
	logFatalln    = log.Fatalln
	logNew        = log.New
)

type logLogger = log.Logger
